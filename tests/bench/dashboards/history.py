"""Thirty days of what was recorded, made up from what is recorded now."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np

from dashboards.preview.openmetrics import quoted
from dashboards.preview.server import add_blocks
from dashboards.preview.source import Series
from tests.bench.dashboards.fleet import COUNTER_ENDS

STEP = 60
DAY = 86_400
# As long as the blocks that promtool is told to make (LONGEST_BLOCK), and on their bounds: it reads each text once.
WINDOW = 54 * 3600
SHAPES = 16


def fill(folder: Path, series: Sequence[Series], end: int, days: int) -> int:
    """Blocks of `series` for `days` before `end`, one value a minute; how many samples that is.

    While promtool reads one window the next is written, so two texts lie on the disk at most.
    """
    samples = 0
    waiting: list[Future[None]] = []
    with ThreadPoolExecutor(1) as importer:
        for number, times in enumerate(windows(end, days)):
            text = folder / f"window-{number}.om"
            samples += write(text, series, times)
            for done in waiting:
                done.result()
            waiting = [importer.submit(add_blocks, text, folder)]
        for done in waiting:
            done.result()
    return samples


def windows(end: int, days: int) -> Iterator[range]:
    """The times, window by window."""
    start = end - days * DAY
    while start < end:
        stop = min(start - start % WINDOW + WINDOW, end)
        yield range(start + -start % STEP, stop, STEP)
        start = stop


def write(text: Path, series: Sequence[Series], times: range) -> int:
    """Write one window: each series about its present value by day and night, counters rising."""
    clock = np.array(times, dtype=float)
    day = 0.7 + 0.3 * np.sin(clock / DAY * 2 * math.pi)
    noise = np.random.default_rng(times.start).normal(1, 0.05, (SHAPES, len(clock)))
    ends = [f" {time}\n" for time in times]
    with text.open("w", encoding="utf-8") as target:
        for number, one in enumerate(series):
            name, labels = one.labels["__name__"], {k: v for k, v in one.labels.items() if k != "__name__"}
            now = one.points[-1][1]
            now = now if math.isfinite(now) else 1.0
            rises = name.endswith(COUNTER_ENDS) and ":" not in name
            values = now + (clock - clock[0]) * 0.5 if rises else now * day * noise[number % SHAPES]
            head = f"{name}{{{','.join(f'{key}={quoted(value)}' for key, value in labels.items())}}} "
            target.write("".join([f"{head}{value:.6g}{at}" for value, at in zip(values.tolist(), ends, strict=True)]))
        target.write("# EOF\n")
    return len(series) * len(times)
