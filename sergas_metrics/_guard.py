"""A registry as a scrape sees it: a collector that raises costs its own metrics and nothing else."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.registry import Collector

_log = logging.getLogger("sergas_metrics")

_FAILURES = "sergas_metrics_collector_failures_total"


class GuardedRegistry:
    """Collects from a registry's collectors one by one.

    A collector that raises is logged and counted in ``sergas_metrics_collector_failures_total{collector}``, if the
    registry holds that metric. The count shows in the next scrape.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        """The metrics of every collector that can give them."""
        for collector in self._collectors():
            yield from self._from(collector)

    def restricted_registry(self, names: Iterable[str]) -> Collector:
        """The metrics with the given names alone."""
        return self._registry.restricted_registry(names)

    def _collectors(self) -> list[Collector]:
        registry = self._registry
        info = registry.get_target_info()
        # prometheus-client offers no public way to collect one by one.
        with registry._lock:
            collectors = list(registry._collector_to_names)
        return [_TargetInfo(info), *collectors] if info else collectors

    def _from(self, collector: Collector) -> list[Metric]:
        try:
            return list(collector.collect())
        except Exception:
            name = type(collector).__name__
            _log.exception("collector %s failed; this scrape lacks its metrics", name)
            self._count(name)
            return []

    def _count(self, collector: str) -> None:
        counter = self._registry._names_to_collectors.get(_FAILURES)
        if counter is not None:
            counter.labels(collector).inc()  # type: ignore[attr-defined]  # the name is ours: it is a Counter


class _TargetInfo:
    def __init__(self, labels: dict[str, str]) -> None:
        self._labels = labels

    def collect(self) -> list[Metric]:
        metric = Metric("target", "Target metadata", "info")
        metric.add_sample("target_info", self._labels, 1)
        return [metric]
