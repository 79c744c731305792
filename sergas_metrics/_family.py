"""A family is a metric with all its series. It is a collector of prometheus-client's registry."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from threading import Lock
from typing import Any, Final, Generic, TypeVar

from prometheus_client import Metric

from ._cells import CounterCell, GaugeCell, HistogramCell
from ._clean import cleaned
from ._error_types import ErrorTypes
from ._formats import Format, family_name, shown_unit
from .catalogue import MetricSpec

OVERFLOW: Final = "overflow"
"""The value of every label of a metric's overflow series."""

_PIECE_LINES: Final = 500
"""Lines written in one go, about 0.1 ms: between two pieces other threads get their turn."""

Cell = TypeVar("Cell", CounterCell, GaugeCell, HistogramCell)
Values = tuple[str, ...]
Key = Values | str
"""The label values of a series; where there is one label, its value alone, which is found faster."""

Series = list[tuple[Values, Cell]]


class Cells(dict[Key, Cell]):
    """The cells of one metric by label values. Asking for one that is not there makes it."""

    __slots__ = ("_make",)
    _make: Callable[[object], Cell]

    def __init__(self, make: Callable[[object], Cell]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: object) -> Cell:
        """Make a cell, find the one that values of other types stand for, or hand out the overflow cell."""
        cell: Cell = self._make(key)
        return cell


class Family(ABC, Generic[Cell]):
    """A metric, its label names, and one cell for each combination of label values seen.

    Args:
        spec: The metric's entry in the catalogue.
        max_series: How many combinations get a series of their own. Later ones share the overflow series.
        on_overflow: Called with the metric's name for each update that lands in the overflow series.

    Attributes:
        spec: The metric's entry in the catalogue.
        cells: ``cells["sync", "KeyError"]`` is the cell of one series, made when first asked for: ``labels`` without
            its comforts, for code that runs often. With one label it is ``cells["sync"]``, without any ``cells[()]``.
        known: The same cells in a plain dictionary, which answers faster and makes none: for code that runs most often.
    """

    def __init__(
        self, spec: MetricSpec, *, max_series: int = 1000, on_overflow: Callable[[str], None] | None = None
    ) -> None:
        self.spec = spec
        self.max_series = max_series
        self.error_types = ErrorTypes()
        self.cells: Cells[Cell] = Cells(self._at_missing_key)
        self.known: dict[Key, Cell] = {}
        self._nested: dict[str, dict[str, Cell]] | None = None
        self._on_overflow = on_overflow
        self._overflow: Cell | None = None
        self._lock = Lock()
        if not spec.labels:
            self._keep((), self._new_cell())

    def labels(self, *values: object, **named: object) -> Cell:
        """The cell of one series, made when first asked for.

        Args:
            *values: Label values in the order of the catalogue. Anything but a ``str`` goes through ``str()``; control
                characters are replaced by U+FFFD, and what is longer than 128 characters is cut.
            **named: Or label values by name.

        Raises:
            ValueError: The values do not match the metric's labels.
        """
        if named:
            values = self._ordered(values, named)
        try:
            return self.cells[_key(values)]
        except TypeError:  # a value that cannot be hashed
            return self._found_or_made(values)

    def nested(self) -> dict[str, dict[str, Cell]]:
        """The known cells of a metric of two labels by the first, then the second: found faster than by both.

        It costs a dictionary for each value of the first label, so it is for labels of few values.
        """
        if self._nested is None:
            self._nested = {}
            for (first, second), cell in self.series():
                self._nested.setdefault(first, {})[second] = cell
        return self._nested

    def remove(self, *values: object) -> None:
        """Forget a series, as when an agent is gone for good. Nothing happens when there is none.

        A cell of it that is still held counts on unseen: ask ``labels`` again to bring the series back from zero.
        """
        with self._lock:
            self._drop(_key(tuple(map(cleaned, values))))

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
        """Every cell with its label values, the overflow series last."""
        with self._lock:
            series = [(key if isinstance(key, tuple) else (key,), cell) for key, cell in self.cells.items()]
        if self._overflow is not None:
            series.append(((OVERFLOW,) * len(self.spec.labels), self._overflow))
        return series

    def reset(self) -> None:
        """Begin at zero in a child of the process that counted. Cells that code holds stay the metric's."""
        self._lock = Lock()  # the old one may be held by a thread that this process lacks
        for _, cell in self.series():
            cell.reset()

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
                self._drop(_key(values))

    def _named(self, values: Values) -> dict[str, str]:
        return dict(zip(self.spec.labels, values, strict=True))

    def _ordered(self, values: tuple[object, ...], named: dict[str, object]) -> tuple[object, ...]:
        if values or named.keys() != set(self.spec.labels):
            raise self._wrong_labels([*map(repr, values), *sorted(named)])
        return tuple(named[name] for name in self.spec.labels)

    def _at_missing_key(self, key: object) -> Cell:
        return self._found_or_made(key if isinstance(key, tuple) else (key,))

    def _found_or_made(self, given: tuple[object, ...]) -> Cell:
        if len(given) != len(self.spec.labels):
            raise self._wrong_labels([*map(repr, given)])
        key: Key = _key(tuple(map(cleaned, given)))
        with self._lock:
            cell = self.cells.get(key)
            if cell is not None:
                return cell
            if len(self.cells) < self.max_series:
                return self._keep(key, self._new_cell())
            if self._overflow is None:
                self._overflow = self._new_cell()
        if self._on_overflow is not None:
            self._on_overflow(self.spec.name)
        return self._overflow

    def _keep(self, key: Key, cell: Cell) -> Cell:
        self.known[key] = self.cells[key] = cell
        if self._nested is not None:
            self._nested.setdefault(key[0], {})[key[1]] = cell
        return cell

    def _drop(self, key: Key) -> None:
        self.cells.pop(key, None)
        self.known.pop(key, None)
        if self._nested is not None:
            self._nested.get(key[0], {}).pop(key[1], None)

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
