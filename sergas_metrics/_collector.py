"""The collector: all metrics of an application behind one object."""

from __future__ import annotations

from prometheus_client import REGISTRY, CollectorRegistry

from ._store import store_of
from .domains import (
    AgentMetrics,
    BusinessMetrics,
    CacheMetrics,
    DatabaseMetrics,
    ErrorMetrics,
    HTTPMetrics,
    MemoryMetrics,
    ZohoMetrics,
)


class MetricsCollector:
    """Records every Sergas metric, grouped by the part of the application that it describes.

    Make as many as you like. Collectors of one registry write to the same series; a registry of its own keeps a
    collector's series apart, as in a test.

    Args:
        registry: A registry of prometheus-client; its default registry when left out.
        max_series: How many series each metric may have. Label values beyond it are counted together in a series whose
            labels all say ``overflow``, and ``sergas_metrics_overflow_total{metric}`` counts each such update.
        exemplars: Whether histograms keep, for each bucket, the ids of the last sampled trace of OpenTelemetry that
            observed a value in it. OpenMetrics output shows them. An update takes a few times as long with it.

    Attributes:
        registry: The registry that holds the metrics.
        http: Requests answered, recorded by ``instrument``.
        zoho: Calls to Zoho and synchronised accounts.
        memory: Processed documents and the knowledge graph.
        agent: Tasks and queues of agents.
        business: Recommendations, accounts and opportunities.
        cache: Hits, misses and operations of caches.
        database: Queries, errors and the connection pool.
        errors: Errors by severity, and exceptions that nothing handled.

    Raises:
        ImportError: Exemplars are asked for and OpenTelemetry is not installed.
        ValueError: ``max_series`` is below 1 or differs from that of the registry's other collectors, or the registry
            already holds a metric with one of the names.
    """

    def __init__(
        self, registry: CollectorRegistry | None = None, *, max_series: int = 1000, exemplars: bool = False
    ) -> None:
        if max_series < 1:
            raise ValueError(f"max_series must be 1 or more, not {max_series}")
        self.registry = REGISTRY if registry is None else registry
        store = store_of(self.registry, max_series, exemplars=exemplars)
        self.http = HTTPMetrics(store)
        self.zoho = ZohoMetrics(store)
        self.memory = MemoryMetrics(store)
        self.agent = AgentMetrics(store)
        self.business = BusinessMetrics(store)
        self.cache = CacheMetrics(store)
        self.database = DatabaseMetrics(store)
        self.errors = ErrorMetrics(store)
