"""The operator's own metrics."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, PlatformCollector, ProcessCollector

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)

RECONCILES = Counter(
    "sergas_operator_reconcile_total",
    "Reconciles of a SergasMonitoring, by result.",
    ["result"],
    registry=REGISTRY,
)
RECONCILE_SECONDS = Histogram(
    "sergas_operator_reconcile_duration_seconds",
    "Duration of one reconcile of a SergasMonitoring, in seconds.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=REGISTRY,
)
ERRORS = Counter(
    "sergas_operator_reconcile_errors_total",
    "Failed reconciles, by reason.",
    ["reason"],
    registry=REGISTRY,
)
QUEUE_DEPTH = Gauge(
    "sergas_operator_queue_depth",
    "SergasMonitorings whose reconcile is due and has not begun.",
    registry=REGISTRY,
)
WRITES = Counter(
    "sergas_operator_api_writes_total",
    "Writes to the API server, by kind and verb.",
    ["kind", "verb"],
    registry=REGISTRY,
)
MONITORINGS = Gauge(
    "sergas_operator_monitorings",
    "SergasMonitorings that the operator serves.",
    registry=REGISTRY,
)
LAST_SUCCESS = Gauge(
    "sergas_operator_last_successful_reconcile_timestamp_seconds",
    "Unix time of the last successful reconcile of any SergasMonitoring.",
    registry=REGISTRY,
)
WATCH_EVENTS = Counter(
    "sergas_operator_watch_events_total",
    "Events received through watches, by kind.",
    ["kind"],
    registry=REGISTRY,
)

for _result in ("success", "error"):
    RECONCILES.labels(_result)
