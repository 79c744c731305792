"""Caches."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from .._store import Store


class CacheMetrics:
    """Metrics of caches.

    Attributes:
        hits: ``sergas_cache_hits_total{cache}``.
        misses: ``sergas_cache_misses_total{cache}``.
        operation_duration: ``sergas_cache_operation_duration_seconds{cache, operation}``.
    """

    def __init__(self, store: Store) -> None:
        self.hits = store.counters["sergas_cache_hits_total"]
        self.misses = store.counters["sergas_cache_misses_total"]
        self.operation_duration = store.histograms["sergas_cache_operation_duration_seconds"]
        self._hits = self.hits.known
        self._misses = self.misses.known
        self._operations = self.operation_duration.nested()

    @contextmanager
    def operation(self, cache: str, operation: str) -> Iterator[None]:
        """Time an operation such as ``get``, ``set`` or ``delete``, also when it raises."""
        start = perf_counter()
        try:
            yield
        finally:
            self.record_operation(cache, operation, perf_counter() - start)

    def record_hit(self, cache: str) -> None:
        """Count a look-up that the cache answered."""
        try:
            self._hits[cache].inc()
        except KeyError:
            self.hits.labels(cache).inc()

    def record_miss(self, cache: str) -> None:
        """Count a look-up that the cache could not answer."""
        try:
            self._misses[cache].inc()
        except KeyError:
            self.misses.labels(cache).inc()

    def record_operation(self, cache: str, operation: str, seconds: float) -> None:
        """Observe how long an operation took, in seconds."""
        try:
            self._operations[cache][operation].observe(seconds)
        except KeyError:
            self.operation_duration.labels(cache, operation).observe(seconds)
