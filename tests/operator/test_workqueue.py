"""The queue: one entry per key, bounded workers, backoff."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from sergas_operator.controller import workqueue
from sergas_operator.controller.workqueue import Key, RetryError, Workqueue

A, B = ("monitoring", "a"), ("monitoring", "b")
SECONDS = 5


@asynccontextmanager
async def running(work: Callable[[Key], Awaitable[float | None]], workers: int = 8) -> AsyncIterator[Workqueue]:
    queue = Workqueue(work, workers)
    task = asyncio.create_task(queue.run())
    try:
        async with asyncio.timeout(SECONDS):
            yield queue
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_reconciles_once_more_when_requested_meanwhile() -> None:
    reconciles: list[Key] = []
    begun, go_on, again = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def work(key: Key) -> None:
        reconciles.append(key)
        begun.set()
        if len(reconciles) == 2:
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
    assert reconciles == [A, A]


async def test_runs_no_more_reconciles_than_workers() -> None:
    now, most = 0, 0
    done = asyncio.Event()
    left = {("n", str(number)) for number in range(20)}

    async def work(key: Key) -> None:
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


async def test_retries_failed_reconcile_with_growing_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workqueue, "FIRST_RETRY_SECONDS", 0.01)
    reconciles = 0
    delays: list[float] = []
    done = asyncio.Event()

    async def work(key: Key) -> None:
        nonlocal reconciles
        reconciles += 1
        if reconciles == 4:
            done.set()
            return
        raise RetryError

    async with running(work) as queue:
        add = queue.add

        def noted(key: Key, *, after: float = 0.0) -> None:
            delays.append(after)
            add(key, after=after)

        monkeypatch.setattr(queue, "add", noted)
        queue.add(A)
        await done.wait()
    assert delays == [0.0, 0.01, 0.02, 0.04]


async def test_unexpected_error_stops_no_other_reconcile_and_is_retried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workqueue, "FIRST_RETRY_SECONDS", 0.01)
    failures = 0
    failed_twice, done = asyncio.Event(), asyncio.Event()

    async def work(key: Key) -> None:
        nonlocal failures
        if key == B:
            done.set()
            return
        failures += 1
        if failures == 2:
            failed_twice.set()
        raise ZeroDivisionError

    async with running(work) as queue:
        queue.add(A)
        await failed_twice.wait()
        queue.add(B)
        await done.wait()


async def test_reconciles_again_after_returned_seconds() -> None:
    reconciles = 0
    done = asyncio.Event()

    async def work(key: Key) -> float | None:
        nonlocal reconciles
        reconciles += 1
        if reconciles == 2:
            done.set()
            return None
        return 0.01

    async with running(work) as queue:
        queue.add(A)
        await done.wait()
        assert reconciles == 2


async def test_earlier_request_replaces_later_one() -> None:
    done = asyncio.Event()

    async def work(key: Key) -> None:
        done.set()

    async with running(work) as queue:
        queue.add(A, after=3600)
        queue.add(A)
        await done.wait()


async def test_does_not_reconcile_forgotten_key() -> None:
    reconciles: list[Key] = []
    done = asyncio.Event()

    async def work(key: Key) -> None:
        reconciles.append(key)
        done.set()

    async with running(work) as queue:
        queue.add(A)
        queue.forget(A)
        queue.add(B)
        await done.wait()
    assert reconciles == [B]


async def test_reports_lateness_of_reconcile_that_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = asyncio.Event()

    async def work(key: Key) -> None:
        begun.set()
        await asyncio.Event().wait()

    async with running(work) as queue:
        queue.add(A)
        await begun.wait()
        now = asyncio.get_running_loop().time()
        monkeypatch.setattr(Workqueue, "_now", staticmethod(lambda: now + 200))
        assert queue.lateness() >= 199


async def test_never_runs_one_key_twice_at_the_same_time() -> None:
    running_now, reconciles = 0, 0
    go_on, done = asyncio.Event(), asyncio.Event()

    async def work(key: Key) -> None:
        nonlocal running_now, reconciles
        running_now, reconciles = running_now + 1, reconciles + 1
        assert running_now == 1
        if reconciles == 2:
            done.set()
        await go_on.wait()
        running_now -= 1

    async with running(work) as queue:
        queue.add(A)
        await asyncio.sleep(0)
        queue.add(A)
        go_on.set()
        await done.wait()
    assert reconciles == 2


async def test_spreads_requests_beyond_the_burst(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workqueue, "BURST", 2.0)
    monkeypatch.setattr(workqueue, "RATE", 50.0)
    keys = [("n", str(number)) for number in range(12)]
    left, done = set(keys), asyncio.Event()

    async def work(key: Key) -> None:
        left.discard(key)
        if not left:
            done.set()

    loop = asyncio.get_running_loop()
    async with running(work) as queue:
        queue._tokens, queue._filled = 2.0, loop.time()
        began = loop.time()
        for key in keys:
            queue.add(key)
        await done.wait()
        # Two at once, and ten more at 50 a second.
        assert loop.time() - began >= 0.18


async def test_holds_nothing_of_a_key_after_its_last_reconcile() -> None:
    done = asyncio.Event()

    async def work(key: Key) -> None:
        if key == B:
            done.set()

    async with running(work, workers=1) as queue:
        for number in range(100):
            queue.add(("n", str(number)))
        queue.add(B, after=0.01)
        await done.wait()
        await asyncio.sleep(0)
        assert (queue._due, queue._running, queue._failures, queue._heap) == ({}, {}, {}, [])
