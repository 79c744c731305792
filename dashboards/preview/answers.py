"""What a panel's queries gave: named series, or what went wrong."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from dashboards.preview.board import Board, Event, Panel, Target
from dashboards.preview.source import Labels, Points, QueryError, Series, Source
from dashboards.preview.timing import Window, filled, window


@dataclass(frozen=True, slots=True)
class Line:
    """A series under the name that the legend gives it."""

    name: str
    letter: str
    labels: Labels
    points: Points

    @property
    def values(self) -> list[float]:
        """What is a number, in order of time."""
        return [value for _, value in self.points if math.isfinite(value)]

    @property
    def last(self) -> float | None:
        """The last number: what Grafana calls lastNotNull."""
        return self.values[-1] if self.values else None


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened, from one time to another, in seconds since 1970."""

    name: str
    color: str
    begin: float
    end: float


@dataclass(frozen=True, slots=True)
class Answer:
    """One panel with what was answered. `error` is empty unless a query failed; there may be lines besides."""

    panel: Panel
    window: Window
    lines: tuple[Line, ...]
    error: str = ""
    marks: tuple[Mark, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show. A panel without queries, such as text, is never empty."""
        return bool(self.panel.targets) and not any(line.values for line in self.lines)


def ask(source: Source, board: Board, panel: Panel, shown: Window, marks: tuple[Mark, ...] = ()) -> Answer:
    """Run the panel's queries. An error is part of the answer, so that one panel does not end the page."""
    lines: list[Line] = []
    errors: list[str] = []
    for target in panel.targets:
        try:
            lines += _lines(source, board, target, shown)
        except (QueryError, ValueError) as error:
            errors.append(f"{target.letter}: {error}")
    return Answer(panel, shown, tuple(lines), "\n".join(errors), marks)


def marks(source: Source, board: Board, end: int, seconds: int) -> tuple[Mark, ...]:
    """What the dashboard's annotations mark. Where a query fails nothing is marked: panels tell of a broken source."""
    shown = window(end, seconds, 360)
    found: list[Mark] = []
    for event in board.events:
        try:
            series = source.range(filled(event.expr, shown, board.variables), shown)
        except (QueryError, ValueError):
            continue
        found += [mark for one in series for mark in _marked(event, one, shown)]
    return tuple(sorted(found, key=lambda mark: mark.begin))


def decided(source: Source, board: Board, end: int) -> Board:
    """`board` with the first value of each variable that has no All, as Grafana chooses it; All where there is none."""
    shown = window(end, board.seconds, 360)
    found = []
    for variable in board.variables:
        values = []
        if variable.label:
            values = source.values(variable.label, filled(variable.selector, shown, board.variables), shown)
        found.append(replace(variable, everything=values[0]) if values else variable)
    return replace(board, variables=tuple(found))


def legend(pattern: str, labels: Labels) -> str:
    """The name of a series: `pattern` with {{label}} replaced, or its labels where there is no pattern."""
    if pattern and pattern != "__auto":
        return re.sub(r"\{\{\s*(\w+)\s*\}\}", lambda match: labels.get(match[1], ""), pattern).strip()
    own = ", ".join(f'{key}="{value}"' for key, value in labels.items() if key != "__name__")
    return f"{labels.get('__name__', '')}{{{own}}}"


def _lines(source: Source, board: Board, target: Target, shown: Window) -> Iterable[Line]:
    expr = filled(target.expr, shown, board.variables)
    found = source.instant(expr, shown.end) if target.instant else source.range(expr, shown)
    return [Line(legend(target.legend, one.labels), target.letter, one.labels, one.points) for one in found]


def _marked(event: Event, series: Series, shown: Window) -> Iterable[Mark]:
    """A mark for each value that is a time, or for each stretch without a gap."""
    if event.value_is_time:
        times = {value / 1000 for _, value in series.points if shown.start <= value / 1000 <= shown.end}
        return [Mark(event.name, event.color, time, time) for time in sorted(times)]
    name = series.labels.get("alertname", event.name)
    stretches: list[Mark] = []
    for time, _ in series.points:
        if stretches and time - stretches[-1].end <= shown.step:
            stretches[-1] = Mark(name, event.color, stretches[-1].begin, time)
        else:
            stretches.append(Mark(name, event.color, time, time))
    return stretches
