"""System Overview: the state of the product, and where to look when it is not healthy."""

from typing import Final

from dashboards import limits, uids
from dashboards.about import About, Panel
from dashboards.bands import GREEN, RED, YELLOW, Bands, above, below, below_target, limit, warning
from dashboards.frame import Section, filled, frame
from dashboards.infrastructure import batch_jobs, cache, database, nodes_and_containers
from dashboards.one_pod import one_pod
from dashboards.panels import between, graph, number, worded
from dashboards.query import (
    ALERTS_LOADED,
    API,
    APP,
    CRITICAL,
    FIRING,
    SERVICE,
    WARNING,
    Query,
    average,
    chosen,
    counted,
    highest,
    lowest,
    summed,
    zero_while,
)
from dashboards.sdk import model
from dashboards.shapes import cloud, sheet

ERRORS: Final = (uids.ERRORS, "Errors by route and kind")
SLOS: Final = (uids.SLOS, "Objectives")
AGENTS: Final = (uids.AGENTS, "Agents")
BUSINESS: Final = (uids.BUSINESS, "Business metrics")
GENERATED: Final = "namespace_type:sergas_recommendations_generated:rate5m"
REQUESTS: Final = "namespace_job:sergas_http_requests:rate5m"
FAILING: Final = "namespace_job:sergas_http_requests_failed:ratio_rate5m"
LATENCY: Final = "namespace_job:sergas_http_request_duration_seconds"
BUCKETS: Final = "namespace_job_le:sergas_http_request_duration_seconds_bucket:rate5m"
BY_ROUTE: Final = "namespace_job_route:sergas_http_request_duration_seconds:p95_rate5m"
UP: Final = "namespace_job:sergas_target_up"
NOT_DOWN: Final = "namespace_job:sergas_pods_not_down:ratio"
UPTIME: Final = "namespace_job:sergas_service_up:ratio6h"
OURS: Final = 'category!=""'
EACH: Final = "{{namespace}} {{job}}"
# The state of a service that Prometheus saw within a day and finds no target of. Others are a share from 0 to 1.
GONE: Final = -1


def built() -> model.Dashboard:
    question = "Is the product well, and where to look if not?"
    empty = frame(uids.OVERVIEW, "System Overview", question, "system_overview", offered=["service", "pod"])
    return filled(
        empty,
        [
            Section("Is the product well?", health()),
            Section("What do users get?", requests()),
            Section("What is it running on?", resources()),
            Section("Does it do its work?", business()),
            Section("Latency in detail", latency(), closed=True),
            Section("Uptime and restarts", restarts(), closed=True),
            Section("One pod", one_pod(), closed=True),
            Section("Database", database(), closed=True),
            Section("Cache", cache(), closed=True),
            Section("Nodes, containers and volumes", nodes_and_containers(), closed=True),
            Section("Batch jobs", batch_jobs(), closed=True),
        ],
    )


def health() -> list[Panel]:
    return [
        services(),
        number(
            About(
                "Pods up",
                "Share of pods that answer their scrape, of the worst service. Below 100 % for longer than a release"
                " takes: a pod is stuck or cannot start.",
                "percentunit",
                alerts=("ServiceDown",),
            ),
            Query(f"min({chosen(f'{UP}:avg', APP, SERVICE)})", "pods"),
            Bands(base=RED, steps=((0.5, YELLOW), (1, GREEN))),
            width=3,
            decimals=0,
        ),
        number(
            About(
                "Uptime (6 h)",
                "Share of the last six hours in which a pod answered, of the worst service. Yellow: the target of"
                " 99.9 % is missed. Red: an alert fires. A younger service counts from its start.",
                "percentunit",
                alerts=("ServiceUptimeLow",),
            ),
            Query(f"min({chosen(UPTIME, SERVICE)})", "uptime"),
            below(limits.alert_threshold("ServiceUptimeLow"), limits.UPTIME_TARGET),
            width=3,
            decimals=2,
        ),
        firing("Critical alerts", CRITICAL, "Critical alerts that fire: somebody is paged.", limit(1)),
        firing("Warnings", WARNING, "Warnings that fire: nobody is paged, and somebody should act.", warning(1)),
        number(
            About(
                "5xx share (5 min)",
                "Share of requests answered with a 5xx status over five minutes, of the worst service. Yellow: the"
                " target of 1 % is missed. Red: an alert fires.",
                "percentunit",
                alerts=("HighErrorRate",),
                details=(ERRORS,),
            ),
            Query(f"max({chosen(FAILING, SERVICE)})", "failing"),
            above(limits.ERROR_RATIO_TARGET, limits.alert_threshold("HighErrorRate")),
            width=3,
            decimals=2,
        ),
        number(
            About(
                "API p95 (5 min)",
                "One request to the API in twenty takes this long or longer, over five minutes. Yellow: the target of"
                " 500 ms is missed. Red: an alert fires.",
                "s",
                alerts=("APILatencyCritical",),
                details=(SLOS,),
            ),
            Query(f"max({chosen(f'{LATENCY}:p95_rate5m', API, SERVICE)})", "p95"),
            above(limits.LATENCY_TARGET_SECONDS, limits.alert_threshold("APILatencyCritical")),
            width=3,
        ),
    ]


def services() -> Panel:
    """A tile for each service, those that vanished within a day too, with the signals of the two alerts."""
    seen = f"max_over_time({chosen(f'{UP}:max', APP, SERVICE)}[1d])"
    states = [*worded(("1", "UP", GREEN), ("0", "DOWN", RED), (str(GONE), "GONE", RED))]
    return number(
        About(
            "Services",
            "UP: all pods answer or are starting. PARTLY DOWN: a pod that answered does not. DOWN: no pod answers."
            " GONE: Prometheus saw the service within a day and finds no pod of it. Look at the pods' events.",
            "none",
            alerts=("ServiceDown", "ServiceAbsent"),
        ),
        Query(f"{chosen(NOT_DOWN, SERVICE)} or {GONE} + 0 * {seen}", EACH),
        Bands(base=RED, steps=((1, GREEN),)),
        width=6,
        words=[*states, between(0.0001, 0.9999, "PARTLY DOWN", RED)],
        sparkline=False,
    )


def firing(title: str, severity: str, meaning: str, bands: Bands) -> Panel:
    """How many alerts of this severity, a label matcher, fire; 0 only while the rules of the alerts are loaded."""
    about = About(title, f"{meaning} Each has a runbook.", "none", details=((uids.MONITORING, "All alerts"),))
    alerts = Query(zero_while(f"count({chosen('ALERTS', FIRING, OURS, severity)})", ALERTS_LOADED), "alerts")
    return number(about, alerts, bands, width=3, decimals=0)


def requests() -> list[Panel]:
    return [
        graph(
            About(
                "Request rate",
                "Requests a second by service, without probes. A fall to zero by day: nothing reaches it any more.",
                "reqps",
                alerts=("TrafficStopped",),
            ),
            [Query(average(REQUESTS, SERVICE), EACH)],
        ),
        graph(
            About(
                "Error rate",
                "Share of requests answered with a 5xx status. The lines are the target of 1 % and the alert's limit."
                " A step up at a blue mark: the release did it; roll it back.",
                "percentunit",
                alerts=("HighErrorRate",),
                details=(ERRORS,),
            ),
            [Query(highest(FAILING, SERVICE), EACH)],
            above(limits.ERROR_RATIO_TARGET, limits.alert_threshold("HighErrorRate")),
        ),
        graph(
            About(
                "API latency",
                "Median, 95th and 99th percentile of the API's requests that ended. The lines are the target of 500 ms"
                " and the alert's limit for the 95th. A flat line at 10 s means longer than the last bucket.",
                "s",
                alerts=("APILatencyCritical",),
                details=(SLOS,),
            ),
            [
                Query(highest(f"{LATENCY}:{share}_rate5m", API, SERVICE), f"{EACH} {share}")
                for share in ("p50", "p95", "p99")
            ],
            above(limits.LATENCY_TARGET_SECONDS, limits.alert_threshold("APILatencyCritical")),
        ),
        graph(
            About(
                "Requests in flight",
                "Requests that the API has begun and not ended, of the pod that has most. A line that only climbs is a"
                " pod that hangs: latency counts only requests that ended.",
                "none",
                alerts=("RequestsPilingUp",),
            ),
            [Query(highest("namespace_job:sergas_http_requests_in_progress:max", API, SERVICE), EACH)],
            limit(limits.alert_threshold("RequestsPilingUp")),
        ),
    ]


def resources() -> list[Panel]:
    hit_rate = limits.alert_threshold("CacheHitRateLow")
    return [
        graph(
            About(
                "CPU of the application",
                "Cores used by all pods of a service. Flat at the top while latency rises: the pods are throttled at"
                " their limit. The rows below show it as a share of the limit.",
                "none",
                alerts=("CPUUsageHigh",),
            ),
            [Query(average("namespace_job:process_cpu_seconds:rate5m", SERVICE), EACH)],
        ),
        graph(
            About(
                "Memory of the application",
                "Resident memory of the largest pod of a service. A saw-tooth that ends in restarts: it leaks, or its"
                " limit is too low.",
                "bytes",
                alerts=("MemoryUsageHigh",),
            ),
            [Query(highest("namespace_job:process_resident_memory_bytes:max", SERVICE), EACH)],
        ),
        graph(
            About(
                "Database connections",
                "The pools of all pods, by state. In use at the maximum: requests wait for a connection.",
                "none",
                alerts=("DatabasePoolExhausted",),
            ),
            [
                Query(highest("namespace_state:sergas_database_pool_connections:sum"), "{{namespace}} {{state}}"),
                Query(highest("namespace:sergas_database_pool_connections_max:sum"), "{{namespace}} maximum"),
            ],
        ),
        graph(
            About(
                "Cache hit rate",
                "Share of look-ups that the cache answered. The lines are the target of 85 %, the alert's limit and the"
                " critical limit of 70 %. A sudden fall: the cache was flushed or restarted, or a release changed its"
                " keys.",
                "percentunit",
                alerts=("CacheHitRateLow",),
            ),
            [Query(lowest("namespace_cache:sergas_cache_hits:ratio_rate5m"), "{{namespace}} {{cache}}")],
            below_target(limits.CACHE_HIT_LIMIT, hit_rate, limits.CACHE_HIT_TARGET),
        ),
    ]


def business() -> list[Panel]:
    return [
        graph(
            About(
                "Active accounts",
                "Accounts in the system, as the pod that synchronised last reports them. A step down: a sync dropped"
                " accounts.",
                "none",
                details=(BUSINESS,),
            ),
            [Query(lowest("namespace:sergas_accounts_active_total:latest"), "{{namespace}}")],
            floor=None,
        ),
        graph(
            About(
                "Recommendations generated",
                "Recommendations of the last hour, by type. Zero by day: the agents have stalled.",
                "none",
                alerts=("RecommendationsStalled",),
                details=(AGENTS, BUSINESS),
            ),
            [Query(counted(GENERATED, span="1h", by="type"), "{{type}}")],
        ),
    ]


def latency() -> list[Panel]:
    return [
        cloud(
            About(
                "API latency distribution",
                "How many requests a second the API ends within each duration. Two dark bands: two kinds of requests,"
                " or a dependency that times out for some.",
                "s",
                alerts=("APILatencyCritical",),
            ),
            Query(summed(BUCKETS, API, SERVICE, by="le"), "{{le}}"),
        ),
        sheet(
            About(
                "Slow routes",
                "95th percentile of each route's requests over five minutes, the slowest first. One route alone: its"
                " code or what it calls. All routes: something they share.",
                "s",
                alerts=("APILatencyCritical",),
            ),
            {"namespace": "Namespace", "job": "Service", "route": "Route", "Value": "p95"},
            [Query(f"topk(15, {chosen(BY_ROUTE, SERVICE)} > 0)", "{{route}}")],
            sort="p95",
        ),
    ]


def restarts() -> list[Panel]:
    # Where the API counts no request now, the rate of the hour before: the signal of TrafficStopped.
    now = chosen(REQUESTS, API, SERVICE)
    stopped = f"avg_over_time({chosen(REQUESTS, API, SERVICE)}[1h] offset 5m) unless {now} > 0"
    return [
        graph(
            About(
                "Uptime over six hours",
                "Share of the six hours before in which a pod answered. Short notches add up. The lines are the target"
                " of 99.9 % and the alert's limit.",
                "percentunit",
                alerts=("ServiceUptimeLow",),
            ),
            [Query(lowest(UPTIME, SERVICE), EACH)],
            below(limits.alert_threshold("ServiceUptimeLow"), limits.UPTIME_TARGET),
            floor=None,
        ),
        graph(
            About(
                "Pods up over time",
                "Share of a service's pods that answer their scrape. A notch at a blue mark is a release; others are"
                " outages.",
                "percentunit",
                alerts=("ServiceDown",),
            ),
            [Query(lowest(f"{UP}:avg", APP, SERVICE), EACH)],
        ),
        graph(
            About(
                "Restarts in 15 minutes",
                "Restarts of the process that restarts most. Above the line it is a crash loop.",
                "none",
                alerts=("ServiceRestarting",),
            ),
            [Query(highest("namespace_job:sergas_process_starts:max_changes15m", SERVICE), EACH)],
            limit(limits.alert_threshold("ServiceRestarting")),
        ),
        graph(
            About(
                "Stopped API traffic",
                "0 while the API counts requests. When it counts none, the requests a second of the hour before: above"
                " the line an alert fires. Check ingress, DNS name and certificate.",
                "reqps",
                alerts=("TrafficStopped",),
            ),
            [Query(zero_while(stopped, now), EACH)],
            limit(limits.alert_threshold("TrafficStopped")),
        ),
    ]
