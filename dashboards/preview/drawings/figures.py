"""Present values: large numbers, dials and bars."""

import math
from typing import Final

import numpy as np
from matplotlib.patches import Wedge

from dashboards.preview.answers import Answer, Line
from dashboards.preview.board import Panel
from dashboards.preview.ink import color, readable_on
from dashboards.preview.looks import mapping, threshold_color, thresholds, value_color, value_text
from dashboards.preview.sheet import Box, Sheet, fitted, width

GAP: Final = 6
LARGEST: Final = 44
SMALLEST: Final = 9
# Two points make a line.
FEWEST_POINTS: Final = 2
NAME_SIZE: Final = 12
# A dial is three quarters of a circle, open below.
FIRST_DEGREE: Final = 225
DEGREES: Final = 270


def numbers(sheet: Sheet, box: Box, answer: Answer) -> None:
    """One tile for each series, and one for missing data where there is none."""
    lines = series(answer)
    tiles = tiled(box, len(lines))
    shown = [number_text(answer, line) for line in lines]
    named = named_tiles(answer.panel, len(lines))
    size = min(number_size(text, tile, named=named) for text, tile in zip(shown, tiles, strict=True))
    for line, text, tile in zip(lines, shown, tiles, strict=True):
        _tile(sheet, tile, answer, line, size=size, text=text, named=named)
        if answer.panel.options.get("graphMode", "none") != "none":
            _sparkline(sheet, tile, answer, line)


def series(answer: Answer) -> list[Line]:
    """The lines of the answer, or one without values, which Grafana draws as a null."""
    return list(answer.lines) or [Line("", "A", {}, ())]


def newest(answer: Answer, line: Line) -> float | None:
    """The value that is shown: the last number, or the last value where the panel says so; None for a null or NaN."""
    if "last" not in (answer.panel.options.get("reduceOptions") or {}).get("calcs", []):
        return line.last
    value = line.points[-1][1] if line.points else math.nan
    return None if math.isnan(value) else value


def _sparkline(sheet: Sheet, tile: Box, answer: Answer, line: Line) -> None:
    """The line over the time range, at the foot of its tile."""
    values = np.array([value for _, value in line.points])
    finite = values[np.isfinite(values)]
    if finite.size < FEWEST_POINTS:
        return
    axes = sheet.axes(Box(tile.left + 4, tile.bottom - tile.height * 0.3, tile.width - 8, tile.height * 0.28))
    low, high = float(finite.min()), float(finite.max())
    axes.set(xticks=[], yticks=[], ylim=(low, high if high > low else low + 1))
    axes.set_xlim(answer.window.start, answer.window.end)
    ink = readable_on(value_color(answer.panel, newest(answer, line)))
    axes.plot([time for time, _ in line.points], values, color=ink, linewidth=1, alpha=0.45)


def named_tiles(panel: Panel, count: int) -> bool:
    """Whether a tile bears its series' name: Grafana names them where there are several, unless told."""
    mode = panel.options.get("textMode", "auto")
    return mode in {"value_and_name", "name"} or (mode == "auto" and count > 1)


def number_text(answer: Answer, line: Line) -> str:
    panel = answer.panel
    return line.name if panel.options.get("textMode") == "name" else value_text(panel, newest(answer, line))


def number_size(text: str, tile: Box, *, named: bool) -> float:
    """The greatest size in pixels at which the text fits the tile."""
    room = tile.height - (NAME_SIZE + 8 if named else 0)
    by_width = 0.86 * tile.width / max(width(text, 100, bold=True), 1) * 100
    return max(min(LARGEST, room * 0.62, by_width), SMALLEST)


def tiled(box: Box, count: int) -> list[Box]:
    """`count` equal boxes, in as many columns as keep them nearest to three times as wide as high."""

    def odd(columns: int) -> float:
        rows = math.ceil(count / columns)
        shape = (box.width / columns) / (box.height / rows)
        return abs(math.log(shape / 3)) + 0.1 * (columns * rows - count)

    columns = min(range(1, count + 1), key=odd)
    rows = math.ceil(count / columns)
    across, down = (box.width - GAP * (columns - 1)) / columns, (box.height - GAP * (rows - 1)) / rows
    return [
        Box(box.left + (index % columns) * (across + GAP), box.top + (index // columns) * (down + GAP), across, down)
        for index in range(count)
    ]


def _tile(sheet: Sheet, tile: Box, answer: Answer, line: Line, *, size: float, text: str, named: bool) -> None:
    panel = answer.panel
    own = value_color(panel, newest(answer, line))
    ground = str(panel.options.get("colorMode", "value")).startswith("background")
    if ground:
        sheet.block(tile, own, radius=5)
    letters = readable_on(own) if ground else own if panel.options.get("colorMode") != "none" else sheet.ink.text
    x, y = tile.middle
    if named:
        name = fitted(line.name, NAME_SIZE, tile.width - 12)
        sheet.text(x, y - size * 0.62, name, NAME_SIZE, letters if ground else sheet.ink.muted, align="center")
        y += NAME_SIZE * 0.7
    sheet.text(x, y, text, size, letters, bold=True, align="center")


def dials(sheet: Sheet, box: Box, answer: Answer) -> None:
    """One dial for each series, with the thresholds' colours around it."""
    lines = series(answer)
    for line, tile in zip(lines, tiled(box, len(lines)), strict=True):
        _dial(sheet, tile, answer.panel, newest(answer, line))
        if len(lines) > 1:
            sheet.text(tile.middle[0], tile.bottom - 8, fitted(line.name, 11, tile.width), 11, align="center")


def _dial(sheet: Sheet, tile: Box, panel: Panel, value: float | None) -> None:
    low, high = ends(panel)
    share = min(max(((low if value is None else value) - low) / (high - low), 0), 1)
    axes = sheet.axes(tile)
    axes.set(xlim=(-1.1, 1.1), ylim=(-0.85, 1.1), xticks=[], yticks=[], aspect="equal")
    arc = [(0.0, 1.0, 0.92, 0.2, sheet.ink.grid), (0, share, 0.92, 0.2, value_color(panel, value))]
    for start, end, name in _stretches(panel):
        arc.append(((start - low) / (high - low), (end - low) / (high - low), 1.0, 0.045, color(name)))
    for start, end, radius, thick, ink in arc:
        angles = FIRST_DEGREE - DEGREES * end, FIRST_DEGREE - DEGREES * start
        axes.add_patch(Wedge((0, 0), radius, *angles, width=thick, facecolor=ink, edgecolor="none"))
    text, x = value_text(panel, value), tile.middle[0]
    radius = min(tile.width / 2.2, tile.height / 1.95)
    size = max(min(radius * 0.42, radius * 1.1 / max(width(text, 100, bold=True), 1) * 100), SMALLEST)
    sheet.text(
        x, tile.top + tile.height * 1.05 / 1.95, text, size, value_color(panel, value), bold=True, align="center"
    )


def _stretches(panel: Panel) -> list[tuple[float, float, str]]:
    """(from, to, colour) of each threshold within the dial."""
    low, high = ends(panel)
    steps = [(max(start, low), name) for start, name in thresholds(panel) if start < high]
    bounds = [*(start for start, _ in steps[1:]), high]
    return [(start, end, name) for (start, name), end in zip(steps, bounds, strict=True)] if steps else []


def ends(panel: Panel) -> tuple[float, float]:
    """Where a dial or bar begins and ends: 0 and 1 for a share, 0 and 100 otherwise, unless the panel says."""
    low, high = panel.defaults.get("min"), panel.defaults.get("max")
    found = float(low or 0), float((1 if panel.unit == "percentunit" else 100) if high is None else high)
    return found if found[0] < found[1] else (found[0], found[0] + 1)


def bars(sheet: Sheet, box: Box, answer: Answer) -> None:
    """One horizontal bar for each series, its name before it and its value behind."""
    lines = [line for line in answer.lines if line.values]
    top = max(line.last or 0 for line in lines)
    high = ends(answer.panel)[1] if answer.panel.defaults.get("max") is not None else max(top, 1e-12)
    each = min(box.height / len(lines), 40)
    before = min(max(width(line.name, NAME_SIZE) for line in lines) + GAP, box.width / 3)
    behind = max(width(value_text(answer.panel, line.last), NAME_SIZE) for line in lines) + GAP
    for index, line in enumerate(lines):
        y = box.top + each * (index + 0.5)
        sheet.text(box.left, y, fitted(line.name, NAME_SIZE, before - GAP), NAME_SIZE)
        room = Box(box.left + before, y - each * 0.35, box.width - before - behind, each * 0.7)
        sheet.block(room, sheet.ink.grid)
        sheet.block(
            room.cut_left(room.width * min(max((line.last or 0) / high, 0), 1))[0], _bar_color(answer.panel, line)
        )
        sheet.text(box.right, y, value_text(answer.panel, line.last), NAME_SIZE, align="right")


def _bar_color(panel: Panel, line: Line) -> str:
    value = line.last or 0.0
    return color(str(mapping(panel, value).get("color") or threshold_color(panel, value)))
