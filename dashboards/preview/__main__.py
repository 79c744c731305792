"""Draw the dashboards: `python -m dashboards.preview`.

Without --prometheus it makes an example of a few hours, the same every time, and asks a Prometheus of its own.
"""

import argparse
import re
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from charts.durations import in_seconds
from dashboards.preview.board import Board, read
from dashboards.preview.drawing import told, write
from dashboards.preview.source import QueryError, Source

ROOT: Final = Path(__file__).parents[2]
SHIPPED: Final = ROOT / "charts" / "sergas-monitoring" / "dashboards"
TARGET: Final = ROOT / "build" / "preview"
DRAWERS: Final = 2
# What the example holds in detail, whatever a dashboard shows by default.
EXAMPLE_SECONDS: Final = 3 * 3600


def main(arguments: Sequence[str] | None = None) -> int:
    """Write a page and two pictures a dashboard; 1 when a query failed."""
    options = parser().parse_args(arguments)
    shipped = {file.stem: read(file) for file in sorted(SHIPPED.glob("*.json"))}
    last = options.last or (0 if options.prometheus else EXAMPLE_SECONDS)
    boards = [shown(board, last) for board in chosen(shipped, options.dashboards)]
    titles = {f"{board.uid}.html": board.title for board in shipped.values()}
    with ExitStack() as stack:
        if options.prometheus:
            url, end = options.prometheus, options.at or int(time.time())
            with Source(url) as source:
                source.instant("vector(1)", end)
        else:
            from dashboards.preview.example import STATES, example  # noqa: PLC0415 -- needs Helm and promtool

            state = STATES[options.state]
            url, end = stack.enter_context(example(state)), state.end
        with ProcessPoolExecutor(DRAWERS, mp_context=get_context("spawn")) as drawers:
            jobs = [drawers.submit(write, board, url, end, options.into, titles) for board in boards]
            failures = [line for job in jobs for line in told(job.result())]
    return 1 if failures else 0


def parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(prog="make preview", description=__doc__)
    found.add_argument("--prometheus", metavar="URL", default="", help="the Prometheus to ask; default: an example's")
    found.add_argument("--at", type=int, metavar="SECONDS", help="the end of the time shown, since 1970; default: now")
    found.add_argument("--last", type=duration, default=0, metavar="TIME", help="such as 15m; default: each one's own")
    found.add_argument("--state", choices=("healthy", "incident", "gone"), default="healthy", help="of the example")
    found.add_argument("--into", type=Path, metavar="FOLDER", default=TARGET, help="default: build/preview")
    found.add_argument("dashboards", nargs="*", help="uids or names of files; default: all")
    return found


def duration(text: str) -> int:
    """Seconds of a duration such as 15m or 1h30m.

    Raises:
        argparse.ArgumentTypeError: saying how to write one.
    """
    if not re.fullmatch(r"(\d+[smhd])+", text) or not in_seconds(text):
        raise argparse.ArgumentTypeError(f"{text} is no duration; write one such as 15m, 6h or 1h30m")
    return in_seconds(text)


def shown(board: Board, last: int) -> Board:
    """The dashboard over its last so many seconds; over its own time where that is 0."""
    return replace(board, seconds=last or board.seconds)


def chosen(shipped: Mapping[str, Board], names: Sequence[str]) -> list[Board]:
    """The dashboards named, by their uid or file, in the order shipped; all without a name.

    Raises:
        SystemExit: naming one that is not there, and those that are.
    """
    known = {*shipped, *(board.uid for board in shipped.values())}
    if missing := [name for name in names if name not in known]:
        raise SystemExit(f"no dashboard {', '.join(missing)}; choose from {', '.join(sorted(known))}")
    return [board for file, board in shipped.items() if not names or {file, board.uid} & set(names)]


if __name__ == "__main__":
    try:
        sys.exit(main())
    except QueryError as error:
        sys.exit(str(error))
