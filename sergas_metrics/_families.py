"""Counters, gauges and histograms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import accumulate
from math import inf, nextafter
from time import monotonic
from typing import Any

from prometheus_client import Metric

from ._boundary import guarded
from ._cells import (
    GIL_ENABLED,
    CounterCell,
    Counting,
    GaugeCell,
    Gauging,
    HistogramCell,
    Observing,
    noted,
    quick_histogram,
)
from ._exemplars import Trace, exemplar_note
from ._family import Cell, Family, Series, Values
from ._text import PLAIN_BELOW, Format, HistogramLabels, histogram_labels, histogram_writer, number, series_head
from .catalogue import MetricSpec


class TracedFamily(Family[Cell]):
    """A metric whose series may keep the ids of the last trace that changed them.

    Args:
        spec: What the metric is.
        max_series: How many combinations of label values get a series of their own.
        on_overflow: Called with the metric's name for each update that lands in the overflow series.
        trace: Gives the ids of the trace under way, for exemplars; none are kept when left out.
    """

    def __init__(
        self,
        spec: MetricSpec,
        *,
        max_series: int = 1000,
        on_overflow: Callable[[str], None] | None = None,
        trace: Trace | None = None,
    ) -> None:
        self.trace = trace
        self._note = None if trace is None else exemplar_note(trace)
        super().__init__(spec, max_series=max_series, on_overflow=on_overflow)

    def has_quick_text(self, format_: Format) -> bool:
        """Whether ``pieces`` can write the metric as the format wants it: exemplars are left to prometheus-client."""
        return super().has_quick_text(format_) and not (format_.openmetrics and self.trace is not None)

    def take_exemplars(self, other: TracedFamily[Cell]) -> None:
        """Have the exemplars of another process's or registry's series."""
        if self.trace is not None:
            for values, cell in other.series():
                own: Any = self.labels(*values)
                own.extra = exemplars_of(cell)


def exemplars_of(cell: object) -> dict[int, Any]:
    """The exemplar of each bucket that has one; of a counter that of bucket 0."""
    return getattr(cell, "extra", None) or {}


class Counter(TracedFamily[CounterCell], Counting):
    """A metric that only rises. ``labels(...)`` gives a series with ``inc(amount)``."""

    def inc(self, amount: float = 1.0) -> None:
        """Raise a metric that has no labels."""
        self.labels().inc(amount)

    @property
    def width(self) -> int:
        """One number: the count."""
        return 1

    def numbers(self, series: Series[CounterCell]) -> Iterable[float]:
        """The counts."""
        return [cell.value for _, cell in series]

    def fill(self, values: Values, numbers: Sequence[float]) -> None:
        """Give a series its count."""
        self.labels(*values).value = numbers[0]

    def _new_cell(self) -> CounterCell:
        return CounterCell() if GIL_ENABLED and self._note is None else noted(CounterCell, self._note)()

    def _text(self, series: Series[CounterCell]) -> str:
        return _plain_text(self.spec, series)

    def _add_samples(self, metric: Metric, labels: dict[str, str], cell: CounterCell) -> None:
        metric.add_sample(self.spec.name, labels, cell.value, exemplar=exemplars_of(cell).get(0))


class Gauge(Family[GaugeCell], Gauging):
    """A metric that goes up and down. ``labels(...)`` gives a series with ``set``, ``inc`` and ``dec``.

    Args:
        spec: What the metric is.
        max_series: How many combinations of label values get a series of their own.
        on_overflow: Called with the metric's name for each update that lands in the overflow series.
        stamped: Whether each series knows when it was set: so that of several processes the latest counts.
    """

    def __init__(
        self,
        spec: MetricSpec,
        *,
        max_series: int = 1000,
        on_overflow: Callable[[str], None] | None = None,
        stamped: bool = False,
    ) -> None:
        self._note = _stamp if stamped and spec.across == "latest" else None
        super().__init__(spec, max_series=max_series, on_overflow=on_overflow)

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

    @property
    def width(self) -> int:
        """The level, and of metrics whose latest value counts when it was set."""
        return 2 if self.spec.across == "latest" else 1

    def numbers(self, series: Series[GaugeCell]) -> Iterable[float]:
        """The levels, each with the moment it was set where that counts."""
        if self.width == 1:
            return [cell.value for _, cell in series]
        return [n for _, cell in series for n in (cell.value, getattr(cell, "extra", None) or 0.0)]

    def fill(self, values: Values, numbers: Sequence[float]) -> None:
        """Give a series its level."""
        self.labels(*values).value = numbers[0]

    def _new_cell(self) -> GaugeCell:
        return GaugeCell() if GIL_ENABLED and self._note is None else noted(GaugeCell, self._note)()

    def _text(self, series: Series[GaugeCell]) -> str:
        return _plain_text(self.spec, series)

    def _add_samples(self, metric: Metric, labels: dict[str, str], cell: GaugeCell) -> None:
        metric.add_sample(self.spec.name, labels, cell.value)


def _stamp(cell: Any, _: float) -> None:
    """Note when a gauge was set last."""
    cell.extra = monotonic()


class Histogram(TracedFamily[HistogramCell], Observing):
    """A metric of a distribution. ``labels(...)`` gives a series with ``observe(value)``, in the metric's unit.

    As in prometheus-client, a histogram whose first bound is negative has no sum: one that falls looks like a restart.
    """

    def __init__(
        self,
        spec: MetricSpec,
        *,
        max_series: int = 1000,
        on_overflow: Callable[[str], None] | None = None,
        trace: Trace | None = None,
    ) -> None:
        self._search_bounds = search_bounds(spec.buckets)
        self._bounds = [*(number(float(bound)) for bound in spec.buckets), "+Inf"]
        self._sums = spec.buckets[:1] >= (0,)
        writer = partial(histogram_writer, spec.name, spec.labels, tuple(self._bounds), with_sum=self._sums)
        self._write, self._write_any = writer(quick=True), writer(quick=False)
        super().__init__(spec, max_series=max_series, on_overflow=on_overflow, trace=trace)

    def observe(self, value: float) -> None:
        """Observe a value of a metric that has no labels."""
        self.labels().observe(value)

    @property
    def width(self) -> int:
        """The counts of all buckets, each on its own, and the sum."""
        return len(self.spec.buckets) + 2

    def numbers(self, series: Series[HistogramCell]) -> Iterable[float]:
        """The counts of each series' buckets and its sum."""
        numbers: list[float] = []
        for _, cell in series:
            counts, total = cell.snapshot()
            numbers += counts
            numbers.append(total)
        return numbers

    def fill(self, values: Values, numbers: Sequence[float]) -> None:
        """Give a series the counts of its buckets and its sum."""
        cell = self.labels(*values)
        cell.counts = [*map(int, numbers[:-1])]
        cell.total = numbers[-1]

    def _new_cell(self) -> HistogramCell:
        quick = GIL_ENABLED and self._note is None
        cell = quick_histogram(self._search_bounds) if quick else noted(HistogramCell, self._note)
        return cell(self._search_bounds)

    def _text(self, series: Series[HistogramCell]) -> str:
        parts: list[str] = []
        write = self._write
        for values, cell in series:
            labels = cell.text or self._prepared(values, cell)
            # Adding up a list is whole under the GIL: no copy is needed.
            counts, total = (cell.counts, cell.total) if GIL_ENABLED else cell.snapshot()
            text = repr(total) if -inf < total < PLAIN_BELOW else number(total)
            try:
                parts += write(labels, counts, text)
            except IndexError:
                parts += self._write_any(labels, counts, text)
        return "".join(parts)

    def _prepared(self, values: Values, cell: HistogramCell) -> HistogramLabels:
        cell.text = histogram_labels(self._named(values))
        return cell.text

    def _add_samples(self, metric: Metric, labels: dict[str, str], cell: HistogramCell) -> None:
        name = self.spec.name
        counts, total = cell.snapshot()
        exemplars = exemplars_of(cell)
        for bucket, (bound, count) in enumerate(zip(self._bounds, accumulate(counts), strict=True)):
            metric.add_sample(f"{name}_bucket", {**labels, "le": bound}, count, exemplar=exemplars.get(bucket))
        metric.add_sample(f"{name}_count", labels, sum(counts))
        if self._sums:
            metric.add_sample(f"{name}_sum", labels, total)


def _plain_text(spec: MetricSpec, series: Series[CounterCell] | Series[GaugeCell]) -> str:
    return "".join(
        [
            f"{text}{value!r}\n"
            if (text := cell.text) and -inf < (value := cell.value) < PLAIN_BELOW
            else _line(spec, values, cell)
            for values, cell in series
        ]
    )


def _line(spec: MetricSpec, values: Values, cell: CounterCell | GaugeCell) -> str:
    if not cell.text:
        cell.text = series_head(spec.name, dict(zip(spec.labels, values, strict=True)))
    return f"{cell.text}{number(cell.value)}\n"


def search_bounds(buckets: tuple[float, ...]) -> tuple[float, ...]:
    """Bounds for ``bisect_right``, each a step above the metric's.

    A value equal to a bound belongs to that bound's bucket, and NaN must fall behind all of them. ``bisect_left`` does
    the first but puts NaN in front; ``bisect_right`` over bounds one step higher does both.
    """
    return tuple(nextafter(bound, inf) for bound in buckets)


def family_of(
    spec: MetricSpec, max_series: int, on_overflow: Callable[[str], None], trace: Trace | None, *, stamped: bool
) -> Counter | Gauge | Histogram:
    """The family of a metric."""
    if spec.kind == "gauge":
        return Gauge(spec, max_series=max_series, on_overflow=on_overflow, stamped=stamped)
    kind = Counter if spec.kind == "counter" else Histogram
    return kind(spec, max_series=max_series, on_overflow=on_overflow, trace=trace)
