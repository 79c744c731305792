"""Tell what is going on: a live line on a terminal, plain lines elsewhere, and a table at the end."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.status import Status
from rich.table import Table
from rich.text import Text

PLAIN_EVERY_SECONDS = 5.0
"""Without a terminal, a running step says at most one thing in this time."""


@dataclass
class Row:
    """A step that has ended well."""

    title: str
    seconds: float
    result: str


class Telling:
    """What a running step can say."""

    def __init__(self, console: Console, title: str, status: Status | None) -> None:
        self._console = console
        self._title = title
        self._status = status
        self._said_at = 0.0

    def __call__(self, text: str) -> None:
        """Show what is seen now."""
        if self._status is not None:
            self._status.update(Text.assemble((self._title, "bold"), "  ", (text, "dim")))
        elif time.monotonic() - self._said_at >= PLAIN_EVERY_SECONDS:
            self._said_at = time.monotonic()
            self._console.print(Text(f"      {text}"))

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Leave the terminal to another program that shows its own progress."""
        if self._status is not None:
            self._status.stop()
        try:
            yield
        finally:
            if self._status is not None:
                self._status.start()


class Progress:
    """Steps, one after the other."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.rows: list[Row] = []

    @contextmanager
    def step(self, title: str) -> Iterator[tuple[Telling, Row]]:
        """Run a step; set the row's `result` to what came of it."""
        started, row = time.monotonic(), Row(title, 0, "")
        if self.console.is_terminal:
            with self.console.status(Text(title, "bold")) as status:
                yield Telling(self.console, title, status), row
        else:
            self.console.print(Text(f"...   {title}"))
            yield Telling(self.console, title, None), row
        row.seconds = time.monotonic() - started
        self.rows.append(row)
        self.console.print(
            Text.assemble(("ok", "green"), f" {row.seconds:5.1f} s  ", (title, "bold"), f"  {row.result}")
        )

    def table(self) -> Table:
        """All steps with their seconds."""
        table = Table("step", "seconds", "what came of it", title="The demo", title_justify="left")
        table.columns[1].justify = "right"
        for row in self.rows:
            table.add_row(row.title, f"{row.seconds:.1f}", Text(row.result))
        table.add_row("all of it", f"{sum(row.seconds for row in self.rows):.1f}", "", style="bold")
        return table
