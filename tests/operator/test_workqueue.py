"""The queue: one entry per key, bounded workers, backoff."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from sergas_operator import workqueue
from sergas_operator.workqueue import Key, RetryError, Workqueue

A, B = ("monitoring", "a"), ("monitoring", "b")
SECONDS = 5


@asynccontextmanager
async def running(work: Callable[[Key, bool], Awaitable[float | None]], workers: int = 8) -> AsyncIterator[Workqueue]:
    queue = Workqueue(work, workers)
    task = asyncio.create_task(queue.run())
    try:
        async with asyncio.timeout(SECONDS):
            yield queue
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_key_asked_for_often_waits_once_and_is_passed_again_when_asked_meanwhile() -> None:
    passes: list[Key] = []
    begun, go_on, again = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def work(key: Key, live: bool) -> None:
        passes.append(key)
        begun.set()
        if len(passes) == 2:
            again.set()
        await go_on.wait()

    async with running(work) as queue:
        queue.add(A)
        queue.add(A)
        await begun.wait()
        for _ in range(5):
            queue.add(A)
        go_on.set()
        await again.wait()
    assert passes == [A, A]


async def test_no_more_passes_run_than_there_are_workers_and_none_twice_over_one_key() -> None:
    now, most = 0, 0
    done = asyncio.Event()
    left = {("n", str(number)) for number in range(20)}

    async def work(key: Key, live: bool) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0)
        now -= 1
        left.discard(key)
        if not left:
            done.set()

    async with running(work, workers=3) as queue:
        for key in list(left):
            queue.add(key)
        await done.wait()
    assert most == 3


async def test_a_failed_pass_is_tried_again_live_ever_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workqueue, "FIRST_RETRY_SECONDS", 0.01)
    passes: list[bool] = []
    delays: list[float] = []
    done = asyncio.Event()

    async def work(key: Key, live: bool) -> None:
        passes.append(live)
        if len(passes) == 4:
            done.set()
            return
        raise RetryError

    async with running(work) as queue:
        add = queue.add

        def noted(key: Key, *, live: bool = False, after: float = 0.0) -> None:
            delays.append(after)
            add(key, live=live, after=after)

        monkeypatch.setattr(queue, "add", noted)
        queue.add(A)
        await done.wait()
    assert passes == [False, True, True, True]
    assert delays == [0.0, 0.01, 0.02, 0.04]


async def test_a_bug_in_one_pass_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    done = asyncio.Event()

    async def work(key: Key, live: bool) -> None:
        if key == A:
            raise ZeroDivisionError
        done.set()

    async with running(work) as queue:
        queue.add(A)
        queue.add(B)
        await done.wait()


async def test_a_pass_that_wants_to_look_again_is_asked_again() -> None:
    passes = 0
    done = asyncio.Event()

    async def work(key: Key, live: bool) -> float | None:
        nonlocal passes
        passes += 1
        if passes == 2:
            done.set()
            return None
        return 0.01

    async with running(work) as queue:
        queue.add(A)
        await done.wait()
        assert passes == 2


async def test_asking_earlier_brings_a_waiting_key_forward() -> None:
    done = asyncio.Event()

    async def work(key: Key, live: bool) -> None:
        done.set()

    async with running(work) as queue:
        queue.add(A, after=3600)
        queue.add(A)
        await done.wait()


async def test_a_forgotten_key_is_not_passed() -> None:
    passes: list[Key] = []
    done = asyncio.Event()

    async def work(key: Key, live: bool) -> None:
        passes.append(key)
        done.set()

    async with running(work) as queue:
        queue.add(A)
        queue.forget(A)
        queue.add(B)
        await done.wait()
    assert passes == [B]


async def test_a_pass_that_never_ends_shows_as_lateness(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = asyncio.Event()

    async def work(key: Key, live: bool) -> None:
        begun.set()
        await asyncio.Event().wait()

    async with running(work) as queue:
        queue.add(A)
        await begun.wait()
        now = asyncio.get_running_loop().time()
        monkeypatch.setattr(Workqueue, "_now", staticmethod(lambda: now + 200))
        assert queue.lateness() >= 199
