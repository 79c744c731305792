"""Words where there is no picture: a text panel, a failure, or that there is nothing to show."""

import re
from typing import Final

from dashboards.preview.answers import Answer
from dashboards.preview.ink import color
from dashboards.preview.looks import value_text
from dashboards.preview.sheet import Box, Sheet, fitted, wrapped

SIZE: Final = 12
LINE: Final = 17


def nothing(sheet: Sheet, box: Box, answer: Answer) -> None:
    x, y = box.middle
    sheet.text(x, y, value_text(answer.panel, None), 14, sheet.ink.muted, align="center")


def failed(sheet: Sheet, box: Box, answer: Answer) -> None:
    """That the query failed, and why, as far as there is room."""
    head, rest = box.cut_top(LINE)
    sheet.text(head.left, head.middle[1], "The query failed", SIZE, color("red"), bold=True)
    paragraph(sheet, rest, answer.error, sheet.ink.text)


def words(sheet: Sheet, box: Box, answer: Answer) -> None:
    """The text of a text panel, its marks of Markdown or HTML left out."""
    content = str(answer.panel.options.get("content", ""))
    plain = re.sub(r"<[^>]+>|[*`#]|\]\([^)]*\)|\[", "", content)
    paragraph(sheet, box, plain, sheet.ink.text)


def paragraph(sheet: Sheet, box: Box, content: str, ink: str) -> None:
    """`content` in lines; the last one that fits ends with an ellipsis when there are more."""
    room = max(int(box.height // LINE), 1)
    lines = wrapped(content, SIZE, box.width)
    shown = lines[:room]
    if len(lines) > room:
        shown[-1] = fitted(shown[-1] + "  …", SIZE, box.width)
    for index, line in enumerate(shown):
        sheet.text(box.left, box.top + LINE * (index + 0.5), line, SIZE, ink)
