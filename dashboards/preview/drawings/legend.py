"""The names of a graph's or pie's series, with what their legend tells of each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from dashboards.preview.sheet import Box, Sheet, fitted, width

SIZE: Final = 11
LINE: Final = 17
SWATCH: Final = 12


@dataclass(frozen=True, slots=True)
class Entry:
    """One series: its colour, its name, and the texts of its columns."""

    color: str
    name: str
    columns: tuple[str, ...]


CALCULATIONS: Final[dict[str, tuple[str, Callable[[Sequence[float]], float]]]] = {
    "lastNotNull": ("Last", lambda values: values[-1]),
    "last": ("Last", lambda values: values[-1]),
    "max": ("Max", max),
    "min": ("Min", min),
    "mean": ("Mean", lambda values: sum(values) / len(values)),
    "sum": ("Total", sum),
}


def height(count: int, room: float, *, headed: bool) -> float:
    """How many pixels a legend of `count` series takes, at most two fifths of `room`."""
    lines = count + (1 if headed else 0)
    return LINE * min(lines, max(int(room * 0.4 / LINE), 2))


def legend(sheet: Sheet, box: Box, heads: Sequence[str], entries: Sequence[Entry]) -> None:
    """A table of series. Those that do not fit are counted in its last line."""
    rows = ([*heads] and 1) or 0
    room = max(int(box.height // LINE) - rows, 1)
    shown = list(entries[:room])
    if len(entries) > room:
        shown = shown[: room - 1]
    columns = _columns(heads, shown)
    names = box.width - SWATCH - sum(columns)
    _row(sheet, box.cut_top(LINE)[0], heads, columns, bold=True)
    for index, entry in enumerate(shown):
        line = Box(box.left, box.top + LINE * (index + rows), box.width, LINE)
        sheet.block(Box(line.left, line.middle[1] - 2, 8, 4), entry.color)
        sheet.text(line.left + SWATCH, line.middle[1], fitted(entry.name, SIZE, names - 4), SIZE)
        _row(sheet, line, entry.columns, columns)
    if len(shown) < len(entries):
        y = box.top + LINE * (len(shown) + rows + 0.5)
        sheet.text(box.left + SWATCH, y, f"and {len(entries) - len(shown)} more", SIZE, sheet.ink.muted)


def _columns(heads: Sequence[str], entries: Sequence[Entry]) -> list[float]:
    texts = [[head, *(entry.columns[index] for entry in entries)] for index, head in enumerate(heads)]
    return [max(width(text, SIZE, bold=True) for text in column) + 14 for column in texts]


def _row(sheet: Sheet, line: Box, texts: Sequence[str], columns: Sequence[float], *, bold: bool = False) -> None:
    x = line.right
    for text, room in reversed(list(zip(texts, columns, strict=True))):
        sheet.text(x, line.middle[1], text, SIZE, sheet.ink.muted if bold else "", bold=bold, align="right")
        x -= room
