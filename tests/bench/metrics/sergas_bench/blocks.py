"""What a measured task costs in an event loop: ours, which counts, times and watches it, against prometheus-async."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable, Iterator
from time import perf_counter_ns

import prometheus_client
from prometheus_async import aio
from prometheus_client import CollectorRegistry

from sergas_metrics import MetricsCollector

from .rows import Row

ROUNDS, REPEATS = 200, 200


def measure() -> Iterator[Row]:
    """Rows of an async task: an attempt, a duration, a failure if there is one, and that it runs."""
    found = asyncio.run(_best({"nothing": _work, "ours": _ours(), "prometheus-async": _prometheus_async()}))
    ours, theirs = (found[name] - found["nothing"] for name in ("ours", "prometheus-async"))
    yield Row("async task: attempt, duration, in progress, failure", ours, "ns")
    yield Row(
        "async task: attempt, duration, in progress, failure", theirs / ours, "x faster", "prometheus-async", ">= 2"
    )


async def _work() -> None:
    pass


def _ours() -> Callable[[], Awaitable[None]]:
    agent = MetricsCollector(CollectorRegistry()).agent

    async def work() -> None:
        async with agent.task("sync"):
            await _work()

    return work


def _prometheus_async() -> Callable[[], Awaitable[None]]:
    registry = CollectorRegistry()
    duration = prometheus_client.Histogram("d_seconds", "D.", ["agent"], registry=registry)
    attempts = prometheus_client.Counter("a_total", "A.", ["agent"], registry=registry)
    failures = prometheus_client.Counter("f_total", "F.", ["agent"], registry=registry)
    running = prometheus_client.Gauge("r", "R.", ["agent"], registry=registry)

    @aio.time(duration.labels("sync"))
    @aio.count_exceptions(failures.labels("sync"))
    @aio.track_inprogress(running.labels("sync"))
    async def measured() -> None:
        attempts.labels("sync").inc()
        await _work()

    return measured


async def _best(works: dict[str, Callable[[], Awaitable[None]]]) -> dict[str, float]:
    """The least nanoseconds of one task, by turns."""
    found = dict.fromkeys(works, float("inf"))
    gc.collect()
    gc.disable()
    for _ in range(ROUNDS):
        for name, work in works.items():
            start = perf_counter_ns()
            for _ in range(REPEATS):
                await work()
            found[name] = min(found[name], (perf_counter_ns() - start) / REPEATS)
    gc.enable()
    return found
