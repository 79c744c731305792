"""Cells hold one series each, and in ``text`` what stands around its values once that was written.

Without a lock an update is still whole under the GIL: CPython hands the GIL over at calls and at backward jumps, and
between the load and the store of ``self.value += amount`` there is neither, for both are floats by then. Where the
GIL is off, an exemplar is kept, or it matters when a gauge was set, a cell is of the class that ``locked`` makes.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from functools import cache, wraps
from math import inf, nextafter
from threading import RLock
from time import time
from typing import Any, Final, TypeVar

from ._measure import Measurement, counting_errors, in_progress, timing

GIL_ENABLED: Final = bool(getattr(sys, "_is_gil_enabled", lambda: True)())
_ONE: Final = 1.0

LOCK: Final = RLock()
"""Held while a series is made or a locked cell changes. One for all, and taken again by the same thread: a finalizer
may record any metric within any update, and two locks could then wait for each other."""

if hasattr(os, "register_at_fork"):  # a child must not find it held by a thread that it lacks
    os.register_at_fork(before=LOCK.acquire, after_in_parent=LOCK.release, after_in_child=LOCK.release)


def _series(metric: Any) -> Any:
    """A series itself, or that of a metric without labels: of one with labels it raises here, and not at each use."""
    return metric.labels() if hasattr(metric, "labels") else metric


class Counting:
    """What counters and their series can do beside ``inc``."""

    __slots__ = ()

    def count_exceptions(self, exception: type[BaseException] | tuple[type[BaseException], ...] = Exception) -> Any:
        """Count the exceptions of a class that leave a block or a function: a context manager and a decorator."""
        inc = _series(self).inc
        return counting_errors("count_exceptions", lambda _: inc(), lambda error: isinstance(error, exception))


class Gauging:
    """What gauges and their series can do beside ``set``, ``inc`` and ``dec``."""

    __slots__ = ()

    def set_to_current_time(self) -> None:
        """Set it to the seconds since 1970."""
        _series(self).set(time())

    def track_inprogress(self) -> Measurement[None]:
        """Raise it for as long as a block or a function runs: a context manager and a decorator."""
        return in_progress("track_inprogress", _series(self).inc, _series(self).dec)

    def time(self) -> Measurement[None]:
        """Set it to the seconds that a block or a function took last: a context manager and a decorator."""
        return timing("time", _series(self).set)


class Observing:
    """What histograms and their series can do beside ``observe``."""

    __slots__ = ()

    def time(self) -> Measurement[None]:
        """Observe the seconds that a block or a function takes: a context manager and a decorator."""
        return timing("time", _series(self).observe)


class CounterCell(Counting):
    """A number that only rises.

    Attributes:
        value: The number.
        extra: What ``locked`` cells note.
    """

    __slots__ = ("extra", "text", "value")

    def __init__(self) -> None:
        self.value = 0.0
        self.text = ""
        self.extra: Any = None

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

    def numbers(self) -> Sequence[float]:
        """All that makes the series, for other processes."""
        return (self.value,)

    def fill(self, numbers: Sequence[float]) -> None:
        """Take over the numbers of a series."""
        (self.value,) = numbers


class GaugeCell(Gauging):
    """A number that goes up and down, or a function that gives it.

    Attributes:
        value: The number.
        extra: When it was set, where that is noted.
        function: Gives the value.
    """

    __slots__ = ("extra", "function", "text", "value")

    def __init__(self) -> None:
        self.value = 0.0
        self.text = ""
        self.extra: Any = None
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

    def numbers(self) -> Sequence[float]:
        """The value, and when it was set where that is noted."""
        return (self.value, self.extra or 0.0)

    def fill(self, numbers: Sequence[float]) -> None:
        """Take over the numbers of a series."""
        self.value, self.extra = numbers


class HistogramCell(Observing):
    """Counts of observations by bucket, and their sum. ``histogram_cell`` makes the class for some bounds.

    Attributes:
        counts: The count of each bucket on its own, the last being ``+Inf``.
        total: The sum.
        extra: What ``locked`` cells note.
        bounds: Upper bounds for ``bisect_right``, see ``histogram_cell``.
    """

    __slots__ = ("counts", "extra", "text", "total")

    bounds: tuple[float, ...] = ()

    def __init__(self) -> None:
        self.counts = [0] * (len(self.bounds) + 1)
        self.total = 0.0
        self.text: tuple[str, str, str] | None = None
        self.extra: Any = None

    def observe(self, value: float) -> None:
        """Count a value in its bucket, in the metric's unit. NaN counts in ``+Inf`` and makes the sum NaN."""
        raise NotImplementedError

    def numbers(self) -> Sequence[float]:
        """The counts and the sum."""
        return (*self.counts, self.total)

    def fill(self, numbers: Sequence[float]) -> None:
        """Take over the numbers of a series."""
        *counts, self.total = numbers
        self.counts = [*map(int, counts)]


@cache
def histogram_cell(buckets: tuple[float, ...]) -> type[HistogramCell]:
    """The class of the cells of histograms with some buckets.

    The search for the bucket is written out as comparisons with constants, half each time: a third quicker than any
    call. Each bound stands a step above the metric's, so that a value equal to a bound belongs to that bound's bucket.

    Args:
        buckets: Upper bounds of the metric, without ``+Inf``.
    """
    bounds = tuple(nextafter(bound, inf) for bound in buckets)
    source = (
        "def observe(self, value):\n"
        " value = float(value)\n"
        f" counts = self.counts\n{_search(bounds, 0, len(bounds))} self.total += value\n"
    )
    space: dict[str, Any] = {"inf": inf}
    exec(source, space)  # noqa: S102  # of numbers alone
    observe = wraps(HistogramCell.observe)(space["observe"])
    return type("HistogramCell", (HistogramCell,), {"__slots__": (), "observe": observe, "bounds": bounds})


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


def locked(cell: type[C], note: Note | None) -> type[C]:
    """The class of cells whose updates hold ``LOCK``, and then call ``note`` with the cell and the amount."""

    def changing(update: Callable[[Any, float], None]) -> Callable[..., None]:
        @wraps(update)
        def changed(self: Any, amount: float = _ONE) -> None:
            with LOCK:
                update(self, amount)
                if note is not None:
                    note(self, float(amount))

        return changed

    members = {name: changing(getattr(cell, name)) for name in ("inc", "dec", "set", "observe") if hasattr(cell, name)}
    return type(cell.__name__, (cell,), {"__slots__": (), **members})
