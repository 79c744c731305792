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
        self._operations = self.operation_duration.known

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
            cell = self._hits[cache]
        except KeyError:
            cell = self.hits.labels(cache)
        cell.inc()

    def record_miss(self, cache: str) -> None:
        """Count a look-up that the cache could not answer."""
        try:
            cell = self._misses[cache]
        except KeyError:
            cell = self.misses.labels(cache)
        cell.inc()

    def record_operation(self, cache: str, operation: str, seconds: float) -> None:
        """Observe how long an operation took, in seconds."""
        try:
            cell = self._operations[cache, operation]
        except KeyError:
            cell = self.operation_duration.labels(cache, operation)
        cell.observe(seconds)
