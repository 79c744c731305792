"""Read by mypy --strict, never run: what a user's type checker must see."""

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, assert_type

import prometheus_client
from fastapi import FastAPI
from starlette.applications import Starlette

from sergas_metrics import (
    CATALOGUE,
    MetricsCollector,
    MetricSpec,
    count_errors,
    instrument,
    serve,
    track_in_progress,
    track_time,
)
from sergas_metrics.types import Counter, Gauge, Histogram, Measurement, MetricsServer

metrics = MetricsCollector()
timed = metrics.agent.task_duration

assert_type(metrics.http.requests, Counter)
assert_type(metrics.http.requests_in_progress, Gauge)
assert_type(timed, Histogram)
assert_type(CATALOGUE, tuple[MetricSpec, ...])
assert_type(instrument(FastAPI(), collector=metrics), FastAPI)
assert_type(instrument(Starlette()), Starlette)
assert_type(serve(0), MetricsServer)


@track_time(timed, agent="a")
@count_errors(metrics.agent.task_failures, agent="a")
def plain(a: int, *, b: str = "") -> float:
    return a + len(b)


@track_time(timed, agent="a")
@count_errors(metrics.agent.task_failures, agent="a")
async def coroutine(a: int) -> str:
    return str(a)


@track_time(timed, agent="a")
def generator(a: int) -> Iterator[int]:
    yield a


@count_errors(metrics.zoho.sync_failures)
async def async_generator(a: int) -> AsyncIterator[int]:
    yield a


class Service:
    @track_time(timed, agent="a")
    async def method(self, a: int) -> str:
        return str(a)

    @classmethod
    @count_errors(metrics.zoho.sync_failures)
    def class_method(cls, a: int) -> str:
        return str(a)


@track_time(prometheus_client.Histogram("x_seconds", "X."))
@count_errors(prometheus_client.Counter("x_errors", "X.", ["error_type"]))
def theirs() -> None: ...


assert_type(plain(1, b="x"), float)
assert_type(generator(1), Iterator[int])
assert_type(async_generator(1), AsyncIterator[int])
assert_type(Service.class_method(1), str)
callback: Callable[[int], Coroutine[Any, Any, str]] = coroutine

plain("x")  # type: ignore[arg-type]
plain(1, c=2)  # type: ignore[call-arg]
callback(1, 2)  # type: ignore[call-arg,unused-coroutine]
metrics.http.request_duration.labels("GET", "/").inc()  # type: ignore[attr-defined]


async def use() -> None:
    assert_type(await coroutine(1), str)
    assert_type(await Service().method(1), str)
    await Service().method("x")  # type: ignore[arg-type]
    async for number in async_generator(1):
        assert_type(number, int)
    assert_type(track_in_progress(metrics.agent.concurrent_tasks, agent="a"), Measurement[None])
    async with metrics.zoho.call("accounts") as call:
        call.status = 200
    assert_type(metrics.counter("orders_total", "Orders.", labels=("kind",)), Counter)
