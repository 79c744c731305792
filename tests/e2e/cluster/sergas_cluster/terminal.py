"""Progress: a live line on a terminal, plain lines elsewhere. All of it goes to stderr; stdout carries results."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

console = Console(stderr=True, highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """One line for the reader."""
    console.print(text, markup=False)


@contextmanager
def step(doing: str, done: str) -> Iterator[None]:
    """Show `doing` while the body runs and `done` with its seconds after it."""
    started = time.monotonic()
    if console.is_terminal:
        with console.status(doing):
            yield
    else:
        say(f"{doing} ...")
        yield
    say(f"{done} ({time.monotonic() - started:.1f} s)")
