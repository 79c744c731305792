"""All families of one registry."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Lock
from weakref import WeakKeyDictionary

from prometheus_client import CollectorRegistry
from prometheus_client.registry import Collector

from ._exemplars import opentelemetry_trace
from ._families import Counter, Gauge, Histogram
from .catalogue import CATALOGUE, MetricSpec

_OVERFLOW_COUNTER = "sergas_metrics_overflow_total"


class Store:
    """The catalogue's metrics as families, registered with one registry.

    Args:
        registry: Where the families are registered.
        max_series: The limit of series of each metric.
        exemplars: Whether histograms keep the ids of traces.
    """

    def __init__(self, registry: CollectorRegistry, max_series: int, *, exemplars: bool = False) -> None:
        self.max_series = max_series
        self.exemplars = exemplars
        self._trace = opentelemetry_trace() if exemplars else None
        specs = {spec.name: spec for spec in CATALOGUE}
        self._overflow = Counter(specs.pop(_OVERFLOW_COUNTER))
        self.counters = {_OVERFLOW_COUNTER: self._overflow}
        self.gauges: dict[str, Gauge] = {}
        self.histograms: dict[str, Histogram] = {}
        for spec in specs.values():
            self._build(spec)
        self._register(registry)

    def _build(self, spec: MetricSpec) -> None:
        match spec.kind:
            case "counter":
                self.counters[spec.name] = Counter(spec, max_series=self.max_series, on_overflow=self._count_overflow)
            case "gauge":
                self.gauges[spec.name] = Gauge(spec, max_series=self.max_series, on_overflow=self._count_overflow)
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


def store_of(registry: CollectorRegistry, max_series: int, *, exemplars: bool = False) -> Store:
    """The one store of a registry, so that collectors which share a registry share their series.

    Raises:
        ImportError: Exemplars are asked for and OpenTelemetry is not installed.
        ValueError: The registry's store has another limit or other exemplars, or the registry holds a metric with one
            of our names.
    """
    with _stores_lock:
        store = _stores.get(registry)
        if store is None:
            store = _stores[registry] = Store(registry, max_series, exemplars=exemplars)
    if store.max_series != max_series:
        raise ValueError(
            f"this registry's Sergas metrics were made with max_series={store.max_series}, not {max_series}: use "
            "the same limit, or give MetricsCollector a registry of its own"
        )
    if store.exemplars != exemplars:
        raise ValueError(
            f"this registry's Sergas metrics were made with exemplars={store.exemplars}, not {exemplars}: use the "
            "same, or give MetricsCollector a registry of its own"
        )
    return store
