"""Exemplars: of each bucket and counter the last update made within a sampled trace, with the trace's id."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from time import time

from prometheus_client.samples import Exemplar

from ._cells import LockedCounterCell, LockedHistogramCell

Trace = Callable[[], dict[str, str] | None]
"""Gives the ids of the trace that is under way, or ``None`` where there is none or it is not kept."""


class ExemplarCounterCell(LockedCounterCell):
    """A counter that remembers the last amount that a kept trace added."""

    __slots__ = ("_trace", "exemplar")

    def __init__(self, trace: Trace) -> None:
        super().__init__()
        self.exemplar: Exemplar | None = None
        self._trace = trace

    def inc(self, amount: float = 1.0) -> None:
        """Add an amount of zero or more, and remember it if a trace that is kept is under way.

        Raises:
            ValueError: The amount is negative.
        """
        super().inc(amount)
        trace = self._trace()
        if trace is not None:
            self.exemplar = Exemplar(trace, float(amount), time())

    def reset(self) -> None:
        """Count from zero, and remember nothing."""
        super().reset()
        self.exemplar = None


class ExemplarHistogramCell(LockedHistogramCell):
    """A histogram that remembers, for each bucket, the last observation that a kept trace made.

    It takes a lock, so that the exemplar of a bucket belongs to a value in it.
    """

    __slots__ = ("_trace", "exemplars")

    def __init__(self, bounds: tuple[float, ...], trace: Trace) -> None:
        super().__init__(bounds)
        self.exemplars: list[Exemplar | None] = [None] * (len(bounds) + 1)
        self._trace = trace

    def observe(self, value: float) -> None:
        """Count a value in its bucket, and remember it if a trace that is kept is under way."""
        super().observe(value)
        trace = self._trace()
        if trace is not None:
            self.exemplars[bisect_right(self.bounds, value)] = Exemplar(trace, float(value), time())

    def reset(self) -> None:
        """Count from zero, and remember nothing."""
        super().reset()
        self.exemplars = [None] * len(self.exemplars)


def opentelemetry_trace() -> Trace:
    """The trace of OpenTelemetry's current span, if that is sampled.

    Raises:
        ImportError: OpenTelemetry is not installed.
    """
    try:
        from opentelemetry.trace import get_current_span  # noqa: PLC0415  # an optional dependency
    except ImportError as error:
        raise ImportError("exemplars need OpenTelemetry: pip install 'sergas-metrics[exemplars]'") from error

    def trace() -> dict[str, str] | None:
        context = get_current_span().get_span_context()
        if not (context.is_valid and context.trace_flags.sampled):
            return None
        return {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}

    return trace
