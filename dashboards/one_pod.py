"""One pod of the application: a row of the System Overview.

These panels read raw series. The variable `pod` names one pod, so that their number does not grow with the fleet.
"""

from typing import Final

from dashboards.about import About, Panel
from dashboards.bands import limit
from dashboards.limits import alert_threshold
from dashboards.panels import graph
from dashboards.query import APP, POD, Query, chosen, over_step

# Holds four scrapes of the application, which a rate needs.
STEP: Final = "1m"


def one_pod() -> list[Panel]:
    return [
        graph(
            About(
                "Pod: requests by status",
                "Requests a second that this pod answers, probes included. One pod unlike the others: restart it and"
                " read its log.",
                "reqps",
            ),
            [Query(f"sum by (status) ({rate('sergas_http_requests_total')})", "{{status}}")],
            stacked=True,
            step=STEP,
        ),
        graph(
            About(
                "Pod: requests in flight",
                "Requests that this pod has begun and not ended. A line that only climbs: it hangs.",
                "none",
                alerts=("RequestsPilingUp",),
            ),
            [Query(f"sum by (job) ({peak('sergas_http_requests_in_progress')})", "{{job}}")],
            limit(alert_threshold("RequestsPilingUp")),
            step=STEP,
        ),
        graph(
            About("Pod: CPU", "Cores that the process of this pod uses. Flat at the top: it is throttled.", "none"),
            [Query(f"sum by (job) ({rate('process_cpu_seconds_total')})", "{{job}}")],
            step=STEP,
        ),
        graph(
            About(
                "Pod: memory",
                "Resident memory of this pod's process. A climb without end that stops at a restart: it leaks.",
                "bytes",
            ),
            [Query(f"sum by (job) ({peak('process_resident_memory_bytes')})", "{{job}}")],
            step=STEP,
        ),
    ]


def rate(series: str) -> str:
    return f"rate({chosen(series, APP, POD)}[$__interval])"


def peak(series: str) -> str:
    return over_step("max", chosen(series, APP, POD))
