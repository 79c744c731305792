"""One dashboard, asked and drawn: an HTML page and two pictures."""

import sys
from pathlib import Path

from dashboards.preview.answers import Answer, ask, decided, marks
from dashboards.preview.board import Board
from dashboards.preview.layout import PHONE, WIDE, queried
from dashboards.preview.page import page
from dashboards.preview.picture import picture
from dashboards.preview.source import Source


def write(board: Board, url: str, end: int, into: Path, siblings: dict[str, str]) -> tuple[str, list[Answer]]:
    """Query and draw one dashboard. Returns where its page is and the answers of the wide page."""
    with Source(url) as source:
        board = decided(source, board, end)
        happened = marks(source, board, end, board.seconds)
        answers = {
            each.name: [
                ask(source, board, panel, queried(each, panel, end, board.seconds), happened) for panel in board.panels
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
