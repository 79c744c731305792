"""A lock that two checkouts on one machine share."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .terminal import say


@contextmanager
def held(path: Path, what: str) -> Iterator[None]:
    """Hold `path` exclusively; says so when somebody else holds it. The kernel frees it when the process dies."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another process that is busy with {what}")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
