"""Rows of labels and values."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from dashboards.preview.answers import Answer, Line
from dashboards.preview.board import Panel
from dashboards.preview.looks import override, value_text
from dashboards.preview.sheet import Box, Sheet, fitted, width

SIZE: Final = 12
LINE: Final = 24
GAP: Final = 18
Row = dict[str, str | float]


@dataclass(frozen=True, slots=True)
class Content:
    """A table in words: its heads, its rows, and which columns hold numbers."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]


def table(sheet: Sheet, box: Box, answer: Answer) -> None:
    """As many rows as fit; the last line counts the others."""
    found = content(answer)
    columns = fair([_needs(found, index) for index in range(len(found.heads))], box.width)
    room = max(int(box.height // LINE) - 1, 1)
    shown = found.rows if len(found.rows) <= room else found.rows[: room - 1]
    _row(sheet, box.cut_top(LINE)[0], found.heads, columns, found.numeric, bold=True)
    for index, row in enumerate(shown):
        line = Box(box.left, box.top + LINE * (index + 1), box.width, LINE)
        sheet.block(Box(line.left, line.top, line.width, 1), sheet.ink.grid)
        _row(sheet, line, row, columns, found.numeric)
    if len(shown) < len(found.rows):
        y = box.top + LINE * (len(shown) + 1.5)
        sheet.text(box.left + 6, y, f"and {len(found.rows) - len(shown)} more rows", SIZE, sheet.ink.muted)


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
    if isinstance(value, float):
        return value_text(panel, value, str(override(panel, title, "unit") or ""))
    return value or ""


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
    texts: Sequence[str],
    columns: Sequence[float],
    numeric: Sequence[bool],
    *,
    bold: bool = False,
) -> None:
    x = line.left
    for text, room, right in zip(texts, columns, numeric, strict=True):
        shown = fitted(text, SIZE, room - GAP / 2, bold=bold)
        at, align = (x + room - 6, "right") if right else (x + 6, "left")
        sheet.text(at, line.middle[1], shown, SIZE, sheet.ink.muted if bold else "", bold=bold, align=align)
        x += room
