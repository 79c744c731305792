"""A dashboard as one HTML page that needs nothing else: neither script nor font nor anything from another server."""

from collections.abc import Mapping
from html import escape
from pathlib import Path
from string import Template
from typing import Final

from dashboards.preview.answers import Answer
from dashboards.preview.board import Board, Panel, Section
from dashboards.preview.drawings import draw
from dashboards.preview.ink import DARK, LIGHT, MARKED, Ink
from dashboards.preview.layout import PHONE, WIDE, Page, size
from dashboards.preview.picture import NOTE, PADDING, TITLE_HEIGHT, shown
from dashboards.preview.sheet import Sheet

PAGE: Final = Template((Path(__file__).parent / "page.html").read_text(encoding="utf-8"))


def page(board: Board, answers: Mapping[str, list[Answer]], end: int, siblings: Mapping[str, str]) -> str:
    """The page. `answers` are by the name of the page they were asked for, `siblings` are file to title.

    Every panel is drawn twice, for a wide screen and for a phone; the style sheet shows the one that fits.
    """
    drawn = {
        id(wide.panel): "\n".join((_drawing(PHONE, phone, number), _drawing(WIDE, wide, number)))
        for number, (phone, wide) in enumerate(zip(answers[PHONE.name], answers[WIDE.name], strict=True))
    }
    return PAGE.substitute(
        _inks("light", LIGHT) | _inks("dark", DARK),
        title=escape(board.title),
        question=escape(board.question),
        shown=escape(shown(board, end)),
        note=escape(NOTE),
        links=" ".join(f'<a href="{escape(file)}">{escape(title)}</a>' for file, title in siblings.items()),
        sections="\n".join(_section(section, drawn) for section in board.sections),
    )


def _inks(name: str, ink: Ink) -> dict[str, str]:
    return {f"{name}_{part}": getattr(ink, part) for part in ("text", "muted", "grid", "paper", "page")}


def _section(section: Section, drawn: Mapping[int, str]) -> str:
    heading = escape(section.title) + (" <small>closed in Grafana</small>" if section.closed else "")
    panels = "\n".join(_figure(panel, drawn[id(panel)]) for panel in section.panels)
    return f'<section>\n<h2>{heading}</h2>\n<div class="grid">\n{panels}\n</div>\n</section>'


def _figure(panel: Panel, drawings: str) -> str:
    place = panel.place
    style = f"--x: {place.x + 1}; --w: {place.width}; --y: {place.y + 1}; --h: {place.height}"
    queries = "".join(f"<code>{escape(target.expr)}</code>" for target in panel.targets)
    words = f"<p>{escape(panel.description)}</p>{queries}"
    caption = f"<details><summary>{escape(panel.title)}</summary>{words}</details>"
    return f'<figure style="{style}">\n<figcaption>{caption}</figcaption>\n{drawings}\n</figure>'


def _drawing(each: Page, answer: Answer, number: int) -> str:
    wide, tall = size(each, answer.panel)
    sheet = Sheet(wide - 2 * PADDING, tall - TITLE_HEIGHT - PADDING - 4, MARKED)
    draw(sheet, sheet.box, answer)
    label = escape(answer.panel.title, quote=True)
    return sheet.svg(f"{each.name}-{number}").replace(
        "<svg ", f'<svg class="{each.name}" role="img" aria-label="{label}" ', 1
    )
