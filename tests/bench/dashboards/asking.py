"""How long the panels of the dashboards take to answer."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from dashboards.preview.answers import ask
from dashboards.preview.board import Board, Panel
from dashboards.preview.layout import WIDE, queried
from dashboards.preview.source import Source

RANGES = {"1 h": 3600, "24 h": 86_400, "30 d": 30 * 86_400}


@dataclass
class Timing:
    """One panel over one range: seconds of its first run after a restart, and of the later ones."""

    board: str
    panel: str
    range: str
    error: str
    series: int
    cold: float
    warm: list[float] = field(default_factory=list)

    @property
    def p95(self) -> float:
        return percentile(self.warm, 0.95)


def cold(source: Source, boards: Sequence[Board], end: int) -> list[Timing]:
    """The first run of every panel over every range, the longest range last."""
    found = []
    for name, board, panel in asked(boards):
        took, error, series = once(source, board, panel, RANGES[name], end)
        found.append(Timing(board.uid, panel.title, name, error, series, took))
    return found


def warm(source: Source, boards: Sequence[Board], end: int, timings: Sequence[Timing]) -> None:
    """One further run of every panel, added to its timing. `timings` are in the order of `cold`."""
    for timing, (name, board, panel) in zip(timings, asked(boards), strict=True):
        timing.warm.append(once(source, board, panel, RANGES[name], end)[0])


def asked(boards: Sequence[Board]) -> Iterator[tuple[str, Board, Panel]]:
    """(range, dashboard, panel) of everything that is asked, in order."""
    return ((name, board, panel) for name in RANGES for board in boards for panel in board.panels)


def once(source: Source, board: Board, panel: Panel, seconds: int, end: int) -> tuple[float, str, int]:
    """(seconds, error, series) of a panel's queries one after the other, with the step Grafana would take.

    The seconds are those from each question to the last byte of its answer. Making objects of it is Python's work, and
    sometimes its garbage collector's, and took longer than the answer itself.
    """
    shown = queried(WIDE, panel, end, seconds)
    before = source.waited
    answer = ask(source, board, panel, shown)
    return source.waited - before, answer.error, len(answer.lines)


def slowest(timings: Sequence[Timing], board: str, range_: str) -> tuple[float, str]:
    """p95 over the runs of the slowest panel of each, in seconds, and which panel that was most often."""
    mine = [timing for timing in timings if (timing.board, timing.range) == (board, range_)]
    each = [max((timing.warm[run], timing.panel) for timing in mine) for run in range(len(mine[0].warm))]
    names = [panel for _, panel in each]
    return percentile([seconds for seconds, _ in each], 0.95), max(names, key=names.count)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` of all do not exceed."""
    ordered = sorted(values)
    return ordered[math.ceil(len(ordered) * share) - 1]
