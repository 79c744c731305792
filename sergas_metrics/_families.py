"""A family is a metric with all its series. It is a collector of prometheus-client's registry."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from itertools import accumulate
from math import inf, nextafter
from threading import Lock
from typing import Generic, TypeVar

from prometheus_client import Metric

from ._cells import CounterCell, GaugeCell, HistogramCell, new_counter, new_gauge, new_histogram
from ._error_types import ErrorTypes
from .catalogue import MetricSpec

OVERFLOW = "overflow"
"""The value of every label of a metric's overflow series."""

Cell = TypeVar("Cell", CounterCell, GaugeCell, HistogramCell)


class Family(ABC, Generic[Cell]):
    """A metric, its label names, and one cell for each combination of label values seen.

    Args:
        spec: The metric's entry in the catalogue.
        max_series: How many combinations get a series of their own. Later ones share the overflow series.
        on_overflow: Called with the metric's name for each update that lands in the overflow series.
    """

    def __init__(
        self, spec: MetricSpec, *, max_series: int = 1000, on_overflow: Callable[[str], None] | None = None
    ) -> None:
        self.spec = spec
        self.max_series = max_series
        self.error_types = ErrorTypes()
        self._on_overflow = on_overflow
        self._overflow: Cell | None = None
        self._cells: dict[tuple[str, ...], Cell] = {}
        self._lock = Lock()
        if not spec.labels:
            self._cells[()] = self._new_cell()

    def labels(self, *values: object, **named: object) -> Cell:
        """The cell of one series, made when first asked for.

        Args:
            *values: Label values in the order of the catalogue. Anything but a ``str`` goes through ``str()``.
            **named: Or label values by name.

        Raises:
            ValueError: The values do not match the metric's labels.
        """
        if named:
            values = self._ordered(values, named)
        try:
            return self._cells[values]  # type: ignore[index]  # a key of other types misses and is converted below
        except (KeyError, TypeError):
            return self._add(tuple(map(str, values)))

    def remove(self, *values: object) -> None:
        """Forget a series, as when an agent is gone for good. Nothing happens when there is none.

        A cell of it that is still held counts on unseen: ask ``labels`` again to bring the series back from zero.
        """
        with self._lock:
            self._cells.pop(tuple(map(str, values)), None)

    def describe(self) -> Iterable[Metric]:
        """The metric without samples: the registry reads names from it."""
        return [self._metric()]

    def collect(self) -> Iterable[Metric]:
        """The metric with a sample for each series."""
        metric = self._metric()
        with self._lock:
            cells = list(self._cells.items())
        if self._overflow is not None:
            cells.append(((OVERFLOW,) * len(self.spec.labels), self._overflow))
        for values, cell in cells:
            self._add_samples(metric, dict(zip(self.spec.labels, values, strict=True)), cell)
        return [metric]

    def _ordered(self, values: tuple[object, ...], named: dict[str, object]) -> tuple[object, ...]:
        if values or named.keys() != set(self.spec.labels):
            raise self._wrong_labels([*map(repr, values), *sorted(named)])
        return tuple(named[name] for name in self.spec.labels)

    def _add(self, values: tuple[str, ...]) -> Cell:
        if len(values) != len(self.spec.labels):
            raise self._wrong_labels([*map(repr, values)])
        with self._lock:
            cell = self._cells.get(values)
            if cell is not None:
                return cell
            if len(self._cells) < self.max_series:
                return self._cells.setdefault(values, self._new_cell())
            if self._overflow is None:
                self._overflow = self._new_cell()
        if self._on_overflow is not None:
            self._on_overflow(self.spec.name)
        return self._overflow

    def _wrong_labels(self, given: list[str]) -> ValueError:
        wanted = ", ".join(self.spec.labels) or "no labels"
        return ValueError(f"{self.spec.name} has the labels ({wanted}), but was given ({', '.join(given)})")

    def _metric(self) -> Metric:
        spec = self.spec
        name = spec.name.removesuffix("_total") if spec.kind == "counter" else spec.name
        unit = spec.unit if spec.unit and name.endswith(f"_{spec.unit}") else ""
        return Metric(name, spec.help, spec.kind, unit)

    @abstractmethod
    def _new_cell(self) -> Cell: ...

    @abstractmethod
    def _add_samples(self, metric: Metric, labels: dict[str, str], cell: Cell) -> None: ...


class Counter(Family[CounterCell]):
    """A metric that only rises. ``labels(...)`` gives a series with ``inc(amount)``."""

    def inc(self, amount: float = 1.0) -> None:
        """Raise a metric that has no labels."""
        self.labels().inc(amount)

    def _new_cell(self) -> CounterCell:
        return new_counter()

    def _add_samples(self, metric: Metric, labels: dict[str, str], cell: CounterCell) -> None:
        metric.add_sample(self.spec.name, labels, cell.value)


class Gauge(Family[GaugeCell]):
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

    def _new_cell(self) -> GaugeCell:
        return new_gauge()

    def _add_samples(self, metric: Metric, labels: dict[str, str], cell: GaugeCell) -> None:
        metric.add_sample(self.spec.name, labels, cell.value)


class Histogram(Family[HistogramCell]):
    """A metric of a distribution. ``labels(...)`` gives a series with ``observe(value)``, in the metric's unit."""

    def __init__(
        self, spec: MetricSpec, *, max_series: int = 1000, on_overflow: Callable[[str], None] | None = None
    ) -> None:
        self._search_bounds = search_bounds(spec.buckets)
        self._bounds = [*(repr(float(bound)) for bound in spec.buckets), "+Inf"]
        super().__init__(spec, max_series=max_series, on_overflow=on_overflow)

    def observe(self, value: float) -> None:
        """Observe a value of a metric that has no labels."""
        self.labels().observe(value)

    def _new_cell(self) -> HistogramCell:
        return new_histogram(self._search_bounds)

    def _add_samples(self, metric: Metric, labels: dict[str, str], cell: HistogramCell) -> None:
        name = self.spec.name
        counts, total = cell.snapshot()
        for bound, count in zip(self._bounds, accumulate(counts), strict=True):
            metric.add_sample(f"{name}_bucket", {**labels, "le": bound}, count)
        metric.add_sample(f"{name}_count", labels, sum(counts))
        metric.add_sample(f"{name}_sum", labels, total)


def search_bounds(buckets: tuple[float, ...]) -> tuple[float, ...]:
    """Bounds for ``bisect_right``, each a step above the catalogue's.

    A value equal to a bound belongs to that bound's bucket, and NaN must fall behind all of them. ``bisect_left`` does
    the first but puts NaN in front; ``bisect_right`` over bounds one step higher does both.
    """
    return tuple(nextafter(bound, inf) for bound in buckets)
