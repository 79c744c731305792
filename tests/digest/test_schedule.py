"""Boundaries, retry delays, and a clock that is set."""

from __future__ import annotations

import pytest

from sergas_digest.clock import JUMP_SECONDS, Clock
from sergas_digest.schedule import Backoff, boundary, retry_delay

MIDNIGHT = 1_767_398_400  # 2026-01-03 00:00:00 UTC


@pytest.mark.parametrize(("now", "expected"), [(-0.5, MIDNIGHT - 86_400), (0, MIDNIGHT), (86_399.9, MIDNIGHT)])
def test_a_daily_digest_is_due_at_midnight_in_utc(now: float, expected: int) -> None:
    assert boundary(MIDNIGHT + now, 86_400) == expected


def test_retry_delays_double_up_to_ten_minutes() -> None:
    assert [retry_delay(failures) for failures in (1, 2, 3, 6, 7, 8, 10_000)] == [10, 20, 40, 320, 600, 600, 600]


def test_backoff_waits_after_each_failure_and_forgets_them_after_a_success() -> None:
    now = [0.0]
    backoff = Backoff(lambda: now[0])
    assert backoff.ready("a")
    assert backoff.failed("a") == 10
    assert (backoff.ready("a"), backoff.ready("b")) == (False, True)
    now[0] = 9.9
    assert not backoff.ready("a")
    now[0] = 10
    assert backoff.ready("a")
    assert backoff.failed("a") == 20
    backoff.succeeded("a")
    assert backoff.ready("a")
    assert backoff.failed("a") == 10


def test_clock_notices_that_it_was_set_once() -> None:
    times = [1000.0, 0.0]
    clock = Clock(lambda: times[0], lambda: times[1])
    times[:] = [1100, 100]
    assert clock.jump() == 0
    times[:] = [1100 + JUMP_SECONDS - 1, 100]
    assert clock.jump() == 0
    times[0] += 86_400
    assert clock.jump() == 86_400
    assert clock.jump() == 0
    times[0] -= 86_400
    assert clock.jump() == -86_400
