"""How values are spread over buckets, moment by moment."""

import math
from typing import Final

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from dashboards.preview.answers import Answer
from dashboards.preview.drawings.graph import BELOW_AXIS, RIGHT, TICK_SIZE, on_grid
from dashboards.preview.drawings.ticks import clock, time_ticks
from dashboards.preview.sheet import Box, Sheet, width
from dashboards.preview.units import written

# From hardly anything to very many; nothing at all is left blank.
HEAT: Final = LinearSegmentedColormap.from_list("heat", ["#fbe3cb", "#f3a75f", "#d9622b", "#8f2d12"])
COLUMNS: Final = 90


def spread(sheet: Sheet, box: Box, answer: Answer) -> None:
    """A column for each moment, a cell for each bucket, darker where there are more."""
    bounds, cells = buckets(answer)
    texts = ["∞" if math.isinf(bound) else written(bound, _unit(answer)) for bound in bounds]
    left = max(width(text, TICK_SIZE) for text in texts) + 8
    inner = Box(box.left + left, box.top + 4, box.width - left - RIGHT, box.height - BELOW_AXIS - 4)
    axes = sheet.axes(inner)
    shown = np.ma.masked_less_equal(np.nan_to_num(cells), 0)
    half = answer.window.step / 2
    times = np.linspace(answer.window.start - half, answer.window.end + half, cells.shape[1] + 1)
    axes.pcolormesh(
        times, np.arange(len(bounds) + 1), np.ma.sqrt(shown), cmap=HEAT, edgecolors=sheet.ink.paper, linewidth=0.5
    )
    axes.set(xlim=(times[0], times[-1]), ylim=(0, len(bounds)))
    every = math.ceil(len(bounds) * 14 / inner.height)
    axes.set_yticks([index + 1 for index in range(0, len(bounds), every)], texts[::every])
    axes.set_xticks(time_ticks(answer.window, int(inner.width / 64)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda time, _: clock(time, answer.window.seconds)))
    axes.tick_params(length=0, labelsize=TICK_SIZE, labelcolor=sheet.ink.muted, pad=4)


def buckets(answer: Answer) -> tuple[list[float], NDArray[np.float64]]:
    """Upper bounds in rising order, and how many fell between each and the one below, in at most 90 columns."""
    lines = sorted((float(line.labels.get("le", "inf")), on_grid(line, answer.window)) for line in answer.lines)
    cumulative = np.array([values for _, values in lines])
    own = np.diff(cumulative, axis=0, prepend=0)
    merged = max(math.ceil(own.shape[1] / COLUMNS), 1)
    padded = np.pad(own, ((0, 0), (0, -own.shape[1] % merged)), constant_values=np.nan)
    with np.errstate(all="ignore"):
        columns = np.nan_to_num(padded).reshape(len(lines), -1, merged).mean(axis=2)
    return [bound for bound, _ in lines], columns


def _unit(answer: Answer) -> str:
    return str((answer.panel.options.get("yAxis") or {}).get("unit") or answer.panel.unit)
