"""Waiting for a condition, with a deadline and a reason."""

import time
from collections.abc import Callable

from . import daemons
from .errors import ClusterError

PAUSE_SECONDS = 0.1


def until(ready: Callable[[], bool], what: str, seconds: float, watched: tuple[str, ...] = ()) -> None:
    """Return once `ready`.

    Args:
        ready: asked every 0.1 s.
        what: completes "waiting for ...".
        seconds: the deadline.
        watched: daemons without which it never becomes ready.

    Raises:
        ClusterError: after the deadline, or at once when a watched daemon has died; quotes its log.
    """
    deadline = time.monotonic() + seconds
    while not ready():
        for name in watched:
            if daemons.running(name) is None:
                raise ClusterError(
                    f"{name} died while waiting for {what}; {daemons.log(name)} ends:\n{daemons.tail(name)}"
                )
        if time.monotonic() > deadline:
            quoted = "\n".join(f"{daemons.log(name)} ends:\n{daemons.tail(name)}" for name in watched)
            raise ClusterError(f"no {what} after {seconds:.0f} s\n{quoted}".strip())
        time.sleep(PAUSE_SECONDS)
