"""Counters, gauges and histograms."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from itertools import accumulate
from typing import Any, Final, NamedTuple

from prometheus_client import Metric
from prometheus_client.utils import floatToGoString

from ._boundary import guarded
from ._cells import CounterCell, Counting, GaugeCell, Gauging, HistogramCell, Observing, histogram_cell
from ._family import Family, Series


class Counter(Family[CounterCell], Counting):
    """A metric that only rises. ``labels(...)`` gives a series with ``inc(amount)``."""

    def inc(self, amount: float = 1.0) -> None:
        """Raise a metric that has no labels."""
        self.labels().inc(amount)

    def _cell(self) -> type[CounterCell]:
        return CounterCell

    def _add_samples(self, metric: Metric, labels: dict[str, str], cell: CounterCell) -> None:
        metric.add_sample(self.spec.name, labels, cell.value, exemplar=(cell.extra or {}).get(0))


class Gauge(Family[GaugeCell], Gauging):
    """A metric that goes up and down. ``labels(...)`` gives a series with ``set``, ``inc`` and ``dec``."""

    def set(self, value: float) -> None:
        """Set a metric that has no labels."""
        self.labels().set(value)

    def inc(self, amount: float = 1.0) -> None:
        """Raise a metric that has no labels."""
        self.labels().inc(amount)

    def dec(self, amount: float = 1.0) -> None:
        """Lower a metric that has no labels."""
        self.labels().dec(amount)

    def set_function(self, function: Callable[[], float]) -> None:
        """Ask a function for the value of a metric that has no labels at every scrape, see ``GaugeCell``."""
        self.labels().set_function(function)

    def series(self) -> Series[GaugeCell]:
        """Every cell with its label values, those that have a function as it says now."""
        series = super().series()
        for _, cell in series:
            if cell.function is not None:
                guarded("set_function", cell.refresh)
        return series

    def _cell(self) -> type[GaugeCell]:
        return GaugeCell

    def _add_samples(self, metric: Metric, labels: dict[str, str], cell: GaugeCell) -> None:
        metric.add_sample(self.spec.name, labels, cell.value)


class Histogram(Family[HistogramCell], Observing):
    """A metric of a distribution. ``labels(...)`` gives a series with ``observe(value)``, in the metric's unit."""

    def observe(self, value: float) -> None:
        """Observe a value of a metric that has no labels."""
        self.labels().observe(value)

    @cached_property
    def bounds(self) -> tuple[str, ...]:
        """The values of the label ``le``."""
        return (*map(floatToGoString, self.spec.buckets), "+Inf")

    @property
    def has_sum(self) -> bool:
        """Whether it has a sum. With negative bounds it may fall, which Prometheus would take for a restart."""
        return self.spec.buckets[:1] >= (0,)

    def _cell(self) -> type[HistogramCell]:
        return histogram_cell(self.spec.buckets)

    def _add_samples(self, metric: Metric, labels: dict[str, str], cell: HistogramCell) -> None:
        name = self.spec.name
        counts = [*accumulate(cell.counts.copy())]
        exemplars = cell.extra or {}
        for bucket, (bound, count) in enumerate(zip(self.bounds, counts, strict=True)):
            metric.add_sample(f"{name}_bucket", {**labels, "le": bound}, count, exemplar=exemplars.get(bucket))
        metric.add_sample(f"{name}_count", labels, counts[-1])
        if self.has_sum:
            metric.add_sample(f"{name}_sum", labels, cell.total)


class Collected(NamedTuple):
    """Metrics with the samples of one moment, as prometheus-client's encoders take them from a collector."""

    metrics: list[Metric]

    def collect(self) -> list[Metric]:
        """The metrics."""
        return self.metrics


KINDS: Final[dict[str, type[Any]]] = {"counter": Counter, "gauge": Gauge, "histogram": Histogram}
"""The class of a metric's family by its kind."""
