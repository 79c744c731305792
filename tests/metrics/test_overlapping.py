"""Blocks of one measurement that overlap: each is measured with its own start and its own subject."""

import asyncio
import contextvars
import threading
from collections.abc import Callable
from typing import Any

import pytest

from sergas_metrics import MetricsCollector

Sample = Callable[..., float | None]


@pytest.fixture
def seconds(metrics: MetricsCollector, sample: Sample) -> Callable[[], list[float | None]]:
    """How many blocks took up to 3 seconds, and up to 7."""
    metrics.histogram("block_seconds", "B.", unit="seconds", buckets=(3, 7))
    return lambda: [sample("block_seconds_bucket", le=le) for le in ("3.0", "7.0")]


@pytest.fixture
def block(metrics: MetricsCollector, seconds: object) -> Any:
    return metrics.histogram("block_seconds", "B.", unit="seconds", buckets=(3, 7)).time()


async def test_tasks_that_overlap_are_timed_apart(
    block: Any, clock: Any, seconds: Callable[[], list[float | None]]
) -> None:
    leave = {"first": asyncio.Event(), "second": asyncio.Event()}

    async def work(name: str) -> None:
        async with block:
            await leave[name].wait()

    tasks = {}
    for name in leave:  # the first begins at 0 s, the second at 1 s
        tasks[name] = asyncio.create_task(work(name))
        await asyncio.sleep(0)
        clock.passes(1)
    for name, time in (("first", 1), ("second", 5)):  # the first ends at 3 s, the second at 8 s
        clock.passes(time)
        leave[name].set()
        await tasks[name]
    assert seconds() == [1, 2]


def test_threads_that_overlap_are_timed_apart(
    block: Any, clock: Any, seconds: Callable[[], list[float | None]]
) -> None:
    entered, leave = threading.Event(), threading.Event()

    def work() -> None:
        with block:
            entered.set()
            leave.wait(10)

    with block:  # from 0 s to 3 s
        clock.passes(1)
        thread = threading.Thread(target=work)  # from 1 s to 8 s
        thread.start()
        entered.wait(10)
        clock.passes(2)
    clock.passes(5)
    leave.set()
    thread.join()
    assert seconds() == [1, 2]


async def test_task_started_in_a_block_does_not_end_it(
    block: Any, clock: Any, seconds: Callable[[], list[float | None]]
) -> None:
    async def inner() -> None:
        async with block:
            clock.passes(2)

    async with block:
        await asyncio.create_task(inner())
        clock.passes(4)
    assert seconds() == [1, 2]


async def test_subject_belongs_to_its_block(metrics: MetricsCollector, sample: Sample) -> None:
    call, go_on = metrics.zoho.call("accounts"), asyncio.Event()

    async def work(status: int) -> None:
        async with call as under_way:
            await go_on.wait()
            under_way.status = status

    tasks = [asyncio.create_task(work(status)) for status in (200, 500)]
    await asyncio.sleep(0)
    go_on.set()
    await asyncio.gather(*tasks)
    for status in ("200", "500"):
        assert sample("sergas_zoho_api_calls_total", endpoint="accounts", status=status) == 1


def test_block_that_is_left_in_another_context_is_recorded(
    block: Any, clock: Any, seconds: Callable[[], list[float | None]]
) -> None:
    contextvars.copy_context().run(block.__enter__)
    clock.passes(2)
    contextvars.copy_context().run(block.__exit__, None, None, None)
    assert seconds() == [1, 1]


def test_block_that_is_left_but_was_not_entered_records_nothing(
    block: Any, seconds: Callable[[], list[float | None]]
) -> None:
    block.__exit__(None, None, None)
    assert seconds() == [0, 0]
