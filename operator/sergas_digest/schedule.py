"""When a digest is due, and when a failed delivery is tried again."""

from __future__ import annotations

from collections.abc import Callable

FIRST_RETRY = 10.0
LAST_RETRY = 600.0


def boundary(now: float, interval: int) -> int:
    """The last multiple of `interval` since 1970 in UTC, at or before `now`: midnight for an interval of 24 h."""
    return int(now // interval) * interval


def retry_delay(failures: int) -> float:
    """Seconds to wait after this many failures in a row: 10, 20, 40 and so on, at most ten minutes."""
    return min(LAST_RETRY, FIRST_RETRY * 2.0 ** min(failures - 1, 10))


class Backoff:
    """Which deliveries must wait because they failed. It measures time with a monotonic clock."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._failures: dict[str, tuple[int, float]] = {}

    def ready(self, key: str) -> bool:
        """Whether the next attempt may start."""
        return self._monotonic() >= self._failures.get(key, (0, 0.0))[1]

    def failed(self, key: str) -> float:
        """Records a failure and returns the seconds until the next attempt."""
        failures = self._failures.get(key, (0, 0.0))[0] + 1
        delay = retry_delay(failures)
        self._failures[key] = failures, self._monotonic() + delay
        return delay

    def succeeded(self, key: str) -> None:
        """Forgets the failures of a delivery."""
        self._failures.pop(key, None)
