"""When a digest is due: at every multiple of its interval since 1970 in UTC, so one of 24 h at midnight."""

from __future__ import annotations

FIRST_RETRY = 10.0
LAST_RETRY = 600.0


def boundary(now: float, interval: int) -> int:
    """The last boundary at or before `now`, in Unix seconds."""
    return int(now // interval) * interval


def retry_delay(failures: int) -> float:
    """Seconds to wait after so many failures in a row: 10, 20, 40, at most ten minutes."""
    return min(LAST_RETRY, FIRST_RETRY * 2.0 ** min(failures - 1, 10))
