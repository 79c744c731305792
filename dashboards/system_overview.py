"""System Overview: is the product well, right now, and if not, where to look."""

from typing import Final

from dashboards import limits, uids
from dashboards.about import About, Panel
from dashboards.bands import GREEN, RED, YELLOW, Bands, above, below, limit, warning
from dashboards.frame import Section, filled, frame
from dashboards.infrastructure import cache, database, nodes_and_containers
from dashboards.panels import graph, number, worded
from dashboards.query import APP, CRITICAL, FIRING, SERVICE, WARNING, Query, chosen, counted
from dashboards.sdk import model

ERRORS: Final = (uids.ERRORS, "Errors by route and kind")
SLOS: Final = (uids.SLOS, "Objectives")
AGENTS: Final = (uids.AGENTS, "Agents")
BUSINESS: Final = (uids.BUSINESS, "Business metrics")
GENERATED: Final = "namespace_type:sergas_recommendations_generated:rate5m"
OURS: Final = 'category!=""'
EACH: Final = "{{namespace}} {{job}}"


def built() -> model.Dashboard:
    question = "Is the product well, and where to look if not?"
    empty = frame(uids.OVERVIEW, "System Overview", question, "system_overview", offered=["service"])
    return filled(
        empty,
        [
            Section("Is the product well?", health()),
            Section("What do users get?", requests()),
            Section("What is it running on?", resources()),
            Section("Does it do its work?", business()),
            Section("Restarts and gaps", restarts(), closed=True),
            Section("Database", database(), closed=True),
            Section("Cache", cache(), closed=True),
            Section("Nodes, containers and volumes", nodes_and_containers(), closed=True),
        ],
    )


def health() -> list[Panel]:
    services = number(
        About(
            "Services",
            "UP while at least one pod answers its scrape. DOWN: nobody is served; the pods' events tell why. A"
            " service that is missing here has no pod at all.",
            "none",
            alerts=("ServiceDown", "ServiceAbsent"),
        ),
        Query(chosen("namespace_job:sergas_target_up:max", APP, SERVICE), EACH),
        Bands(base=RED, steps=((1, GREEN),)),
        width=6,
    )
    return [
        services.mappings(worded(("0", "DOWN", RED), ("1", "UP", GREEN))),
        number(
            About(
                "Pods that answer",
                "Share of pods that answer their scrape, of the worst service. Below 100 % for longer than a release"
                " takes: a pod is stuck or cannot start.",
                "percentunit",
                alerts=("ServiceDown",),
            ),
            Query(f"min({chosen('namespace_job:sergas_target_up:avg', APP, SERVICE)})", "pods"),
            Bands(base=RED, steps=((0.5, YELLOW), (1, GREEN))),
            decimals=0,
        ),
        firing("Critical alerts", CRITICAL, "Critical alerts that fire: somebody has been woken up.", limit(1)),
        firing("Warnings", WARNING, "Firing alerts that nobody gets up for, and somebody should act on.", warning(1)),
        number(
            About(
                "Failing requests",
                "Share of requests answered with a 5xx status over five minutes, of the worst service. Yellow: the"
                " target of 1 % is missed. Red pages someone.",
                "percentunit",
                alerts=("HighErrorRate",),
                details=(ERRORS,),
            ),
            Query(f"max({chosen('namespace_job:sergas_http_requests_failed:ratio_rate5m', SERVICE)})", "failing"),
            above(limits.ERROR_RATIO_TARGET, limits.alert_threshold("HighErrorRate")),
            decimals=2,
        ),
        number(
            About(
                "95th percentile",
                "One request in twenty takes this long or longer, of the worst service. Yellow: the target of 500 ms"
                " is missed. Red pages someone.",
                "s",
                alerts=("APILatencyCritical",),
                details=(SLOS,),
            ),
            Query(f"max({chosen('namespace_job:sergas_http_request_duration_seconds:p95_rate5m', SERVICE)})", "p95"),
            above(limits.LATENCY_TARGET_SECONDS, limits.alert_threshold("APILatencyCritical")),
        ),
    ]


def firing(title: str, severity: str, meaning: str, bands: Bands) -> Panel:
    """How many alerts of this severity, a label matcher, fire."""
    about = About(title, f"{meaning} Each has a runbook.", "none", details=((uids.MONITORING, "All alerts"),))
    alerts = Query(f"count({chosen('ALERTS', FIRING, OURS, severity)}) or vector(0)", "alerts")
    return number(about, alerts, bands, width=3, decimals=0)


def requests() -> list[Panel]:
    latency = "namespace_job:sergas_http_request_duration_seconds"
    return [
        graph(
            About(
                "Request rate",
                "Requests a second by service, without probes. A fall to zero by day: nothing reaches it any more.",
                "reqps",
                alerts=("TrafficStopped",),
            ),
            [Query(chosen("namespace_job:sergas_http_requests:rate5m", SERVICE), EACH)],
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
            [Query(chosen("namespace_job:sergas_http_requests_failed:ratio_rate5m", SERVICE), EACH)],
            above(limits.ERROR_RATIO_TARGET, limits.alert_threshold("HighErrorRate")),
        ),
        graph(
            About(
                "API latency",
                "95th and 99th percentile of requests that ended. The lines are the target of 500 ms and the alert's"
                " limit. A flat line at 10 s means longer than the last bucket.",
                "s",
                alerts=("APILatencyCritical",),
                details=(SLOS,),
            ),
            [
                Query(chosen(f"{latency}:p95_rate5m", SERVICE), f"{EACH} p95"),
                Query(chosen(f"{latency}:p99_rate5m", SERVICE), f"{EACH} p99"),
            ],
            above(limits.LATENCY_TARGET_SECONDS, limits.alert_threshold("APILatencyCritical")),
        ),
        graph(
            About(
                "Requests in flight",
                "Requests begun and not ended, of the pod that has most. A line that only climbs is a pod that hangs:"
                " latency does not show it, as it counts requests that ended.",
                "none",
                alerts=("RequestsPilingUp",),
            ),
            [Query(chosen("namespace_job:sergas_http_requests_in_progress:max", SERVICE), EACH)],
            limit(limits.alert_threshold("RequestsPilingUp")),
        ),
    ]


def resources() -> list[Panel]:
    return [
        graph(
            About(
                "CPU of the application",
                "Cores used by all pods of a service. Flat on top while latency rises: the pods are throttled at"
                " their limit. The rows below show it as share of the limit.",
                "none",
                alerts=("CPUUsageHigh",),
            ),
            [Query(chosen("namespace_job:process_cpu_seconds:rate5m", SERVICE), EACH)],
        ),
        graph(
            About(
                "Memory of the application",
                "Resident memory of the largest pod of a service. A saw-tooth that ends in restarts: it leaks, or its"
                " limit is too low.",
                "bytes",
                alerts=("MemoryUsageHigh",),
            ),
            [Query(chosen("namespace_job:process_resident_memory_bytes:max", SERVICE), EACH)],
        ),
        graph(
            About(
                "Database connections",
                "The pools of all pods, by state. In use at the maximum: requests wait for a connection.",
                "none",
                alerts=("DatabasePoolExhausted",),
            ),
            [
                Query(chosen("namespace_state:sergas_database_pool_connections:sum"), "{{namespace}} {{state}}"),
                Query(chosen("namespace:sergas_database_pool_connections_max:sum"), "{{namespace}} maximum"),
            ],
        ),
        graph(
            About(
                "Cache hit rate",
                "Share of look-ups that the cache answered. The lines are the target of 85 % and the limit of 70 %. A"
                " sudden fall: the cache was flushed or restarted, or a release changed its keys.",
                "percentunit",
                alerts=("CacheHitRateLow",),
            ),
            [Query(chosen("namespace_cache:sergas_cache_hits:ratio_rate5m"), "{{namespace}} {{cache}}")],
            below(limits.CACHE_HIT_LIMIT, limits.CACHE_HIT_TARGET),
        ),
    ]


def business() -> list[Panel]:
    return [
        graph(
            About(
                "Active accounts",
                "Accounts in the system. A step down: a sync dropped accounts.",
                "none",
                details=(BUSINESS,),
            ),
            [Query(chosen("namespace:sergas_accounts_active_total:max"), "{{namespace}}")],
        ),
        graph(
            About(
                "Recommendations generated",
                "Recommendations an hour, by type. Zero by day: the agents have stalled.",
                "none",
                alerts=("RecommendationsStalled",),
                details=(AGENTS, BUSINESS),
            ),
            [
                Query(
                    counted(GENERATED, span="1h", by="type"),
                    "{{type}}",
                )
            ],
        ),
    ]


def restarts() -> list[Panel]:
    return [
        graph(
            About(
                "Pods that answer over time",
                "Share of a service's pods that answer their scrape. Short notches, again and again, add up: the"
                " alert on uptime looks at six hours.",
                "percentunit",
                alerts=("ServiceUptimeLow", "ServiceDown"),
            ),
            [Query(chosen("namespace_job:sergas_target_up:avg", APP, SERVICE), EACH)],
        ),
        graph(
            About(
                "Restarts in 15 minutes",
                "Restarts of the process that restarts most. Above the line it is a crash loop.",
                "none",
                alerts=("ServiceRestarting",),
            ),
            [Query(chosen("namespace_job:sergas_process_starts:max_changes15m", SERVICE), EACH)],
            limit(limits.alert_threshold("ServiceRestarting")),
        ),
    ]
