"""``track_time`` and ``count_errors`` for functions of every kind, and ``track_in_progress``."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Any, ParamSpec, Protocol, Self, TypeVar

from . import _wrap
from ._error_types import ErrorTypes

P = ParamSpec("P")
R = TypeVar("R")


class Observer(Protocol):
    """A series that takes observations."""

    def observe(self, value: float, /) -> None:
        """Observe a value."""


class Riser(Protocol):
    """A series that rises."""

    def inc(self, amount: float = 1.0, /) -> None:
        """Add an amount."""


class RiserAndFaller(Riser, Protocol):
    """A series that rises and falls."""

    def dec(self, amount: float = 1.0, /) -> None:
        """Take an amount away."""


class Labelled(Protocol):
    """A metric that gives a series for label values: the library's own, or prometheus-client's."""

    @property
    def labels(self) -> Callable[..., Any]:
        """Gives the series of the named label values."""


def track_time(histogram: Labelled, /, **labels: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Observe how long each call of the decorated function takes, in seconds, also when it raises.

    Works for functions, coroutine functions, generators, async generators and methods, each staying what it was. A
    generator is observed once, at its end, with the time spent inside it: the time its consumer takes between two
    items is not its own. Put it below ``@classmethod``, ``@staticmethod`` and ``@property``.

    Args:
        histogram: A histogram, or a summary of prometheus-client.
        **labels: Its label values; all of them.

    Raises:
        TypeError: The decorated object is not a function.
        ValueError: The label values do not match the histogram's labels.
    """
    observer: Observer = histogram.labels(**labels) if labels else _unlabelled(histogram)
    return partial(_decorate, _wrap.Timed(observer.observe), "track_time")


def count_errors(
    counter: Labelled, /, *, label: str = "error_type", limit: int = 50, **labels: str
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Count each exception that leaves the decorated function, by its class, and let it pass on.

    Works for the same functions as ``track_time``. Only an ``Exception`` is an error: a cancelled task, a closed
    generator, or an interpreter that exits, is not.

    Args:
        counter: A counter with the label ``error_type``.
        label: The name of the label that takes the exception's class, where it is not ``error_type``.
        limit: How many classes are named; those beyond it are counted as ``other``.
        **labels: The counter's remaining label values.

    Raises:
        TypeError: The decorated object is not a function.
        ValueError: The label values do not match the counter's labels.
    """
    names = ErrorTypes(limit)

    def count(error: Exception) -> None:
        series: Riser = counter.labels(**labels, **{label: names.name(error)})
        series.inc()

    return partial(_decorate, _wrap.Counted(count), "count_errors")


class track_in_progress:  # noqa: N801  # reads as a verb: with track_in_progress(gauge): ...
    """Raise a gauge for as long as a block runs, and lower it however the block ends.

    Works in ``with`` and ``async with``. One object may be entered many times, also at once.

    Args:
        gauge: A gauge of this library or of prometheus-client.
        **labels: Its label values; all of them.

    Raises:
        ValueError: The label values do not match the gauge's labels.
    """

    def __init__(self, gauge: Labelled, /, **labels: str) -> None:
        self._series: RiserAndFaller = gauge.labels(**labels) if labels else _unlabelled(gauge)

    def __enter__(self) -> Self:
        """Raise the gauge by one."""
        self._series.inc()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Lower the gauge by one."""
        self._series.dec()

    async def __aenter__(self) -> Self:
        """Raise the gauge by one."""
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Lower the gauge by one."""
        self._series.dec()


def _unlabelled(metric: Any) -> Any:
    """The metric itself: ours and prometheus-client's take updates directly when they have no labels.

    Ours is asked for its one series, so that missing label values are refused here and not at the first call.
    """
    return metric.labels() if hasattr(metric, "spec") else metric


def _decorate(measure: _wrap.Measure, name: str, function: Callable[P, R]) -> Callable[P, R]:
    if isinstance(function, classmethod | staticmethod | property):
        kind = type(function).__name__
        raise TypeError(f"@{name} must stand below @{kind}: write @{kind} first and @{name} under it")
    if not callable(function) or inspect.isclass(function):
        raise TypeError(f"@{name} decorates functions and methods, not {function!r}")
    return _wrap.wrap(measure, function)
