"""What the operator tells about itself at /metrics."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, PlatformCollector, ProcessCollector

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)

RECONCILES = Counter(
    "sergas_operator_reconcile_total",
    "Passes over a SergasMonitoring, by result.",
    ["result"],
    registry=REGISTRY,
)
RECONCILE_SECONDS = Histogram(
    "sergas_operator_reconcile_duration_seconds",
    "Seconds one pass over a SergasMonitoring took.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=REGISTRY,
)
ERRORS = Counter(
    "sergas_operator_reconcile_errors_total",
    "Passes that failed, by reason.",
    ["reason"],
    registry=REGISTRY,
)
QUEUE_DEPTH = Gauge(
    "sergas_operator_queue_depth",
    "SergasMonitorings that wait for a pass and are due.",
    registry=REGISTRY,
)
WRITES = Counter(
    "sergas_operator_api_writes_total",
    "Writes to the API server, by kind and verb. A dry run is none.",
    ["kind", "verb"],
    registry=REGISTRY,
)
MONITORINGS = Gauge(
    "sergas_operator_monitorings",
    "SergasMonitorings known to the operator.",
    registry=REGISTRY,
)
LAST_SUCCESS = Gauge(
    "sergas_operator_last_successful_reconcile_timestamp_seconds",
    "Unix time of the last pass over any SergasMonitoring that succeeded.",
    registry=REGISTRY,
)
WATCH_EVENTS = Counter(
    "sergas_operator_watch_events_total",
    "Events that arrived through watches, by kind.",
    ["kind"],
    registry=REGISTRY,
)

for _result in ("success", "error"):
    RECONCILES.labels(_result)
