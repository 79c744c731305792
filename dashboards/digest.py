"""The digest of info alerts: a row of the dashboard Monitoring."""

from dashboards import limits
from dashboards.about import About, Panel
from dashboards.bands import GREEN, RED, YELLOW, Bands, warning
from dashboards.panels import graph, number, worded
from dashboards.query import Query, chosen


def digest() -> list[Panel]:
    return [
        number(
            About(
                "Digest overdue",
                "Time since a digest was due that some address of a receiver has not got, of the worst receiver. Info"
                " alerts do not reach people.",
                "s",
                alerts=("DigestNotSent",),
            ),
            Query(f"max({chosen('sergas_digest_overdue_seconds')})", "overdue"),
            warning(limits.alert_threshold("DigestNotSent")),
            width=6,
        ),
        number(
            About(
                "Alerts that wait",
                "Info alerts that are not yet in a delivered digest of every receiver. At 10,000 the digest is full.",
                "none",
            ),
            Query(f"sum({chosen('sergas_digest_alerts_pending')})", "waiting"),
            Bands(steps=((8000, YELLOW), (10_000, RED))),
            width=6,
            decimals=0,
        ),
        number(
            About(
                "Digest's volume",
                "Whether the digest can write. FULL: it refuses alerts, and Alertmanager repeats them.",
                "none",
                alerts=("DigestRejecting",),
            ),
            Query(f"min({chosen('sergas_digest_storage_writable')})", "writable"),
            Bands(base=RED, steps=((1, GREEN),)),
            width=6,
        ).mappings(worded(("0", "FULL", RED), ("1", "WRITABLE", GREEN))),
        number(
            About(
                "Rejections",
                "Requests and alerts that the digest did not store in ten minutes.",
                "none",
                alerts=("DigestRejecting",),
            ),
            Query(f"sum(increase({chosen('sergas_digest_rejections_total')}[10m]))", "rejections"),
            Bands(steps=((0.001, YELLOW),)),
            width=6,
            decimals=0,
        ),
        graph(
            About(
                "Mails of the digest",
                "Mails that were accepted, and attempts that failed, by receiver, over one hour. Failures that go on:"
                " the log of the digest names the mail server's answer.",
                "none",
                alerts=("DigestNotSent",),
            ),
            [
                Query(
                    f"sum by (receiver) (increase({chosen('sergas_digest_mails_sent_total')}[1h]))", "{{receiver}} sent"
                ),
                Query(
                    f"sum by (receiver) (increase({chosen('sergas_digest_mail_failures_total')}[1h]))",
                    "{{receiver}} failed",
                ),
            ],
            width=8,
        ),
        graph(
            About(
                "Recipients refused",
                "Addresses that a mail server refused, over one hour. Temporary ones are tried again. Permanent: the"
                " address is wrong or refuses the sender.",
                "none",
                alerts=("DigestNotSent",),
            ),
            [
                Query(
                    f"sum by (receiver, kind) (increase({chosen('sergas_digest_recipients_refused_total')}[1h]))",
                    "{{receiver}} {{kind}}",
                )
            ],
            width=8,
        ),
        graph(
            About(
                "Rejections by reason",
                "Requests and alerts a second that the digest did not store. The runbook says what each reason means.",
                "none",
                alerts=("DigestRejecting",),
            ),
            [
                Query(f"sum by (reason) (rate({chosen('sergas_digest_rejections_total')}[5m]))", "{{reason}}"),
                Query(
                    f"max({chosen('sergas_digest_database_replaced_timestamp_seconds')} > bool time() - 86400)",
                    "database replaced within a day",
                ),
            ],
            width=8,
        ),
    ]
