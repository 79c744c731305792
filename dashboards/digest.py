"""The digest of info alerts: a row of the dashboard Monitoring."""

from dashboards import limits
from dashboards.about import About, Panel
from dashboards.bands import RED, YELLOW, Bands, any_at_all, warning
from dashboards.panels import graph, number
from dashboards.query import Query, chosen, highest
from dashboards.servers import RATE_STEP, counted_in_step, state

REPLACED = "sergas_digest_database_replaced_timestamp_seconds"


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
                "Pending alerts",
                "Info alerts that are not yet in a delivered digest of every receiver. At 10,000 the digest is full.",
                "none",
            ),
            Query(f"sum({chosen('sergas_digest_alerts_pending')})", "pending"),
            Bands(steps=((8000, YELLOW), (10_000, RED))),
            width=6,
            decimals=0,
        ),
        state(
            About(
                "Digest storage",
                "Whether the digest can write. FULL: it refuses alerts, and Alertmanager repeats them.",
                "none",
                alerts=("DigestRejecting",),
            ),
            Query(f"min({chosen('sergas_digest_storage_writable')})", "writable"),
            bad="FULL",
            good="WRITABLE",
            width=6,
        ),
        number(
            About(
                "Rejections (10 min)",
                "Requests and alerts that the digest did not store in ten minutes.",
                "none",
                alerts=("DigestRejecting",),
            ),
            Query(f"sum(increase({chosen('sergas_digest_rejections_total')}[10m]))", "rejections"),
            any_at_all(YELLOW),
            width=6,
            decimals=0,
        ),
        graph(
            About(
                "Digest mails",
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
            width=6,
        ),
        graph(
            About(
                "Refused recipients",
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
            width=6,
        ),
        graph(
            About(
                "Rejections by reason",
                "Requests and alerts a minute that the digest did not store. The runbook says what each reason means.",
                "none",
                alerts=("DigestRejecting",),
            ),
            [Query(counted_in_step("reason", "sergas_digest_rejections_total"), "{{reason}}")],
            width=6,
            step=RATE_STEP,
        ),
        graph(
            About(
                "Database replaced",
                "1 for a day after the digest found its database damaged and began a new one. Info alerts that it held"
                " are lost.",
                "none",
                alerts=("DigestRejecting",),
            ),
            [Query(f"max({highest(REPLACED)} > bool time() - 86400)", "replaced within a day")],
            Bands(steps=((0.5, YELLOW),), drawn=True),
            width=6,
        ),
    ]
