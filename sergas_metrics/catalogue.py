"""Every metric of the library, declared once: the collector, the documentation and the tests all read this list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["counter", "gauge", "histogram"]
Across = Literal["sum", "max", "latest"]

HTTP_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Upper bounds in seconds. They hold 0.5 and 2, the target and the critical threshold of p95 latency."""

CALL_BUCKETS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds in seconds for calls that leave the process."""

WORK_BUCKETS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
"""Upper bounds in seconds for tasks of agents and for processing of documents."""

CACHE_BUCKETS: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1)
"""Upper bounds in seconds for one operation of a cache."""

SCORE_BUCKETS: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""Upper bounds of a ratio between 0 and 1."""


@dataclass(frozen=True, slots=True)
class MetricSpec:
    """One metric: what it is called, what it measures, and who reads it.

    Attributes:
        name: The full name as a query writes it; a counter's ends in ``_total``.
        kind: ``counter``, ``gauge`` or ``histogram``.
        help: One sentence, shown by Prometheus beside the name.
        labels: Label names, in the order in which values are given.
        unit: Such as ``seconds`` or ``ratio`` (0 to 1); empty for a plain count.
        buckets: Upper bounds of a histogram, in its unit and rising, without ``+Inf``.
        used_by: Dashboards and groups of alerts that read the metric.
        across: How the values of several processes become one. ``sum`` adds up: counters and histograms of all
            processes there were, gauges of those that live. ``max`` takes the highest gauge and ``latest`` the one set
            last, those of dead processes included.
    """

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    unit: str = ""
    buckets: tuple[float, ...] = ()
    used_by: tuple[str, ...] = ()
    across: Across = "sum"

    @property
    def domain(self) -> str:
        """The part of the application that the metric describes: ``http``, ``zoho``, ``agent`` and so on."""
        return _DOMAINS[self.name.removeprefix("sergas_").split("_", 1)[0]]


_DOMAINS: Final = {
    "http": "http",
    "zoho": "zoho",
    "memory": "memory",
    "agent": "agent",
    "recommendations": "business",
    "recommendation": "business",
    "accounts": "business",
    "cross": "business",
    "cache": "cache",
    "database": "database",
    "upsell": "business",
    "account": "business",
    "errors": "errors",
    "unhandled": "errors",
    "metrics": "metrics",
}

_SYSTEM = "dashboard: System Overview"
_AGENTS = "dashboard: Agent Performance"
_SYNC = "dashboard: Sync Pipeline"
_ERRORS = "dashboard: Error Tracking"
_BUSINESS = "dashboard: Business Metrics"
_SLOS = "dashboard: SLOs"
_MONITORING = "dashboard: Monitoring"

_HTTP = (
    MetricSpec(
        "sergas_http_requests_total",
        "counter",
        "HTTP requests answered, by method, route template and status code.",
        ("method", "route", "status"),
        used_by=(_SYSTEM, _ERRORS, _SLOS, "alerts: critical service"),
    ),
    MetricSpec(
        "sergas_http_request_duration_seconds",
        "histogram",
        "Time from the request's start to the last byte of its response, in seconds.",
        ("method", "route"),
        "seconds",
        HTTP_BUCKETS,
        (_SYSTEM, _SLOS, "alerts: critical service"),
    ),
    MetricSpec(
        "sergas_http_requests_in_progress",
        "gauge",
        "HTTP requests whose response is not complete yet.",
        used_by=(_SYSTEM,),
    ),
)

_ZOHO = (
    MetricSpec(
        "sergas_zoho_api_calls_total",
        "counter",
        "Calls to the Zoho API, by endpoint and status.",
        ("endpoint", "status"),
        used_by=(_SYNC, _ERRORS, "alerts: rate limiting"),
    ),
    MetricSpec(
        "sergas_zoho_api_duration_seconds",
        "histogram",
        "Duration of a call to the Zoho API, in seconds.",
        ("endpoint",),
        "seconds",
        CALL_BUCKETS,
        (_SYNC,),
    ),
    MetricSpec(
        "sergas_zoho_sync_failures_total",
        "counter",
        "Synchronisations with Zoho that failed, by class of error.",
        ("error_type",),
        used_by=(_SYNC, _ERRORS, "alerts: business metrics"),
    ),
    MetricSpec(
        "sergas_zoho_syncs_total",
        "counter",
        "Synchronisations with Zoho that ended, of one account or of many, by outcome: success or failure.",
        ("status",),
        used_by=(_SYNC,),
    ),
    MetricSpec(
        "sergas_zoho_accounts_synced_total",
        "counter",
        "Accounts synchronised from Zoho.",
        used_by=(_SYNC, _AGENTS, "alerts: business metrics"),
    ),
    MetricSpec(
        "sergas_zoho_rate_limit_remaining",
        "gauge",
        "Calls left in Zoho's current rate limit window.",
        used_by=(_SYNC, "alerts: rate limiting"),
        across="latest",
    ),
    MetricSpec(
        "sergas_zoho_rate_limit_max",
        "gauge",
        "Calls that Zoho's rate limit window allows in all, so that what is left can be told as a share.",
        used_by=(_SYNC, "alerts: rate limiting"),
        across="latest",
    ),
    MetricSpec(
        "sergas_zoho_rate_limit_exceeded_total",
        "counter",
        "Calls that Zoho refused because its rate limit was exceeded, by endpoint.",
        ("endpoint",),
        used_by=(_SYNC, "alerts: rate limiting"),
    ),
    MetricSpec(
        "sergas_zoho_sync_last_success_timestamp_seconds",
        "gauge",
        "Unix time at which an account was last synchronised, in seconds.",
        unit="seconds",
        used_by=(_SYSTEM, _SYNC, _BUSINESS, _SLOS, "alerts: business metrics"),
        across="max",
    ),
    MetricSpec(
        "sergas_zoho_sync_lag_seconds",
        "gauge",
        "Time since the least recently synchronised account was synchronised, in seconds.",
        unit="seconds",
        used_by=(_SYNC, _SLOS, "alerts: business metrics"),
        across="latest",
    ),
)

_MEMORY = (
    MetricSpec(
        "sergas_memory_processing_duration_seconds",
        "histogram",
        "Time to process a document into memory, by operation, in seconds.",
        ("operation",),
        "seconds",
        WORK_BUCKETS,
        (_AGENTS,),
    ),
    MetricSpec(
        "sergas_memory_documents_processed_total",
        "counter",
        "Documents processed into memory, by outcome.",
        ("status",),
        used_by=(_AGENTS, "alerts: business metrics"),
    ),
    MetricSpec(
        "sergas_memory_last_success_timestamp_seconds",
        "gauge",
        "When an operation last succeeded, in seconds since 1970, by operation.",
        ("operation",),
        "seconds",
        used_by=(_AGENTS, _BUSINESS, "alerts: business metrics"),
        across="max",
    ),
    MetricSpec(
        "sergas_memory_graph_nodes_total",
        "gauge",
        "Nodes in the knowledge graph.",
        used_by=(_BUSINESS,),
        across="latest",
    ),
    MetricSpec(
        "sergas_memory_graph_relationships_total",
        "gauge",
        "Relationships in the knowledge graph.",
        used_by=(_BUSINESS,),
        across="latest",
    ),
)

_AGENT = (
    MetricSpec(
        "sergas_agent_task_duration_seconds",
        "histogram",
        "Duration of an agent's task, failed ones included, in seconds.",
        ("agent",),
        "seconds",
        WORK_BUCKETS,
        (_AGENTS,),
    ),
    MetricSpec(
        "sergas_agent_task_attempts_total",
        "counter",
        "Tasks that an agent started, each retry counted again.",
        ("agent",),
        used_by=(_AGENTS, _BUSINESS, _SLOS, "alerts: agents"),
    ),
    MetricSpec(
        "sergas_agent_task_retries_total",
        "counter",
        "Attempts of an agent at a task that had failed before.",
        ("agent",),
        used_by=(_AGENTS,),
    ),
    MetricSpec(
        "sergas_agent_task_failures_total",
        "counter",
        "Tasks of an agent that ended in an error, by class of error.",
        ("agent", "error_type"),
        used_by=(_AGENTS, _ERRORS, _SLOS, "alerts: agents"),
    ),
    MetricSpec(
        "sergas_agent_queue_size",
        "gauge",
        "Tasks that wait for an agent.",
        ("agent",),
        used_by=(_AGENTS, "alerts: agents"),
    ),
    MetricSpec(
        "sergas_agent_concurrent_tasks",
        "gauge",
        "Tasks that an agent works on at this moment.",
        ("agent",),
        used_by=(_AGENTS,),
    ),
)

_BUSINESS_METRICS = (
    MetricSpec(
        "sergas_recommendations_generated_total",
        "counter",
        "Recommendations generated, by type.",
        ("type",),
        used_by=(_SYSTEM, _BUSINESS, "alerts: business metrics"),
    ),
    MetricSpec(
        "sergas_recommendations_accepted_total",
        "counter",
        "Recommendations that an account manager accepted, by type.",
        ("type",),
        used_by=(_BUSINESS,),
    ),
    MetricSpec(
        "sergas_recommendation_confidence_score",
        "histogram",
        "Confidence of a generated recommendation, from 0 to 1, by type.",
        ("type",),
        "ratio",
        SCORE_BUCKETS,
        (_BUSINESS,),
    ),
    MetricSpec(
        "sergas_accounts_active_total",
        "gauge",
        "Accounts that are active.",
        used_by=(_SYSTEM, _BUSINESS),
        across="latest",
    ),
    MetricSpec(
        "sergas_cross_sell_opportunities_identified_total",
        "counter",
        "Cross-sell opportunities identified, by category.",
        ("category",),
        used_by=(_BUSINESS,),
    ),
    MetricSpec(
        "sergas_upsell_opportunities_identified_total",
        "counter",
        "Upsell opportunities identified, by category.",
        ("category",),
        used_by=(_BUSINESS,),
    ),
    MetricSpec(
        "sergas_recommendations_rejected_total",
        "counter",
        "Recommendations that an account manager rejected, by type and reason.",
        ("type", "reason"),
        used_by=(_BUSINESS,),
    ),
    MetricSpec(
        "sergas_recommendation_generation_duration_seconds",
        "histogram",
        "Time to generate a recommendation, by type, in seconds.",
        ("type",),
        "seconds",
        WORK_BUCKETS,
        (_BUSINESS,),
    ),
    MetricSpec(
        "sergas_account_processing_duration_seconds",
        "histogram",
        "Time to process one account from its data to its recommendations, by outcome, in seconds.",
        ("status",),
        "seconds",
        WORK_BUCKETS,
        (_SYNC, _BUSINESS),
    ),
    MetricSpec(
        "sergas_account_enrichment_duration_seconds",
        "histogram",
        "Time to enrich one account with data from a source, in seconds.",
        ("source",),
        "seconds",
        WORK_BUCKETS,
        (_BUSINESS,),
    ),
)

_CACHE = (
    MetricSpec("sergas_cache_hits_total", "counter", "Look-ups that a cache answered.", ("cache",), used_by=(_SYSTEM,)),
    MetricSpec(
        "sergas_cache_misses_total",
        "counter",
        "Look-ups that a cache could not answer.",
        ("cache",),
        used_by=(_SYSTEM,),
    ),
    MetricSpec(
        "sergas_cache_operation_duration_seconds",
        "histogram",
        "Duration of one operation of a cache, in seconds.",
        ("cache", "operation"),
        "seconds",
        CACHE_BUCKETS,
        (_SYSTEM,),
    ),
)

_DATABASE = (
    MetricSpec(
        "sergas_database_query_duration_seconds",
        "histogram",
        "Duration of a database query as the application sees it, in seconds.",
        ("operation",),
        "seconds",
        CALL_BUCKETS,
        (_SYSTEM, "alerts: database"),
    ),
    MetricSpec(
        "sergas_database_errors_total",
        "counter",
        "Database errors that reached the application, by class of error.",
        ("error_type",),
        used_by=(_ERRORS,),
    ),
    MetricSpec(
        "sergas_database_pool_connections",
        "gauge",
        "Connections of the application's pool, by state.",
        ("state",),
        used_by=(_SYSTEM, "alerts: database"),
    ),
    MetricSpec(
        "sergas_database_pool_connections_max",
        "gauge",
        "Connections that the application's pool may open at most.",
        used_by=(_SYSTEM, "alerts: database"),
    ),
)

_ERROR_METRICS = (
    MetricSpec(
        "sergas_errors_total",
        "counter",
        "Errors, by severity and class.",
        ("severity", "error_type"),
        used_by=(_ERRORS,),
    ),
    MetricSpec(
        "sergas_unhandled_exceptions_total",
        "counter",
        "Exceptions that left the application unhandled, by class.",
        ("error_type",),
        used_by=(_ERRORS,),
    ),
)

_LIBRARY = (
    MetricSpec(
        "sergas_metrics_overflow_total",
        "counter",
        "Updates that landed in a metric's overflow series because the metric is at its limit of series.",
        ("metric",),
        used_by=(_MONITORING,),
    ),
    MetricSpec(
        "sergas_metrics_collector_failures_total",
        "counter",
        "Collectors that raised during a scrape, whose metrics that scrape therefore lacks.",
        ("collector",),
        used_by=(_MONITORING,),
    ),
    MetricSpec(
        "sergas_metrics_errors_total",
        "counter",
        "Failures of the instrumentation itself, by where one happened; the application goes on without the record.",
        ("where",),
    ),
    MetricSpec(
        "sergas_metrics_processes",
        "gauge",
        "Processes that live and whose metrics a scrape adds up.",
    ),
    MetricSpec(
        "sergas_metrics_unreadable_files_total",
        "counter",
        "Files in the directory of many processes that a scrape had to leave out because they are damaged or foreign.",
    ),
)

CATALOGUE: Final[tuple[MetricSpec, ...]] = (
    *_HTTP,
    *_ZOHO,
    *_MEMORY,
    *_AGENT,
    *_BUSINESS_METRICS,
    *_CACHE,
    *_DATABASE,
    *_ERROR_METRICS,
    *_LIBRARY,
)
"""All metrics, grouped by domain. Names in it are never changed, and labels never removed, within a major version."""
