"""Cells hold one series each, and in ``text`` what stands around its values once that was written.

Without a lock an update is still whole under the GIL: CPython hands the GIL over at calls and at backward jumps, and
between the load and the store of ``self.value += amount`` there is neither. Where the GIL is off, each cell takes a
lock of its own.
"""

from __future__ import annotations

import sys
from bisect import bisect_right
from functools import cache
from math import inf
from threading import Lock
from time import monotonic
from typing import Any

from ._lines import HistogramLabels

GIL_ENABLED = bool(getattr(sys, "_is_gil_enabled", lambda: True)())


class CounterCell:
    """A number that only rises."""

    __slots__ = ("text", "value")

    def __init__(self) -> None:
        self.value = 0.0
        self.text = ""

    def inc(self, amount: float = 1.0) -> None:
        """Add an amount of zero or more.

        Raises:
            ValueError: The amount is negative.
        """
        if amount < 0:
            raise ValueError(f"a counter only rises: give inc() an amount of 0 or more, not {amount!r}")
        self.value += amount

    def reset(self) -> None:
        """Count from zero: the process is a child of the one that counted."""
        self.value = 0.0


class GaugeCell:
    """A number that goes up and down."""

    __slots__ = ("text", "value")

    def __init__(self) -> None:
        self.value = 0.0
        self.text = ""

    def set(self, value: float) -> None:
        """Replace the value."""
        self.value = float(value)

    def inc(self, amount: float = 1.0) -> None:
        """Add an amount."""
        self.value += amount

    def dec(self, amount: float = 1.0) -> None:
        """Take an amount away."""
        self.value -= amount

    def reset(self) -> None:
        """Be at zero: the process is a child of the one that set it."""
        self.value = 0.0


class HistogramCell:
    """Counts of observations by bucket, and their sum.

    Args:
        bounds: Upper bounds from ``search_bounds``, not those of the catalogue.
    """

    __slots__ = ("bounds", "counts", "text", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0
        self.text: HistogramLabels | None = None

    def observe(self, value: float) -> None:
        """Count a value in its bucket, in the metric's unit. NaN counts in ``+Inf`` and makes the sum NaN."""
        self.counts[bisect_right(self.bounds, value)] += 1
        self.total += value

    def snapshot(self) -> tuple[list[int], float]:
        """The counts of each bucket on its own, the last being ``+Inf``, and the sum."""
        return self.counts.copy(), self.total

    def reset(self) -> None:
        """Count from zero: the process is a child of the one that counted."""
        self.counts = [0] * len(self.counts)
        self.total = 0.0


@cache
def quick_histogram(bounds: tuple[float, ...]) -> type[HistogramCell]:
    """The class of histograms of some bounds that are observed in two thirds of the time.

    The search for the bucket is written out as comparisons with constants, half each time: quicker than any call.

    Args:
        bounds: Upper bounds from ``search_bounds``.
    """
    source = (
        f"def observe(self, value):\n counts = self.counts\n{_search(bounds, 0, len(bounds))} self.total += value\n"
    )
    space: dict[str, Any] = {"inf": inf}
    exec(source, space)  # noqa: S102  # of numbers alone
    observe = space["observe"]
    observe.__doc__ = HistogramCell.observe.__doc__
    return type("QuickHistogramCell", (HistogramCell,), {"__slots__": (), "observe": observe})


def _search(bounds: tuple[float, ...], low: int, high: int, depth: int = 1) -> str:
    """Statements that count a value in one of the buckets from ``low`` to ``high``."""
    indent = " " * depth
    if low == high:
        return f"{indent}counts[{low}] += 1\n"
    middle = (low + high) // 2
    # What is no number is below nothing, and so ends in the last bucket.
    below, above = _search(bounds, low, middle, depth + 1), _search(bounds, middle + 1, high, depth + 1)
    return f"{indent}if value < {bounds[middle]!r}:\n{below}{indent}else:\n{above}"


class LockedCounterCell(CounterCell):
    """A counter for interpreters without a GIL."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        super().__init__()
        self._lock = Lock()

    def inc(self, amount: float = 1.0) -> None:
        """Add an amount of zero or more."""
        with self._lock:
            super().inc(amount)

    def reset(self) -> None:
        """Count from zero, with a lock of its own: the old one may be held by a thread that this process lacks."""
        self._lock = Lock()
        super().reset()


class LockedGaugeCell(GaugeCell):
    """A gauge for interpreters without a GIL."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        super().__init__()
        self._lock = Lock()

    def set(self, value: float) -> None:
        """Replace the value."""
        with self._lock:
            super().set(value)

    def inc(self, amount: float = 1.0) -> None:
        """Add an amount."""
        with self._lock:
            super().inc(amount)

    def dec(self, amount: float = 1.0) -> None:
        """Take an amount away."""
        with self._lock:
            super().dec(amount)

    def reset(self) -> None:
        """Be at zero, with a lock of its own: the old one may be held by a thread that this process lacks."""
        self._lock = Lock()
        super().reset()


class StampedGaugeCell(LockedGaugeCell):
    """A gauge that knows when it was set, so that of several processes' the last can be told."""

    __slots__ = ("moment",)

    def __init__(self) -> None:
        super().__init__()
        self.moment = 0.0

    def set(self, value: float) -> None:
        """Replace the value."""
        super().set(value)
        self.moment = monotonic()

    def inc(self, amount: float = 1.0) -> None:
        """Add an amount."""
        super().inc(amount)
        self.moment = monotonic()

    def dec(self, amount: float = 1.0) -> None:
        """Take an amount away."""
        super().dec(amount)
        self.moment = monotonic()

    def reset(self) -> None:
        """Be at zero, and never set."""
        super().reset()
        self.moment = 0.0


class LockedHistogramCell(HistogramCell):
    """A histogram for interpreters without a GIL."""

    __slots__ = ("_lock",)

    def __init__(self, bounds: tuple[float, ...]) -> None:
        super().__init__(bounds)
        self._lock = Lock()

    def observe(self, value: float) -> None:
        """Count a value in its bucket."""
        with self._lock:
            super().observe(value)

    def snapshot(self) -> tuple[list[int], float]:
        """The counts of each bucket on its own and the sum, taken at one moment."""
        with self._lock:
            return super().snapshot()

    def reset(self) -> None:
        """Count from zero, with a lock of its own: the old one may be held by a thread that this process lacks."""
        self._lock = Lock()
        super().reset()


def new_counter(*, locked: bool = not GIL_ENABLED) -> CounterCell:
    """A counter's cell that suits the running interpreter."""
    return LockedCounterCell() if locked else CounterCell()


def new_gauge(*, locked: bool = not GIL_ENABLED) -> GaugeCell:
    """A gauge's cell that suits the running interpreter."""
    return LockedGaugeCell() if locked else GaugeCell()


def new_histogram(bounds: tuple[float, ...], *, locked: bool = not GIL_ENABLED) -> HistogramCell:
    """A histogram's cell that suits the running interpreter."""
    return LockedHistogramCell(bounds) if locked else quick_histogram(bounds)(bounds)
