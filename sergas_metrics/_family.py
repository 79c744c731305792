"""A family is a metric with all its series. It is a collector of prometheus-client's registry."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, Final, Generic, TypeVar

from prometheus_client import Metric

from ._cells import GIL_ENABLED, LOCK, CounterCell, GaugeCell, HistogramCell, Note, locked
from ._labels import ErrorTypes, cleaned
from .catalogue import MetricSpec

OVERFLOW: Final = "overflow"
"""The value of every label of a metric's overflow series."""

_NONE: Final = ()
"""No label value given: the key of the one series of a metric without labels."""

Cell = TypeVar("Cell", CounterCell, GaugeCell, HistogramCell)
Values = tuple[str, ...]
Series = list[tuple[Values, Cell]]


class Family(ABC, Generic[Cell]):
    """A metric, its label names, and one cell for each combination of label values seen.

    Args:
        spec: What the metric is.
        max_series: How many combinations get a series of their own. Later ones share the overflow series.
        on_overflow: Called with the metric's name for each update that lands in the overflow series.
        note: Called after each update with the cell and the amount, which then hold a lock.

    Attributes:
        spec: What the metric is.
        cells: The cells of the series made so far, for this package alone: ``cells["sync", "KeyError"]``, with one
            label ``cells["sync"]``, which is found faster, without any ``cells[()]``.
    """

    def __init__(
        self,
        spec: MetricSpec,
        *,
        max_series: int = 1000,
        on_overflow: Callable[[str], None] | None = None,
        note: Note | None = None,
    ) -> None:
        self.spec = spec
        self.note = note
        self.error_types = ErrorTypes()
        self.cells: dict[Any, Cell] = {}
        self._max_series = max_series
        self._on_overflow = on_overflow
        self._overflow_key = _key((OVERFLOW,) * len(spec.labels))
        self._new_cell: Callable[[], Cell] = (
            self._cell() if GIL_ENABLED and note is None else locked(self._cell(), note)
        )
        if not spec.labels:
            self.labels()

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
        key: Any = value
        if named:
            key = _key(self._ordered(() if value is _NONE else (value, *more), named))
        elif more:
            key = (value, *more)
        try:
            return self.cells[key]
        except (KeyError, TypeError):  # a new series, or a value that cannot be hashed
            return self._found_or_made(key if isinstance(key, tuple) else (key,))

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
        return [Metric(self.family_name, self.spec.help, self.spec.kind, self.shown_unit)]

    def collect(self) -> Iterable[Metric]:
        """The metric with a sample for each series."""
        (metric,) = self.describe()
        for values, cell in self.series():
            self._add_samples(metric, self.named(values), cell)
        return [metric]

    def series(self) -> Series[Cell]:
        """Every cell with its label values."""
        # A copy is made at once: no thread and no finalizer can change it meanwhile.
        return [(key if isinstance(key, tuple) else (key,), cell) for key, cell in self.cells.copy().items()]

    def reset(self) -> None:
        """Begin at zero in a child of the process that counted. Cells that code holds stay the metric's."""
        for _, cell in self.series():
            cell.fill([0.0] * len(cell.numbers()))
            cell.extra = None

    def named(self, values: Values) -> dict[str, str]:
        """Label values by the names of their labels."""
        return dict(zip(self.spec.labels, values, strict=True))

    @property
    def family_name(self) -> str:
        """The name of the metric itself, which in OpenMetrics lacks a counter's suffix."""
        return self.spec.name.removesuffix("_total") if self.spec.kind == "counter" else self.spec.name

    @property
    def shown_unit(self) -> str:
        """The unit, where the name ends with it as OpenMetrics demands."""
        unit = self.spec.unit
        return unit if unit and self.family_name.endswith(f"_{unit}") else ""

    def _ordered(self, values: tuple[object, ...], named: dict[str, object]) -> tuple[object, ...]:
        if values or named.keys() != set(self.spec.labels):
            raise self._wrong_labels([*map(repr, values), *sorted(named)])
        return tuple(named[name] for name in self.spec.labels)

    def _found_or_made(self, given: tuple[object, ...]) -> Cell:
        if len(given) != len(self.spec.labels):
            raise self._wrong_labels([*map(repr, given)])
        key = _key(tuple(map(cleaned, given)))
        made = self._new_cell()
        with LOCK:
            cells = self.cells
            if key in cells:
                return cells[key]
            if key == self._overflow_key or len(cells) - (self._overflow_key in cells) < self._max_series:
                return cells.setdefault(key, made)
            cell = cells.setdefault(self._overflow_key, made)
        if self._on_overflow is not None:
            self._on_overflow(self.spec.name)
        return cell

    def _wrong_labels(self, given: list[str]) -> ValueError:
        wanted = ", ".join(self.spec.labels) or "no labels"
        return ValueError(f"{self.spec.name} has the labels ({wanted}), but was given ({', '.join(given)})")

    @abstractmethod
    def _cell(self) -> type[Cell]:
        """The class of its cells."""

    @abstractmethod
    def _add_samples(self, metric: Metric, labels: dict[str, str], cell: Cell) -> None: ...


def _key(values: tuple[Any, ...]) -> Any:
    """The key of label values."""
    return values[0] if len(values) == 1 else values
