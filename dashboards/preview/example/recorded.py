"""What Prometheus would have recorded and alerted: each rule of the chart, worked out over the example."""

from collections.abc import Iterator
from typing import Final

from dashboards.preview.example.clock import END, FINE_START, HOUR, START
from dashboards.preview.openmetrics import Writer
from dashboards.preview.rules import Rule, longest_range
from dashboards.preview.source import Series, Source
from dashboards.preview.timing import Window

# Records over a long range are read for the time that is shown, and nothing else reads them.
LONG: Final = 6 * HOUR


def record(source: Source, writer: Writer, rule: Rule) -> None:
    """Write what `rule` would have recorded."""
    start = FINE_START if longest_range(rule.expr) >= LONG else START
    # What comes from two series by turns, as with `a <= b or b < a`, is one series once it has the name of the record.
    found: dict[tuple[tuple[str, str], ...], list[tuple[float, float]]] = {}
    for series in source.range(rule.expr, aligned(start, rule.interval)):
        labels = {key: value for key, value in series.labels.items() if key != "__name__"} | rule.labels
        found.setdefault(tuple(sorted(labels.items())), []).extend(series.points)
    for labels_of, points in found.items():
        writer.series(rule.name, dict(labels_of), sorted(points))


def alert(source: Source, writer: Writer, rule: Rule) -> None:
    """Write ALERTS for the time shown: pending until the alert has held for its time, then firing."""
    for series in source.range(rule.expr, aligned(FINE_START, rule.interval)):
        labels = {key: value for key, value in series.labels.items() if key != "__name__"} | rule.labels
        for state, points in states(series, rule).items():
            writer.series("ALERTS", labels | {"alertname": rule.name, "alertstate": state}, points)


def states(series: Series, rule: Rule) -> dict[str, list[tuple[float, float]]]:
    """{state: [(time, 1)]}: when the alert was pending, and when it fired."""
    found: dict[str, list[tuple[float, float]]] = {}
    for time, since in _held(series, rule.interval):
        found.setdefault("firing" if time - since >= rule.hold else "pending", []).append((time, 1.0))
    return found


def _held(series: Series, interval: int) -> Iterator[tuple[float, float]]:
    """(time, since when without a gap)."""
    since = last = float("-inf")
    for time, _ in series.points:
        since = since if time - last <= interval else time
        last = time
        yield time, since


def aligned(start: int, step: int) -> Window:
    """The time from `start` to the example's end, on whole steps."""
    begin, end = start + -start % step, END - END % step
    return Window(end, end - begin, step)
