"""System Overview: is the product well, right now, and if not, where to look."""

from typing import Final

from dashboards import limits
from dashboards.frame import API, APP, ASKED, filled, frame
from dashboards.panels import GREEN, RED, Bands, Panel, Query, above, below, graph, number
from dashboards.sdk import model, stat

UID: Final = "sergas-system-overview"
WINDOW: Final = "$__rate_interval"
BUCKETS: Final = "sergas_http_request_duration_seconds_bucket"
REQUESTS: Final = "sergas_http_requests_total"


def built() -> model.Dashboard:
    empty = frame(UID, "Sergas / System Overview", "Is the product well, and where to look if not?", "system_overview")
    rows = {"Is it well?": health(), "Requests": requests(), "Resources": resources(), "Business": business()}
    return filled(empty, rows).build()


def health() -> list[Panel]:
    return [services(), pods(), alerts_firing(), errors_now(), latency_now()]


def services() -> stat.Panel:
    up = model.ValueMappingResult(text="UP", color=GREEN)
    down = model.ValueMappingResult(text="DOWN", color=RED)
    return number(
        "Services",
        "UP while at least one pod answers its scrape. DOWN: nobody is served; see the runbook of ServiceDown. A"
        " service that is missing here has no pod at all.",
        "none",
        Query(f"max by (namespace, job) (up{{{APP}}})", "{{job}} in {{namespace}}"),
        Bands(base=RED, steps=((1, GREEN),)),
        width=8,
    ).mappings([model.ValueMap(options={"1": up, "0": down})])


def pods() -> stat.Panel:
    return number(
        "Pods that answer",
        "Share of pods that answer their scrape. Below 100 % for longer than a release takes: a pod is stuck.",
        "percentunit",
        Query(f"avg by (job) (up{{{APP}}})", "{{job}}"),
        Bands(base=RED, steps=((0.5, "yellow"), (1, GREEN))),
        width=4,
        decimals=0,
    )


def alerts_firing() -> stat.Panel:
    return number(
        "Alerts firing",
        "Firing alerts on the application. Anything but 0 has a runbook.",
        "none",
        Query('count(ALERTS{alertstate="firing",category!="",namespace=~"$namespace"}) or vector(0)', "alerts"),
        Bands(steps=((1, RED),)),
        width=4,
        decimals=0,
    )


def errors_now() -> stat.Panel:
    return number(
        "Failing requests",
        "Share of requests answered with a 5xx status over five minutes. Red pages someone: HighErrorRate.",
        "percentunit",
        Query(f"{failures('5m')} / {rate_of_requests('5m')}", "{{job}}"),
        above(limits.ERROR_RATIO_TARGET, limits.alert_threshold("HighErrorRate")),
        width=4,
        decimals=2,
    )


def latency_now() -> stat.Panel:
    return number(
        "95th percentile",
        "One request in twenty takes this long or longer, over five minutes. Red pages someone: APILatencyCritical.",
        "s",
        Query(quantile(0.95, "5m"), "{{job}}"),
        above(limits.LATENCY_TARGET_SECONDS, limits.alert_threshold("APILatencyCritical")),
        width=4,
    )


def rate_of_requests(window: str) -> str:
    return f"sum by (job) (rate({REQUESTS}{{{ASKED}}}[{window}]))"


def failures(window: str) -> str:
    """Failing requests a second; 0, not nothing, for a job that never failed."""
    failing = f'sum by (job) (rate({REQUESTS}{{{ASKED},status=~"5.."}}[{window}]))'
    return f"({failing} or 0 * {rate_of_requests(window)})"


def quantile(share: float, window: str) -> str:
    return f"histogram_quantile({share}, sum by (job, le) (rate({BUCKETS}{{{API}}}[{window}])))"


def requests() -> list[Panel]:
    return [
        graph(
            "Request rate",
            "Requests a second by service, without probes. Zero by day: nothing reaches it. See TrafficStopped.",
            "reqps",
            [Query(rate_of_requests(WINDOW), "{{job}}")],
        ),
        graph(
            "Error rate",
            "Share of requests answered with a 5xx status. The lines are the target of 1 % and the alert's limit.",
            "percentunit",
            [Query(f"{failures(WINDOW)} / {rate_of_requests(WINDOW)}", "{{job}}")],
            above(limits.ERROR_RATIO_TARGET, limits.alert_threshold("HighErrorRate")),
        ),
        graph(
            "API latency",
            "95th and 99th percentile of requests that ended. The lines are the target of 500 ms and the alert's limit."
            " A flat line at 10 s means longer than the last bucket.",
            "s",
            [Query(quantile(0.95, WINDOW), "p95"), Query(quantile(0.99, WINDOW), "p99")],
            above(limits.LATENCY_TARGET_SECONDS, limits.alert_threshold("APILatencyCritical")),
        ),
        graph(
            "Requests in flight",
            "Requests begun and not ended, by pod. A line that only climbs is a pod that hangs: RequestsPilingUp.",
            "none",
            [Query(f"sum by (pod) (sergas_http_requests_in_progress{{{APP}}})", "{{pod}}")],
            Bands(steps=((limits.alert_threshold("RequestsPilingUp"), RED),), drawn=True),
        ),
    ]


def resources() -> list[Panel]:
    return [
        graph(
            "CPU of the application",
            "Cores used by each pod's process. Flat at the pod's limit: it is throttled, and latency rises.",
            "none",
            [Query(f"sum by (pod) (rate(process_cpu_seconds_total{{{APP}}}[{WINDOW}]))", "{{pod}}")],
        ),
        graph(
            "Memory of the application",
            "Resident memory of each pod's process. A saw-tooth with restarts: the limit is too low, or it leaks.",
            "bytes",
            [Query(f"sum by (pod) (process_resident_memory_bytes{{{APP}}})", "{{pod}}")],
        ),
        graph(
            "CPU of the nodes",
            "Share of each node's CPU in use. Above 85 % for long, pods slow each other down. Needs node-exporter.",
            "percentunit",
            [Query(f'1 - avg by (instance) (rate(node_cpu_seconds_total{{mode="idle"}}[{WINDOW}]))', "{{instance}}")],
            above(0.85, 0.95),
        ),
        graph(
            "Memory of the nodes",
            "Share of each node's memory that is in use. Above 85 % pods are soon evicted. Needs node-exporter.",
            "percentunit",
            [Query("1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes", "{{instance}}")],
            above(0.85, 0.95),
        ),
        graph(
            "Database connections",
            "The application's pool, by state. In use at the maximum: requests wait for a connection.",
            "none",
            [
                Query(f"sum by (state) (sergas_database_pool_connections{{{APP}}})", "{{state}}"),
                Query(f"sum(sergas_database_pool_connections_max{{{APP}}})", "maximum"),
            ],
        ),
        graph(
            "Cache hit rate",
            "Share of look-ups that the cache answered. The lines are the target of 85 % and the limit of 70 %."
            " A sudden fall: the cache was flushed or restarted.",
            "percentunit",
            [Query(cache_hit_ratio(), "{{cache}}")],
            below(limits.CACHE_HIT_LIMIT, limits.CACHE_HIT_TARGET),
        ),
    ]


def cache_hit_ratio() -> str:
    hits = f"sum by (cache) (rate(sergas_cache_hits_total{{{APP}}}[{WINDOW}]))"
    misses = f"sum by (cache) (rate(sergas_cache_misses_total{{{APP}}}[{WINDOW}]))"
    return f"{hits} / ({hits} + {misses})"


def business() -> list[Panel]:
    return [
        graph(
            "Active accounts",
            "Accounts in the system. A step down: a sync dropped accounts.",
            "none",
            [Query(f"max by (namespace) (sergas_accounts_active_total{{{APP}}})", "{{namespace}}")],
        ),
        graph(
            "Recommendations generated",
            "Recommendations an hour, by type. Zero by day: the agents have stalled.",
            "none",
            [Query(f"sum by (type) (rate(sergas_recommendations_generated_total{{{APP}}}[1h])) * 3600", "{{type}}")],
        ),
    ]
