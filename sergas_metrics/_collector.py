"""The collector: all metrics of an application behind one object."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

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
        exemplars: Whether counters keep the ids of the last sampled trace of OpenTelemetry that raised them, and
            histograms those of the last that observed a value, for each bucket. OpenMetrics output shows them. An
            update takes a few times as long with it.
        directory: Where the processes of one application, such as the workers of uvicorn or gunicorn, share what they
            record, so that any of them serves the metrics of all. Leave it out for one process, the best choice in a
            pod. Best on a file system in memory, and for this application alone.

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
        OSError: The directory cannot be made, or this system has no POSIX file locks.
        ValueError: ``max_series`` is below 1, a setting differs from that of the registry's other collectors, the
            registry already holds a metric with one of the names, or another registry of this process has the
            directory.
    """

    def __init__(
        self,
        registry: CollectorRegistry | None = None,
        *,
        max_series: int = 1000,
        exemplars: bool = False,
        directory: str | PathLike[str] | None = None,
    ) -> None:
        if max_series < 1:
            raise ValueError(f"max_series must be 1 or more, not {max_series}")
        self.registry = REGISTRY if registry is None else registry
        place = None if directory is None else Path(directory).absolute()
        store = store_of(self.registry, max_series, exemplars=exemplars, directory=place)
        self.http = HTTPMetrics(store)
        self.zoho = ZohoMetrics(store)
        self.memory = MemoryMetrics(store)
        self.agent = AgentMetrics(store)
        self.business = BusinessMetrics(store)
        self.cache = CacheMetrics(store)
        self.database = DatabaseMetrics(store)
        self.errors = ErrorMetrics(store)
        self._publisher = store.publisher

    def publish(self) -> None:
        """Share what this process has recorded with the others, now and every second from now on.

        ``instrument`` and ``serve`` do so by themselves; call it in a process that does neither, such as a worker of a
        pool, and again just before it ends. Nothing happens without a ``directory``.
        """
        if self._publisher is not None:
            self._publisher.start()
            self._publisher.publish()
