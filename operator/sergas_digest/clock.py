"""The time, and how to notice that somebody set it."""

from __future__ import annotations

import time
from collections.abc import Callable

# Far above what NTP corrects at once, far below the shortest duration that matters here.
JUMP_SECONDS = 60.0


class Clock:
    """Wall time for dates, monotonic time for durations. Both in seconds."""

    def __init__(self, wall: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.wall = wall
        self.monotonic = monotonic
        self._offset = wall() - monotonic()

    def jump(self) -> float:
        """How far the wall clock was set since the last call, 0 if less than JUMP_SECONDS. Positive is ahead."""
        offset = self.wall() - self.monotonic()
        moved = offset - self._offset
        self._offset = offset
        return moved if abs(moved) >= JUMP_SECONDS else 0.0
