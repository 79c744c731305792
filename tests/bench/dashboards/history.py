"""Thirty days of what was recorded, made up from what is recorded now."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np

from dashboards.preview.openmetrics import quoted
from dashboards.preview.server import add_blocks
from dashboards.preview.source import Series
from tests.bench.dashboards.fleet import COUNTER_ENDS

# Seconds between two samples of a series that no rule records.
STEP = 60
DAY = 86_400
# As long as the blocks that promtool is told to make (LONGEST_BLOCK), and on their bounds: it reads each text once.
WINDOW = 54 * 3600
SHAPES = 16


def fill(folder: Path, series: Sequence[Series], end: int, days: int, intervals: Mapping[str, int]) -> int:
    """Blocks of `series` for `days` before `end`; how many samples that is.

    `intervals` are the seconds between two evaluations of each record, and so between two of its samples. While
    promtool reads one window the next is written, so two texts lie on the disk at most.
    """
    samples = 0
    waiting: list[Future[None]] = []
    with ThreadPoolExecutor(1) as importer:
        for number, (start, stop) in enumerate(windows(end, days)):
            text = folder / f"window-{number}.om"
            samples += write(text, series, start, stop, intervals)
            for done in waiting:
                done.result()
            waiting = [importer.submit(add_blocks, text, folder)]
        for done in waiting:
            done.result()
    return samples


def windows(end: int, days: int) -> Iterator[tuple[int, int]]:
    """(start, stop) of each window: seconds since 1970, the stop being the next one's start."""
    start = end - days * DAY
    while start < end:
        stop = min(start - start % WINDOW + WINDOW, end)
        yield start, stop
        start = stop


def write(text: Path, series: Sequence[Series], start: int, stop: int, intervals: Mapping[str, int]) -> int:
    """Write one window: each series about its present value by day and night, counters rising; how many samples."""
    steps = {step: Grid(start, stop, step) for step in {STEP, *intervals.values()}}
    samples = 0
    with text.open("w", encoding="utf-8") as target:
        for number, one in enumerate(series):
            name, labels = one.labels["__name__"], {k: v for k, v in one.labels.items() if k != "__name__"}
            now = one.points[-1][1]
            rises = name.endswith(COUNTER_ENDS) and ":" not in name
            grid = steps[intervals.get(name, STEP)]
            values = grid.values(now if math.isfinite(now) else 1.0, number, rises=rises)
            head = f"{name}{{{','.join(f'{key}={quoted(value)}' for key, value in labels.items())}}} "
            target.write("".join([f"{head}{value:.6g}{at}" for value, at in zip(values, grid.ends, strict=True)]))
            samples += len(values)
        target.write("# EOF\n")
    return samples


class Grid:
    """The times of one window that are so many seconds apart, and what series have there."""

    def __init__(self, start: int, stop: int, step: int) -> None:
        times = range(start + -start % step, stop, step)
        self.ends = [f" {time}\n" for time in times]
        clock = np.array(times, dtype=float)
        self._since = clock - start
        self._day = 0.7 + 0.3 * np.sin(clock / DAY * 2 * math.pi)
        self._noise = np.random.default_rng(start).normal(1, 0.05, (SHAPES, len(clock)))

    def values(self, now: float, number: int, *, rises: bool) -> list[float]:
        """One value for each time; `number` chooses the noise."""
        found: list[float] = (
            now + self._since * 0.5 if rises else now * self._day * self._noise[number % SHAPES]
        ).tolist()
        return found
