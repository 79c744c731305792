"""A whole dashboard as one picture."""

import io
from datetime import UTC, datetime
from typing import Final

from PIL import Image

from dashboards.preview.answers import Answer
from dashboards.preview.board import Board, Section
from dashboards.preview.drawings import draw
from dashboards.preview.ink import LIGHT
from dashboards.preview.layout import HEADING, MARGIN, Page, bottom, boxes
from dashboards.preview.sheet import Box, Sheet, fitted, wrapped

HEAD: Final = 66
PHONE_HEAD: Final = 106
LINE: Final = 18
# Of a wide page's head, for the time shown.
BESIDE: Final = 420
# By whether the page is narrow.
CLOSED: Final = {False: " (closed in Grafana)", True: " (closed)"}
TITLE_HEIGHT: Final = 30
PADDING: Final = 12
# The first number of colours that makes a picture small enough for the docs, in bytes, is taken.
COLORS: Final = (128, 64, 48, 32, 24)
SMALL: Final = 145_000
NOTE: Final = "Preview drawn from Prometheus, not Grafana"


def picture(board: Board, page: Page, answers: list[Answer], end: int) -> bytes:
    """The dashboard as a PNG of the page's width, with as many colours as keep it small."""
    by_panel = {id(answer.panel): answer for answer in answers}
    tops, tall = _tops(board, page)
    sheet = Sheet(page.width, tall, LIGHT, LIGHT.page)
    _head(sheet, board, page, end)
    for section, top in zip(board.sections, tops, strict=True):
        _heading(sheet, section, page, top - HEADING)
        for panel, box in boxes(page, section, top):
            framed(sheet, box, by_panel[id(panel)])
    return _packed(sheet.png())


def framed(sheet: Sheet, box: Box, answer: Answer) -> None:
    """A panel with its frame and title."""
    sheet.block(box, sheet.ink.paper, radius=4, edge=sheet.ink.grid)
    title = box.inner(PADDING).cut_top(TITLE_HEIGHT - PADDING)[0]
    if answer.panel.title:
        sheet.text(title.left, title.middle[1], fitted(answer.panel.title, 13, title.width, bold=True), 13, bold=True)
    draw(sheet, body(box, titled=bool(answer.panel.title)), answer)


def body(box: Box, *, titled: bool) -> Box:
    """What a frame leaves for the panel's picture."""
    head = TITLE_HEIGHT + 4 if titled else PADDING
    return Box(box.left + PADDING, box.top + head, box.width - 2 * PADDING, box.height - head - PADDING)


def _tops(board: Board, page: Page) -> tuple[list[float], float]:
    """Where each section's panels begin, and how high the page is."""
    more = LINE * (len(question_lines(board, page)) - 1)
    tops, y = list[float](), float(PHONE_HEAD + more if page.narrow else HEAD)
    for section in board.sections:
        tops.append(y + HEADING)
        y = bottom(page, section, y + HEADING) + 8
    return tops, y + MARGIN


def _head(sheet: Sheet, board: Board, page: Page, end: int) -> None:
    room = page.inner if page.narrow else page.inner - BESIDE
    sheet.text(MARGIN, 26, fitted(board.title, 20, room, bold=True), 20, bold=True)
    lines = question_lines(board, page)
    for number, line in enumerate(lines):
        sheet.text(MARGIN, 50 + LINE * number, line, 13, sheet.ink.muted)
    below = 54 + LINE * len(lines)
    x, y, align = (MARGIN, below, "left") if page.narrow else (page.width - MARGIN, 26, "right")
    sheet.text(x, y, shown(board, end), 12, sheet.ink.muted, align=align)
    sheet.text(x, y + 20, NOTE, 12, sheet.ink.muted, align=align)


def question_lines(board: Board, page: Page) -> list[str]:
    """The question as lines: one beside the time shown, and as many as it takes where that stands below."""
    if not page.narrow:
        return [fitted(board.question, 13, page.inner - BESIDE)]
    return [line.rstrip() for line in wrapped(board.question, 13, page.inner)]


def shown(board: Board, end: int) -> str:
    """The time shown, in UTC."""
    first, last = (datetime.fromtimestamp(time, UTC) for time in (end - board.seconds, end))
    return f"{first:%d %b %Y %H:%M} to {last:%H:%M} UTC"


def _heading(sheet: Sheet, section: Section, page: Page, top: float) -> None:
    words = section.title + (CLOSED[page.narrow] if section.closed else "")
    sheet.text(MARGIN, top + HEADING / 2, fitted(words, 15, page.inner, bold=True), 15, bold=True)


def _packed(png: bytes) -> bytes:
    """With few colours. An octree keeps those of text and paper as they are; a median cut does not."""
    image, found = Image.open(io.BytesIO(png)).convert("RGB"), png
    for count in COLORS:
        target = io.BytesIO()
        packed = image.quantize(count, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        packed.save(target, format="png", optimize=True)
        found = target.getvalue()
        if len(found) <= SMALL:
            break
    return found
