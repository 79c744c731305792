"""A registry as a scrape sees it: a collector that raises costs its own metrics and nothing else."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import Any

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.registry import Collector

from ._family import Family
from ._formats import Format
from ._store import publisher_of

_log = logging.getLogger("sergas_metrics")

_FAILURES = "sergas_metrics_collector_failures_total"


class GuardedRegistry:
    """Asks a registry's collectors one by one.

    A collector that raises is logged and counted in ``sergas_metrics_collector_failures_total{collector}``, if the
    registry holds that metric. The count shows in the next scrape.

    Args:
        registry: The registry.
        names: Names of metrics or samples; if there are any, only samples of these are given.
    """

    def __init__(self, registry: CollectorRegistry, names: tuple[str, ...] = ()) -> None:
        self._registry = registry
        self._names = set(names)

    def restricted_registry(self, names: Iterable[str]) -> GuardedRegistry:
        """The same registry, with the metrics of the given names alone."""
        return GuardedRegistry(self._registry, tuple(names))

    def collect(self) -> Iterator[Metric]:
        """The metrics of every collector that can give them."""
        for collector in self._collectors():
            try:
                yield from self._metrics_of(collector)
            except Exception:
                self._failed(collector)

    def pieces(self, format_: Format) -> Iterator[bytes]:
        """The metrics of every collector that can give them, as text."""
        for collector in self._collectors():
            try:
                yield from self._text_of(collector, format_)
            except Exception:
                self._failed(collector)
        yield format_.end

    def _text_of(self, collector: Collector, format_: Format) -> Iterator[bytes]:
        if isinstance(collector, Family) and collector.has_quick_text(format_) and not self._names:
            for piece in collector.pieces(format_):
                yield piece.encode()
        else:
            yield format_.foreign(_Collected(self._metrics_of(collector)))

    def _metrics_of(self, collector: Collector) -> list[Metric]:
        metrics = list(collector.collect())
        if not self._names:
            return metrics
        found = [metric._restricted_metric(self._names) for metric in metrics]  # type: ignore[no-untyped-call]  # theirs
        return [metric for metric in found if metric]

    def _collectors(self) -> list[Collector]:
        registry = self._registry
        info = registry.get_target_info()
        # prometheus-client offers no public way to collect one by one.
        with registry._lock:
            known = list(registry._collector_to_names.items())
        publisher = publisher_of(registry)
        if publisher is not None:
            known = publisher.of_all_processes(known)
        if info:
            known.insert(0, (_TargetInfo(info), ["target_info"]))
        # A collector that does not say its names may have any.
        return [collector for collector, names in known if not self._names or not names or self._names & set(names)]

    def _failed(self, collector: Collector) -> None:
        name = type(collector).__name__
        _log.exception("collector %s failed; this scrape lacks its metrics", name)
        counter: Any = self._registry._names_to_collectors.get(_FAILURES)
        if counter is not None:
            counter.labels(name).inc()


class _Collected:
    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> list[Metric]:
        return self._metrics


class _TargetInfo:
    def __init__(self, labels: dict[str, str]) -> None:
        self._labels = labels

    def collect(self) -> list[Metric]:
        metric = Metric("target", "Target metadata", "info")
        metric.add_sample("target_info", self._labels, 1)
        return [metric]
