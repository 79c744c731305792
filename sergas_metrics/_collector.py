"""The collector: all metrics of an application behind one object."""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike, fspath
from pathlib import Path
from typing import cast

from prometheus_client import REGISTRY, CollectorRegistry

from ._declare import DEFAULT_BUCKETS, declared
from ._families import Counter, Gauge, Histogram
from ._store import Settings, store_of
from .catalogue import Across
from .domains.agent import AgentMetrics
from .domains.business import BusinessMetrics
from .domains.cache import CacheMetrics
from .domains.database import DatabaseMetrics
from .domains.errors import ErrorMetrics
from .domains.http import HTTPMetrics
from .domains.memory import MemoryMetrics
from .domains.zoho import ZohoMetrics


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
        ValueError: ``max_series`` is below 1, ``directory`` is empty, a setting differs from that of the registry's
            other collectors, the registry already holds a metric with one of the names, or another registry of this
            process has the directory.
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
        if directory is not None and not fspath(directory):
            raise ValueError("directory is empty: give a path, or None for one process")
        place = None if directory is None else Path(directory).absolute()
        self._store = store = store_of(self.registry, Settings(max_series, exemplars, place))
        self.http = HTTPMetrics(store)
        self.zoho = ZohoMetrics(store)
        self.memory = MemoryMetrics(store)
        self.agent = AgentMetrics(store)
        self.business = BusinessMetrics(store)
        self.cache = CacheMetrics(store)
        self.database = DatabaseMetrics(store)
        self.errors = ErrorMetrics(store)

    def counter(self, name: str, help: str, *, labels: Iterable[str] = (), unit: str = "") -> Counter:
        """A counter of the application's own. The same declaration again gives the same counter.

        Args:
            name: Its name, which ends in ``_total``, such as ``orders_total``.
            help: One sentence, shown by Prometheus beside the name.
            labels: Names of its labels, in the order in which values are given.
            unit: Its unit, with which the name ends before ``_total``; empty for a plain count.

        Raises:
            ValueError: The name, a label or the unit is none that Prometheus takes, or the name is taken.
        """
        return cast("Counter", self._store.own(self.registry, declared("counter", name, help, labels, unit)))

    def gauge(
        self, name: str, help: str, *, labels: Iterable[str] = (), unit: str = "", across: Across = "sum"
    ) -> Gauge:
        """A gauge of the application's own. The same declaration again gives the same gauge.

        Args:
            name: Its name, such as ``queue_size``.
            help: One sentence, shown by Prometheus beside the name.
            labels: Names of its labels, in the order in which values are given.
            unit: Its unit, with which the name ends.
            across: How the values of several processes become one: the ``sum`` of those that live, the ``max``, or the
                one set ``latest``.

        Raises:
            ValueError: The name, a label, the unit or ``across`` is none that there is, or the name is taken.
        """
        spec = declared("gauge", name, help, labels, unit, across=across)
        return cast("Gauge", self._store.own(self.registry, spec))

    def histogram(
        self,
        name: str,
        help: str,
        *,
        labels: Iterable[str] = (),
        unit: str = "",
        buckets: Iterable[float] = DEFAULT_BUCKETS,
    ) -> Histogram:
        """A histogram of the application's own. The same declaration again gives the same histogram.

        Args:
            name: Its name, such as ``order_duration_seconds``.
            help: One sentence, shown by Prometheus beside the name.
            labels: Names of its labels, in the order in which values are given.
            unit: Its unit, with which the name ends.
            buckets: Upper bounds in its unit, rising; ``+Inf`` is added. From 5 ms to 10 s when left out.

        Raises:
            ValueError: The name, a label, the unit or the buckets are none that Prometheus takes, or the name is taken.
        """
        spec = declared("histogram", name, help, labels, unit, buckets=buckets)
        return cast("Histogram", self._store.own(self.registry, spec))

    def publish(self) -> None:
        """Share what this process has recorded with the others, now and every second from now on.

        ``instrument`` and ``serve`` do so by themselves; call it in a process that does neither, such as a worker of a
        pool, and again just before it ends. Nothing happens without a ``directory``.
        """
        if self._store.publisher is not None:
            self._store.publisher.start()
            self._store.publisher.publish()
