"""Exemplars: of each bucket and counter the last update made within a sampled trace, with the trace's id."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from time import time

from prometheus_client.samples import Exemplar

from ._boundary import failed
from ._cells import CounterCell, HistogramCell, Note

Trace = Callable[[], dict[str, str] | None]
"""Gives the ids of the trace that is under way, or ``None`` where there is none or it is not kept."""


def exemplar_note(trace: Trace) -> Note:
    """Keeps in a cell the last amount that a kept trace added, for each bucket where there are some."""

    def keep(cell: CounterCell | HistogramCell, amount: float) -> None:
        try:
            ids = trace()
        except Exception:
            failed("exemplar")
            return
        if ids is not None:
            bucket = bisect_right(cell.bounds, amount) if isinstance(cell, HistogramCell) else 0
            cell.extra = {**(cell.extra or {}), bucket: Exemplar(ids, amount, time())}

    return keep


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
