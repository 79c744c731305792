"""A family is a metric with all its series. It is a collector of prometheus-client's registry."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from threading import RLock
from typing import Any, Final, Generic, TypeVar
from weakref import WeakSet

from prometheus_client import Metric

from ._cells import CounterCell, GaugeCell, HistogramCell
from ._labels import ErrorTypes, cleaned
from ._text import Format, family_name, shown_unit
from .catalogue import MetricSpec

OVERFLOW: Final = "overflow"
"""The value of every label of a metric's overflow series."""

_PIECE_LINES: Final = 500
"""Lines written in one go, about 0.1 ms: between two pieces other threads get their turn."""

_NONE: Final = ()
"""No label value given: the key of the one series of a metric without labels."""

Cell = TypeVar("Cell", CounterCell, GaugeCell, HistogramCell)
Values = tuple[str, ...]
Key = Values | str
"""The label values of a series; where there is one label, its value alone, which is found faster."""

Series = list[tuple[Values, Cell]]


class Family(ABC, Generic[Cell]):
    """A metric, its label names, and one cell for each combination of label values seen.

    Args:
        spec: What the metric is.
        max_series: How many combinations get a series of their own. Later ones share the overflow series.
        on_overflow: Called with the metric's name for each update that lands in the overflow series.

    Attributes:
        spec: What the metric is.
        cells: The cells of the series made so far, for this package alone: ``cells["sync", "KeyError"]``, with one
            label ``cells["sync"]``, without any ``cells[()]``.
    """

    def __init__(
        self, spec: MetricSpec, *, max_series: int = 1000, on_overflow: Callable[[str], None] | None = None
    ) -> None:
        self.spec = spec
        self.max_series = max_series
        self.error_types = ErrorTypes()
        self.cells: dict[Key, Cell] = {}
        self._on_overflow = on_overflow
        self._overflow_key: Any = _key((OVERFLOW,) * len(spec.labels))
        self._lock = RLock()  # taken again by a finalizer that records while a series is made
        _families.add(self)
        if not spec.labels:
            self.cells[()] = self._new_cell()

    def labels(self, value: object = _NONE, /, *more: object, **named: object) -> Cell:
        """The cell of one series, made when first asked for.

        Args:
            value: The value of the first label. Anything but a ``str`` goes through ``str()``; control characters are
                replaced by U+FFFD, and what is longer than 128 characters is cut.
            *more: The values of the further labels, in the order of the metric's labels.
            **named: Or label values by name.

        Raises:
            ValueError: The values do not match the metric's labels.
        """
        key: tuple[object, ...] | None = None
        if more or named:
            key = (value, *more) if not named else self._ordered(() if value is _NONE else (value, *more), named)
            if len(key) == 1:
                value, key = key[0], None
        try:
            return self.cells[value if key is None else key]  # type: ignore[index]  # of any type, found if it is text
        except (KeyError, TypeError):  # a new series, or a value that cannot be hashed
            return self._found_or_made(key or (() if value is _NONE else (value,)))

    def check_labels(self, names: Iterable[str]) -> None:
        """Check names of labels before there are values.

        Raises:
            ValueError: They are not the metric's.
        """
        if set(names) != set(self.spec.labels):
            raise self._wrong_labels(sorted(names))

    def remove(self, *values: object) -> None:
        """Forget a series, as when an agent is gone for good. Nothing happens when there is none.

        A cell of it that is still held counts on unseen: ask ``labels`` again to bring the series back from zero.

        Raises:
            ValueError: The values do not match the metric's labels, or it has none.
        """
        if len(values) != len(self.spec.labels) or not values:
            raise self._wrong_labels([*map(repr, values)])
        self.cells.pop(_key(tuple(map(cleaned, values))), None)

    def describe(self) -> Iterable[Metric]:
        """The metric without samples: the registry reads names from it."""
        return [self._metric()]

    def collect(self) -> Iterable[Metric]:
        """The metric with a sample for each series."""
        metric = self._metric()
        for values, cell in self.series():
            self._add_samples(metric, self._named(values), cell)
        return [metric]

    def pieces(self, format_: Format) -> Iterator[str]:
        """The metric in a text format, piece by piece: the text that prometheus-client makes of ``collect``."""
        yield format_.head(self.spec)
        series = self.series()
        step = max(1, _PIECE_LINES // (len(self.spec.buckets) + 3))
        for start in range(0, len(series), step):
            yield self._text(series[start : start + step])

    def has_quick_text(self, format_: Format) -> bool:
        """Whether ``pieces`` can write the metric as the format wants it."""
        return format_.keeps_names

    def series(self) -> Series[Cell]:
        """Every cell with its label values."""
        # A copy is made at once: no thread and no finalizer can change it meanwhile.
        return [(key if isinstance(key, tuple) else (key,), cell) for key, cell in self.cells.copy().items()]

    def reset(self) -> None:
        """Begin at zero in a child of the process that counted. Cells that code holds stay the metric's."""
        for _, cell in self.series():
            cell.reset()

    def renew_locks(self) -> None:
        """Take new locks in a forked process: the old ones may be held by threads that it lacks."""
        self._lock = RLock()
        for _, cell in self.series():
            if hasattr(cell, "lock"):
                cell.lock = RLock()

    @property
    @abstractmethod
    def width(self) -> int:
        """How many numbers make one series."""

    @abstractmethod
    def numbers(self, series: Series[Cell]) -> Iterable[float]:
        """The numbers of series, one after the other."""

    @abstractmethod
    def fill(self, values: Values, numbers: Sequence[float]) -> None:
        """Give a series its numbers."""

    def keep_only(self, wanted: Collection[Values]) -> None:
        """Forget all other series."""
        for values, _ in self.series():
            if values not in wanted:
                self.cells.pop(_key(values), None)

    def _named(self, values: Values) -> dict[str, str]:
        return dict(zip(self.spec.labels, values, strict=True))

    def _ordered(self, values: tuple[object, ...], named: dict[str, object]) -> tuple[object, ...]:
        if values or named.keys() != set(self.spec.labels):
            raise self._wrong_labels([*map(repr, values), *sorted(named)])
        return tuple(named[name] for name in self.spec.labels)

    def _found_or_made(self, given: tuple[object, ...]) -> Cell:
        if len(given) != len(self.spec.labels):
            raise self._wrong_labels([*map(repr, given)])
        key: Any = _key(tuple(map(cleaned, given)))
        made = self._new_cell()
        with self._lock:
            cells = self.cells
            if key in cells:
                return cells[key]
            if key == self._overflow_key or len(cells) - (self._overflow_key in cells) < self.max_series:
                return cells.setdefault(key, made)
            cell = cells.setdefault(self._overflow_key, made)
        if self._on_overflow is not None:
            self._on_overflow(self.spec.name)
        return cell

    def _wrong_labels(self, given: list[str]) -> ValueError:
        wanted = ", ".join(self.spec.labels) or "no labels"
        return ValueError(f"{self.spec.name} has the labels ({wanted}), but was given ({', '.join(given)})")

    def _metric(self) -> Metric:
        return Metric(family_name(self.spec), self.spec.help, self.spec.kind, shown_unit(self.spec))

    @abstractmethod
    def _new_cell(self) -> Cell: ...

    @abstractmethod
    def _text(self, series: Series[Cell]) -> str: ...

    @abstractmethod
    def _add_samples(self, metric: Metric, labels: dict[str, str], cell: Cell) -> None: ...


def _key(values: tuple[Any, ...]) -> Any:
    """The key of label values."""
    return values[0] if len(values) == 1 else values


_families: WeakSet[Family[Any]] = WeakSet()


def _after_fork() -> None:
    for family in list(_families):
        family.renew_locks()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
