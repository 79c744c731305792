"""Rows of labels and values."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Final

from dashboards.preview.answers import Answer, Line
from dashboards.preview.board import Panel
from dashboards.preview.looks import override, value_text
from dashboards.preview.sheet import Box, Sheet, divided, fitted, width

SIZE: Final = 12
LINE: Final = 24
# From one line of a name to the next.
NEXT: Final = 15
GAP: Final = 18
Row = dict[str, str | float]


@dataclass(frozen=True, slots=True)
class Content:
    """A table in words: its heads, its rows, and which columns hold numbers."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]


def table(sheet: Sheet, box: Box, answer: Answer) -> None:
    """As many rows as fit, names that are too long on several lines; the last line counts the rows left out."""
    found = content(answer)
    columns = fair([_needs(found, index) for index in range(len(found.heads))], box.width)
    head, rest = box.cut_top(LINE)
    rooms = [column - GAP / 2 for column in columns]
    heads = [[fitted(text, SIZE, room, bold=True)] for text, room in zip(found.heads, rooms, strict=True)]
    _row(sheet, head, heads, columns, found.numeric, bold=True)
    rows = [[divided(text, SIZE, room) for text, room in zip(row, rooms, strict=True)] for row in found.rows]
    heights = [LINE + NEXT * (max(map(len, cells)) - 1) for cells in rows]
    shown = fitting(heights, rest.height, LINE)
    for cells, height in zip(rows[:shown], heights, strict=False):
        line, rest = rest.cut_top(height)
        sheet.block(Box(line.left, line.top, line.width, 1), sheet.ink.grid)
        _row(sheet, line, cells, columns, found.numeric)
    if shown < len(rows):
        sheet.text(box.left + 6, rest.top + LINE / 2, f"and {len(rows) - shown} more rows", SIZE, sheet.ink.muted)


def fitting(heights: Sequence[float], room: float, last: float) -> int:
    """How many of these heights fit into `room`; where not all do, one more line of height `last` fits below them."""
    if sum(heights) <= room:
        return len(heights)
    ends = accumulate(heights)
    return sum(end + last <= room for end in ends)


def content(answer: Answer) -> Content:
    """What Grafana's transformations leave of the answer, sorted as the panel says."""
    rows, names = _rows(answer.lines)
    titles = _titles(answer.panel, names)
    rows = _sorted(answer.panel, rows, titles)
    numeric = tuple(any(isinstance(row.get(name), float) for row in rows) for name in titles)
    written_rows = tuple(
        tuple(_cell(answer.panel, title, row.get(name)) for name, title in titles.items()) for row in rows
    )
    return Content(tuple(titles.values()), written_rows, numeric)


def _rows(lines: Sequence[Line]) -> tuple[list[Row], list[str]]:
    """A row for each set of labels, the values of several queries beside each other, and the columns' names."""
    several = len({line.letter for line in lines}) > 1
    found: dict[tuple[tuple[str, str], ...], Row] = {}
    names: list[str] = []
    for line in lines:
        labels = {key: value for key, value in line.labels.items() if key != "__name__"}
        row = found.setdefault(tuple(sorted(labels.items())), dict[str, str | float](labels))
        row[f"Value #{line.letter}" if several else "Value"] = float(line.last or 0)
        names += [name for name in row if name not in names]
    return list(found.values()), names


def _titles(panel: Panel, names: list[str]) -> dict[str, str]:
    """{column: title} in the order shown, as the transformations `filterFieldsByName` and `organize` say."""
    place: dict[str, int] = {}
    renamed: dict[str, str] = {}
    for step in panel.transformations:
        options: dict[str, Any] = step.get("options") or {}
        if step["id"] == "filterFieldsByName" and options.get("include"):
            names = [name for name in names if _included(name, options["include"])]
        if step["id"] == "organize":
            names = [name for name in names if not (options.get("excludeByName") or {}).get(name)]
            place = place | (options.get("indexByName") or {})
            renamed = renamed | (options.get("renameByName") or {})
    names = sorted(names, key=lambda name: place.get(name, len(names)))
    return {name: renamed.get(name) or name for name in names}


def _included(name: str, include: dict[str, Any]) -> bool:
    if name in (include.get("names") or []):
        return True
    pattern = str(include.get("pattern") or "").strip("/")
    return bool(pattern) and bool(re.search(pattern, name))


def _sorted(panel: Panel, rows: list[Row], titles: dict[str, str]) -> list[Row]:
    for order in reversed(panel.options.get("sortBy") or []):
        name = next((name for name, title in titles.items() if title == order["displayName"]), "")
        texts = any(isinstance(row.get(name), str) for row in rows)
        rows = sorted(rows, key=lambda row: row.get(name, "" if texts else 0.0), reverse=bool(order.get("desc")))
    return rows


def _cell(panel: Panel, title: str, value: str | float | None) -> str:
    mappings = override(panel, title, "mappings") or []
    if isinstance(value, float):
        if mappings and value == int(value):
            return _word(mappings, str(int(value)))
        return value_text(panel, value, str(override(panel, title, "unit") or ""))
    return _word(mappings, value or "")


def _word(mappings: Sequence[dict[str, Any]], text: str) -> str:
    """The word that a text is mapped to, or the text."""
    found = [entry["options"].get(text, {}).get("text") for entry in mappings if entry["type"] == "value"]
    return str(next((word for word in found if word), text))


def _needs(found: Content, index: int) -> float:
    bold = width(found.heads[index], SIZE, bold=True)
    return max([bold, *(width(row[index], SIZE) for row in found.rows)]) + GAP


def fair(needs: Sequence[float], room: float) -> list[float]:
    """Widths that fill `room`: what is over is shared equally; where it is short, the widest give first."""
    widths = list(needs)
    while sum(widths) > room:
        widest = max(range(len(widths)), key=lambda index: widths[index])
        widths[widest] -= min(4, sum(widths) - room + 0.01)
    over = (room - sum(widths)) / max(len(widths), 1)
    return [own + over for own in widths]


def _row(
    sheet: Sheet,
    line: Box,
    cells: Sequence[Sequence[str]],
    columns: Sequence[float],
    numeric: Sequence[bool],
    *,
    bold: bool = False,
) -> None:
    x = line.left
    for cell, room, right in zip(cells, columns, numeric, strict=True):
        at, align = (x + room - 6, "right") if right else (x + 6, "left")
        for index, text in enumerate(cell):
            y = line.middle[1] + NEXT * (index - (len(cell) - 1) / 2)
            sheet.text(at, y, text, SIZE, sheet.ink.muted if bold else "", bold=bold, align=align)
        x += room
