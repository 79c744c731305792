"""Cells hold one series each, and in ``text`` what stands around its values once that was written.

Without a lock an update is still whole under the GIL: CPython hands the GIL over at calls and at backward jumps, and
between the load and the store of ``self.value += amount`` there is neither, for both are floats by then. Where the
GIL is off, an exemplar is kept, or it matters when a gauge was set, a cell is of the class that ``noted`` makes.
"""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections.abc import Callable
from functools import cache, wraps
from math import inf
from threading import RLock
from time import time
from typing import Any, TypeVar

from ._measure import Measurement, counting_errors, in_progress, timing
from ._text import HistogramLabels

GIL_ENABLED = bool(getattr(sys, "_is_gil_enabled", lambda: True)())
_ONE = 1.0


def _series(metric: Any) -> Any:
    """A series itself, or that of a metric without labels: of one with labels it raises here, and not at each use."""
    return metric.labels() if hasattr(metric, "labels") else metric


class Counting:
    """What counters and their series can do beside ``inc``."""

    __slots__ = ()

    def inc(self, amount: float = _ONE) -> None:
        """Add an amount of zero or more.

        Raises:
            ValueError: The amount is negative.
        """
        raise NotImplementedError

    def count_exceptions(self, exception: type[BaseException] | tuple[type[BaseException], ...] = Exception) -> Any:
        """Count the exceptions of a class that leave a block or a function: a context manager and a decorator."""
        inc = _series(self).inc
        return counting_errors("count_exceptions", lambda _: inc(), lambda error: isinstance(error, exception))


class Gauging:
    """What gauges and their series can do beside ``set``, ``inc`` and ``dec``."""

    __slots__ = ()

    def set(self, value: float) -> None:
        """Replace the value."""
        raise NotImplementedError

    def inc(self, amount: float = _ONE) -> None:
        """Add an amount."""
        raise NotImplementedError

    def dec(self, amount: float = _ONE) -> None:
        """Take an amount away."""
        raise NotImplementedError

    def set_to_current_time(self) -> None:
        """Set it to the seconds since 1970."""
        self.set(time())

    def track_inprogress(self) -> Measurement[None]:
        """Raise it for as long as a block or a function runs: a context manager and a decorator."""
        return in_progress("track_inprogress", _series(self).inc, _series(self).dec)

    def time(self) -> Measurement[None]:
        """Set it to the seconds that a block or a function took last: a context manager and a decorator."""
        return timing("time", _series(self).set)


class Observing:
    """What histograms and their series can do beside ``observe``."""

    __slots__ = ()

    def observe(self, value: float) -> None:
        """Count a value in its bucket, in the metric's unit. NaN counts in ``+Inf`` and makes the sum NaN."""
        raise NotImplementedError

    def time(self) -> Measurement[None]:
        """Observe the seconds that a block or a function takes: a context manager and a decorator."""
        return timing("time", _series(self).observe)


class CounterCell(Counting):
    """A number that only rises."""

    __slots__ = ("text", "value")

    def __init__(self) -> None:
        self.value = 0.0
        self.text = ""

    def inc(self, amount: float = _ONE) -> None:
        """Add an amount of zero or more.

        Raises:
            ValueError: The amount is negative.
        """
        if amount is not _ONE:
            amount = float(amount)
            if amount < 0:
                raise ValueError(f"a counter only rises: give inc() an amount of 0 or more, not {amount:g}")
        self.value += amount

    def reset(self) -> None:
        """Count from zero: the process is a child of the one that counted."""
        self.value = 0.0


class GaugeCell(Gauging):
    """A number that goes up and down, or a function that gives it."""

    __slots__ = ("function", "text", "value")

    def __init__(self) -> None:
        self.value = 0.0
        self.text = ""
        self.function: Callable[[], float] | None = None

    def set(self, value: float) -> None:
        """Replace the value."""
        self.value = float(value)

    def inc(self, amount: float = _ONE) -> None:
        """Add an amount."""
        if amount is not _ONE:
            amount = float(amount)
        self.value += amount

    def dec(self, amount: float = _ONE) -> None:
        """Take an amount away."""
        if amount is not _ONE:
            amount = float(amount)
        self.value -= amount

    def set_function(self, function: Callable[[], float]) -> None:
        """Ask a function for the value at every scrape, in whatever thread that runs.

        One that raises leaves the value of the scrape before, and counts in ``sergas_metrics_errors_total``.
        """
        self.function = function

    def refresh(self) -> None:
        """Take over the value of the function."""
        if self.function is not None:
            self.set(self.function())

    def reset(self) -> None:
        """Be at zero: the process is a child of the one that set it."""
        self.value = 0.0


class HistogramCell(Observing):
    """Counts of observations by bucket, and their sum.

    Args:
        bounds: Upper bounds from ``search_bounds``, not those of the metric.
    """

    __slots__ = ("bounds", "counts", "text", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0
        self.text: HistogramLabels | None = None

    def observe(self, value: float) -> None:
        """Count a value in its bucket, in the metric's unit. NaN counts in ``+Inf`` and makes the sum NaN."""
        value = float(value)
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
        "def observe(self, value):\n"
        " if type(value) is not float:\n"
        "  value = float(value)\n"
        f" counts = self.counts\n{_search(bounds, 0, len(bounds))} self.total += value\n"
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


Note = Callable[[Any, float], None]
C = TypeVar("C", CounterCell, GaugeCell, HistogramCell)


@cache
def noted(cell: type[C], note: Note | None = None) -> type[C]:
    """The class of cells whose updates hold a lock, and then call ``note`` with the cell and the amount.

    A finalizer that records may run within an update of the same thread, so the lock can be taken again.
    """

    def locked(update: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(update)
        def changed(self: Any, *args: float) -> Any:
            with self.lock:
                found = update(self, *args)
                if update.__name__ == "reset":
                    self.extra = None
                elif note is not None and update.__name__ != "snapshot":
                    note(self, float(args[0]) if args else _ONE)
                return found

        return changed

    def begin(self: Any, *args: Any) -> None:
        self.lock = RLock()
        self.extra = None
        cell.__init__(self, *args)

    names = [name for name in ("inc", "dec", "set", "observe", "snapshot", "reset") if name in vars(cell)]
    members = {name: locked(vars(cell)[name]) for name in names}
    return type(f"Noted{cell.__name__}", (cell,), {"__slots__": ("extra", "lock"), "__init__": begin, **members})
