"""Values over time."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from dashboards.preview.answers import Answer, Line, Mark
from dashboards.preview.board import Panel
from dashboards.preview.drawings.legend import CALCULATIONS, Entry, height, legend
from dashboards.preview.drawings.ticks import clock, time_ticks, value_ticks
from dashboards.preview.ink import color
from dashboards.preview.looks import line_color, thresholds
from dashboards.preview.sheet import Box, Sheet, width
from dashboards.preview.timing import Window
from dashboards.preview.units import written

Values = NDArray[np.float64]
TICK_SIZE: Final = 10
BELOW_AXIS: Final = 22
# Half of the last time's text.
RIGHT: Final = 16


def graph(sheet: Sheet, box: Box, answer: Answer) -> None:
    """Lines or stacked areas above their legend."""
    lines = [line for line in answer.lines if line.values]
    below, plot = _divided(box, answer, len(lines))
    times = np.arange(answer.window.start, answer.window.end + 1, answer.window.step, dtype=float)
    grid = [on_grid(line, answer.window) for line in lines]
    stacked = (answer.panel.custom.get("stacking") or {}).get("mode", "none") == "normal"
    tops = np.cumsum(np.nan_to_num(grid), axis=0) if stacked else np.array(grid)
    low, high = limits(answer, tops)
    axes = _axes(sheet, plot, answer, low, high)
    for index, line in enumerate(lines):
        base = tops[index - 1] if stacked and index else np.full_like(times, max(low, 0) if low <= 0 else low)
        _line(axes, times, (base, tops[index]), line_color(answer.panel, line, index), answer.panel)
    _marks(axes, answer)
    _thresholds(axes, answer, low, high)
    if below is not None:
        legend(sheet, below, *told(answer, lines))


def on_grid(line: Line, window: Window) -> Values:
    """The line's value at each step of the window; not a number where it has none."""
    values = np.full((window.end - window.start) // window.step + 1, np.nan)
    for time, value in line.points:
        values[round((time - window.start) / window.step)] = value if math.isfinite(value) else np.nan
    return values


def limits(answer: Answer, tops: Values) -> tuple[float, float]:
    """The ends of the value axis: the panel's own, or what the values need and a little room above."""
    low, high = answer.panel.defaults.get("min"), answer.panel.defaults.get("max")
    least, most = float(np.nanmin(tops)), float(np.nanmax(tops))
    least = float(low) if low is not None else least - 0.05 * (most - least)
    if high is None:
        most += 0.08 * (most - least)
    else:
        most = float(high)
    return (least, most) if most > least else (least, least + (abs(least) or 1))


def told(answer: Answer, lines: Sequence[Line]) -> tuple[list[str], list[Entry]]:
    """The legend's heads and entries."""
    options = answer.panel.options.get("legend") or {}
    names = options.get("calcs") or [] if options.get("displayMode", "list") == "table" else []
    known = [CALCULATIONS[name] for name in names if name in CALCULATIONS]
    entries = [
        Entry(
            line_color(answer.panel, line, index),
            line.name,
            tuple(written(calculate(line.values), answer.panel.unit, answer.panel.decimals) for _, calculate in known),
        )
        for index, line in enumerate(lines)
    ]
    return [head for head, _ in known], entries


def _divided(box: Box, answer: Answer, count: int) -> tuple[Box | None, Box]:
    options = answer.panel.options.get("legend") or {}
    if not options.get("showLegend", True) or options.get("displayMode") == "hidden":
        return None, box
    tall = height(count, box.height, headed=bool(options.get("calcs")))
    plot, rest = box.cut_top(box.height - tall - 6)
    return Box(rest.left, rest.top + 6, rest.width, tall), plot


def _axes(sheet: Sheet, box: Box, answer: Answer, low: float, high: float) -> Axes:
    """Axes with a grid, their values written in the panel's unit to the left and the time below."""
    ticks, texts = value_ticks(low, high, max(int(box.height / 36), 2), answer.panel.unit)
    left = max((width(text, TICK_SIZE) for text in texts), default=0) + 8
    inner = Box(box.left + left, box.top + 4, box.width - left - RIGHT, box.height - BELOW_AXIS - 4)
    axes = sheet.axes(inner)
    axes.set(xlim=(answer.window.start, answer.window.end), ylim=(low, high))
    axes.set_yticks(ticks, texts)
    axes.set_xticks(time_ticks(answer.window, int(inner.width / 64)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda time, _: clock(time, answer.window.seconds)))
    axes.tick_params(length=0, labelsize=TICK_SIZE, labelcolor=sheet.ink.muted, pad=6)
    axes.grid(color=sheet.ink.grid, linewidth=1)
    axes.set_axisbelow(True)
    return axes


def _line(axes: Axes, times: Values, area: tuple[Values, Values], ink: str, panel: Panel) -> None:
    (base, top), custom = area, panel.custom
    thickness = float(custom.get("lineWidth") or 1) + 0.4
    axes.plot(times, top, color=ink, linewidth=thickness, solid_joinstyle="round")
    alone = ~np.isnan(top) & np.isnan(np.append(top[1:], np.nan)) & np.isnan(np.insert(top[:-1], 0, np.nan))
    axes.plot(times[alone], top[alone], ".", color=ink, markersize=5)
    opacity = float(custom.get("fillOpacity") or 0) / 100
    if opacity:
        axes.fill_between(times, base, top, color=ink, alpha=opacity, linewidth=0)


def _thresholds(axes: Axes, answer: Answer, low: float, high: float) -> None:
    """Lines where a threshold begins, if the panel draws them and they are within sight."""
    style = str((answer.panel.custom.get("thresholdsStyle") or {}).get("mode", "off"))
    if style in {"off", "area"}:
        return
    for start, name in thresholds(answer.panel):
        if low <= start <= high:
            dashes = (0, (6, 4)) if "dashed" in style else "-"
            axes.axhline(start, color=color(name), linewidth=1.3, linestyle=dashes)


def _marks(axes: Axes, answer: Answer) -> None:
    """A dotted line where something began, and a band for as long as it lasted."""
    for begin, end, name in bands(answer.marks):
        if end > begin:
            axes.axvspan(begin, end, color=color(name), alpha=0.1, linewidth=0)
        axes.axvline(begin, color=color(name), linewidth=1, linestyle=(0, (2, 3)))


def bands(marks: Sequence[Mark]) -> list[tuple[float, float, str]]:
    """(begin, end, colour) of marks in order of time, those of one colour that overlap as one."""
    found: dict[str, list[tuple[float, float]]] = {}
    for mark in marks:
        joined = found.setdefault(mark.color, [])
        if joined and mark.begin <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], mark.end)
        else:
            joined.append((mark.begin, mark.end))
    return [(begin, end, name) for name, stretches in found.items() for begin, end in stretches]
