"""One dashboard, asked and drawn: an HTML page and two pictures."""

import sys
from pathlib import Path

from dashboards.preview.answers import Answer, ask, marks
from dashboards.preview.board import Board
from dashboards.preview.layout import PHONE, WIDE, points
from dashboards.preview.page import page
from dashboards.preview.picture import picture
from dashboards.preview.source import Source
from dashboards.preview.timing import window


def write(board: Board, url: str, end: int, into: Path, siblings: dict[str, str]) -> tuple[str, list[Answer]]:
    """Ask and draw one dashboard. Returns what to tell of it."""
    with Source(url) as source:
        happened = marks(source, board, end, board.seconds)
        answers = {
            each.name: [
                ask(source, board, panel, window(end, board.seconds, points(each, panel)), happened)
                for panel in board.panels
            ]
            for each in (WIDE, PHONE)
        }
    into.mkdir(parents=True, exist_ok=True)
    (into / f"{board.uid}.html").write_text(page(board, answers, end, siblings), encoding="utf-8")
    (into / f"{board.uid}.png").write_bytes(picture(board, WIDE, answers[WIDE.name], end))
    (into / f"{board.uid}-phone.png").write_bytes(picture(board, PHONE, answers[PHONE.name], end))
    return str(into / f"{board.uid}.html"), answers[WIDE.name]


def told(written: tuple[str, list[Answer]]) -> list[str]:
    """Print a line of the dashboard; the panels whose query failed."""
    where, answers = written
    empty = [answer.panel.title for answer in answers if answer.empty and not answer.error]
    failed = [f"{answer.panel.title}: {answer.error}" for answer in answers if answer.error]
    said = [f"{len(answers)} panels"]
    said += [f"{len(empty)} empty: {', '.join(empty)}"] if empty else []
    sys.stdout.write(f"{where}: {'; '.join(said)}\n" + "".join(f"  failed: {line}\n" for line in failed))
    sys.stdout.flush()
    return failed
