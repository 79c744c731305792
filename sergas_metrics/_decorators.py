"""``track_time``, ``count_errors`` and ``track_in_progress``, for metrics of this library and of prometheus-client."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Protocol

from ._family import Family
from ._labels import OTHER, ErrorTypes
from ._measure import Measurement, counting_errors, in_progress, timing


class Labelled(Protocol):
    """A metric that gives a series for label values: the library's own, or prometheus-client's."""

    @property
    def labels(self) -> Callable[..., Any]:
        """Gives the series of the named label values."""


def track_time(histogram: Labelled, /, **labels: str) -> Measurement[None]:
    """Observe how long each call of the decorated function takes, in seconds, also when it raises.

    Works for functions, coroutine functions, generators, async generators and methods, each staying what it was, and
    for blocks in ``with`` and ``async with``. A generator is observed once, at its end, with the time spent inside it:
    the time its consumer takes between two items is not its own. Put it below ``@classmethod``, ``@staticmethod`` and
    ``@property``.

    Args:
        histogram: A histogram, or a summary of prometheus-client.
        **labels: Its label values; all of them.

    Raises:
        TypeError: The metric cannot observe, or the decorated object is not a function.
        ValueError: The label values do not match the histogram's labels.
    """
    return timing("track_time", _series(histogram, labels, "observe", "track_time() needs a histogram").observe)


def is_server_error(error: Exception) -> bool:
    """Whether an exception is an error: an ``HTTPException`` with a status below 500 is an answer."""
    if not any(kind.__name__ == "HTTPException" for kind in type(error).__mro__):
        return True
    status = getattr(error, "status_code", None) or getattr(error, "code", None)
    return not isinstance(status, int) or status >= HTTPStatus.INTERNAL_SERVER_ERROR


def count_errors(
    counter: Labelled,
    /,
    *,
    label: str = "error_type",
    limit: int = 50,
    is_error: Callable[[Exception], bool] | None = None,
    **labels: str,
) -> Measurement[None]:
    """Count each exception that leaves the decorated function, by its class, and let it pass on.

    Works for the same functions and blocks as ``track_time``. Only an ``Exception`` is an error: a cancelled task, a
    closed generator, or an interpreter that exits, is not.

    Args:
        counter: A counter with the label ``error_type``.
        label: The name of the label that takes the exception's class, where it is not ``error_type``.
        limit: How many classes are named; those beyond it are counted as ``other``.
        is_error: Says whether an exception counts. An ``HTTPException`` with a status below 500, such as FastAPI's 404,
            does not when left out.
        **labels: The counter's remaining label values.

    Raises:
        TypeError: The metric cannot be counted with, or the decorated object is not a function.
        ValueError: The label names do not match the counter's labels.
    """
    names, counts = ErrorTypes(limit), is_error or is_server_error
    if isinstance(counter, Family):
        counter.check_labels([*labels, label])
    else:  # prometheus-client tells its labels only by making a series: one of 0
        _series(counter, {**labels, label: OTHER}, "inc", "count_errors() needs a counter")

    def count(error: Exception) -> None:
        counter.labels(**labels, **{label: names.name(error)}).inc()

    return counting_errors("count_errors", count, lambda error: isinstance(error, Exception) and counts(error))


def track_in_progress(gauge: Labelled, /, **labels: str) -> Measurement[None]:
    """Raise a gauge for as long as a block runs, and lower it however the block ends.

    Works in ``with`` and ``async with``, and as a decorator. One object may be entered many times, also at once.

    Args:
        gauge: A gauge of this library or of prometheus-client.
        **labels: Its label values; all of them.

    Raises:
        TypeError: The metric cannot fall.
        ValueError: The label values do not match the gauge's labels.
    """
    series = _series(gauge, labels, "dec", "track_in_progress() needs a gauge")
    return in_progress("track_in_progress", series.inc, series.dec)


def _series(metric: Any, labels: dict[str, str], method: str, needs: str) -> Any:
    """The series to record in; ours is asked for even without labels, so that missing values are refused here."""
    series = metric.labels(**labels) if labels or isinstance(metric, Family) else metric
    if not callable(getattr(series, method, None)):
        raise TypeError(f"{needs}, not a {type(metric).__name__.lower()}")
    return series
