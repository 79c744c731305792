"""Remote write and external checks: a row of the dashboard Monitoring."""

from typing import Final

from dashboards import limits
from dashboards.about import About, Panel
from dashboards.bands import GREEN, RED, YELLOW, Bands, warning
from dashboards.panels import graph
from dashboards.query import Query, anywhere, chosen, over_step

# The window of RemoteWriteBehind: a queue that sends nothing for a moment is not behind.
QUEUE_STEP: Final = "5m"


def edges() -> list[Panel]:
    return [
        graph(
            About(
                "Remote write lag",
                "How far the newest sample sent lies behind the newest there is. After two hours samples are lost"
                " there. Needs prometheus.remoteWrite in the SergasMonitoring.",
                "s",
                alerts=("RemoteWriteBehind",),
            ),
            [Query(behind(), "{{instance}} {{remote_name}}")],
            warning(limits.alert_threshold("RemoteWriteBehind")),
            width=8,
            step=QUEUE_STEP,
        ),
        graph(
            About(
                "Days until a certificate expires",
                "Of each address that is probed with TLS. Below the line it was not renewed. Needs a Probe.",
                "d",
                alerts=("CertificateExpiring",),
            ),
            [
                Query(
                    "(min by (job, instance)"
                    f" ({over_step('min', anywhere('probe_ssl_earliest_cert_expiry'))}) - time()) / 86400",
                    "{{instance}}",
                )
            ],
            Bands(base=YELLOW, steps=((limits.alert_threshold("CertificateExpiring"), GREEN),), drawn=True),
            width=8,
        ),
        graph(
            About(
                "External checks",
                "1 while an address answers as its check expects, 0 while it does not: users of it meet the same."
                " Needs probes.checks in the chart's values.",
                "none",
                alerts=("ProbeFailing",),
            ),
            [Query(f"min by (job, instance) ({over_step('min', anywhere('probe_success'))})", "{{job}} {{instance}}")],
            Bands(base=RED, steps=((1, GREEN),)),
            width=8,
        ),
    ]


def behind() -> str:
    """The signal of RemoteWriteBehind: the newest sample of each queue against the newest that it sent."""
    return f"{newest('highest_timestamp_seconds')} - {newest('highest_sent_timestamp_seconds')}"


def newest(series: str) -> str:
    queue = over_step("max", chosen(f"prometheus_remote_storage_queue_{series}"))
    return f"max by (namespace, job, instance, remote_name) ({queue})"
