"""All families of one registry."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from weakref import WeakKeyDictionary

from prometheus_client import CollectorRegistry
from prometheus_client.registry import Collector

from ._exemplars import opentelemetry_trace
from ._families import Counter, Gauge, Histogram
from ._processes import Publisher
from .catalogue import CATALOGUE, MetricSpec

_OVERFLOW_COUNTER = "sergas_metrics_overflow_total"


class Store:
    """The catalogue's metrics as families, registered with one registry.

    Args:
        registry: Where the families are registered.
        max_series: The limit of series of each metric.
        exemplars: Whether counters and histograms keep the ids of traces.
        directory: Where several processes share what they record; ``None`` for one process.

    Attributes:
        publisher: Shares what this process records with others, where there are others.
    """

    def __init__(
        self, registry: CollectorRegistry, max_series: int, *, exemplars: bool = False, directory: Path | None = None
    ) -> None:
        self.max_series = max_series
        self.exemplars = exemplars
        self.directory = directory
        self._trace = opentelemetry_trace() if exemplars else None
        specs = {spec.name: spec for spec in CATALOGUE}
        self._overflow = Counter(specs.pop(_OVERFLOW_COUNTER))
        self.counters = {_OVERFLOW_COUNTER: self._overflow}
        self.gauges: dict[str, Gauge] = {}
        self.histograms: dict[str, Histogram] = {}
        for spec in specs.values():
            self._build(spec)
        self._register(registry)
        self.gauges["sergas_metrics_processes"].set(0 if directory else 1)
        self.publisher = self._publisher(registry, directory) if directory else None

    def _publisher(self, registry: CollectorRegistry, directory: Path) -> Publisher:
        return Publisher(
            registry,
            directory,
            self.max_series,
            processes=self.gauges["sergas_metrics_processes"],
            unreadable=self.counters["sergas_metrics_unreadable_files_total"],
        )

    def _build(self, spec: MetricSpec) -> None:
        match spec.kind:
            case "counter":
                self.counters[spec.name] = Counter(
                    spec, max_series=self.max_series, on_overflow=self._count_overflow, trace=self._trace
                )
            case "gauge":
                self.gauges[spec.name] = Gauge(
                    spec,
                    max_series=self.max_series,
                    on_overflow=self._count_overflow,
                    stamped=self.directory is not None and spec.across == "latest",
                )
            case "histogram":
                self.histograms[spec.name] = Histogram(
                    spec, max_series=self.max_series, on_overflow=self._count_overflow, trace=self._trace
                )

    def _count_overflow(self, metric: str) -> None:
        self._overflow.labels(metric).inc()

    def _in_order(self) -> Iterator[Collector]:
        families: dict[str, Collector] = {**self.counters, **self.gauges, **self.histograms}
        return (families[spec.name] for spec in CATALOGUE)

    def _register(self, registry: CollectorRegistry) -> None:
        done: list[Collector] = []
        try:
            for family in self._in_order():
                registry.register(family)
                done.append(family)
        except ValueError as error:
            for family in done:
                registry.unregister(family)
            raise ValueError(
                f"cannot register the Sergas metrics: {error}. Rename the application's own metric, or give "
                "MetricsCollector a registry of its own: MetricsCollector(CollectorRegistry())"
            ) from error


_stores: WeakKeyDictionary[CollectorRegistry, Store] = WeakKeyDictionary()
_stores_lock = Lock()


def store_of(
    registry: CollectorRegistry, max_series: int, *, exemplars: bool = False, directory: Path | None = None
) -> Store:
    """The one store of a registry, so that collectors which share a registry share their series.

    Raises:
        ImportError: Exemplars are asked for and OpenTelemetry is not installed.
        OSError: The directory cannot be made, or this system has no file locks.
        ValueError: The registry's store was made with other settings, the registry holds a metric with one of our
            names, or another registry of this process has the directory.
    """
    with _stores_lock:
        store = _stores.get(registry)
        if store is None:
            store = _stores[registry] = Store(registry, max_series, exemplars=exemplars, directory=directory)
    _agree("max_series", store.max_series, max_series, "the same limit")
    _agree("exemplars", store.exemplars, exemplars, "the same")
    _agree("directory", store.directory, directory, "the same")
    return store


def publisher_of(registry: CollectorRegistry) -> Publisher | None:
    """What shares a registry's metrics between processes, if they are shared."""
    store = _stores.get(registry)
    return store.publisher if store else None


def _agree(setting: str, made: object, asked: object, advice: str) -> None:
    if made != asked:
        raise ValueError(
            f"this registry's Sergas metrics were made with {setting}={made}, not {asked}: use {advice}, or give "
            "MetricsCollector a registry of its own"
        )
