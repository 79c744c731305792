"""Every internal call that a request or a measured block makes is made to raise, and the application sees nothing."""

import asyncio
import contextlib
import logging
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest
from fastapi import FastAPI, HTTPException
from prometheus_client import CollectorRegistry

import sergas_metrics
from sergas_metrics import MetricsCollector, count_errors, instrument, track_in_progress, track_time

HOME = str(Path(sergas_metrics.__file__).parent)
BOUNDARY = "is the boundary: catches whatever it calls"
CALLS = "calls the application, and the library inside a try statement alone"
MAKES = "stores its arguments in an object, or reads the clock"
SHELL = {
    "guarded": BOUNDARY,
    "failed": BOUNDARY,
    "MetricsMiddleware.__call__": CALLS,
    "Exchange.receive": CALLS,
    "Exchange.send": CALLS,
    "Measurement.__enter__": CALLS,
    "Measurement.__exit__": CALLS,
    "Measurement.__aenter__": CALLS,
    "Measurement.__aexit__": CALLS,
    "_plain.<locals>.measured": CALLS,
    "_coroutine.<locals>.measured": CALLS,
    "_Run.__enter__": CALLS,
    "_Run.__exit__": CALLS,
    "_Run.pause": MAKES,
    "_Run.__init__": MAKES,
    "Measurement.__init__": MAKES,
    "timing": MAKES,
    "AgentMetrics.task": MAKES,
    "DatabaseMetrics.query": MAKES,
    "CacheMetrics.operation": MAKES,
    "MemoryMetrics.processing": MAKES,
    "BusinessMetrics.processing": MAKES,
    "ZohoMetrics.call": MAKES,
    "ZohoCall.__init__": MAKES,
}
"""What is not made to raise, and why it raises nothing of its own."""

RAISED: dict[str, set[str]] = {
    "request": {
        "CounterCell.__init__",
        "CounterCell.inc",
        "ErrorMetrics.record_error",
        "ErrorMetrics.record_unhandled",
        "ErrorTypes.name",
        "Exchange.__init__",
        "Exchange._client_left",
        "Exchange.ended",
        "Exchange.finish",
        "Family._found_or_made",
        "Family.labels",
        "GaugeCell.dec",
        "GaugeCell.inc",
        "HTTPMetrics.record_request",
        "HistogramCell.__init__",
        "MetricsMiddleware._asks_for_metrics",
        "MetricsMiddleware._failed",
        "MetricsMiddleware.record",
        "RouteTemplates._found",
        "RouteTemplates.of",
        "_agreeing_route",
        "_key",
        "_without_endpoint",
        "cleaned",
    },
    "blocks": {
        "AgentMetrics.record_attempt",
        "AgentMetrics.record_duration",
        "AgentMetrics.record_failure",
        "AgentMetrics.record_retry",
        "AgentMetrics.task.<locals>.begin",
        "AgentMetrics.task.<locals>.end",
        "BusinessMetrics.processing.<locals>.end",
        "BusinessMetrics.record_processing",
        "CacheMetrics.operation.<locals>.<lambda>",
        "CacheMetrics.record_operation",
        "CounterCell.__init__",
        "CounterCell.inc",
        "Counting.count_exceptions.<locals>.<lambda>",
        "DatabaseMetrics.query.<locals>.end",
        "DatabaseMetrics.record_error",
        "DatabaseMetrics.record_query",
        "ErrorTypes.name",
        "Family._found_or_made",
        "Family._ordered",
        "Family._ordered.<locals>.<genexpr>",
        "Family.labels",
        "GaugeCell.__init__",
        "GaugeCell.dec",
        "GaugeCell.inc",
        "GaugeCell.set",
        "HistogramCell.__init__",
        "Measurement.<lambda>",
        "Measurement._leave",
        "MemoryMetrics.processing.<locals>.end",
        "MemoryMetrics.record_processing",
        "MemoryMetrics.record_success",
        "ZohoMetrics.call.<locals>.end",
        "ZohoMetrics.record_call",
        "_Run.finish",
        "_key",
        "cleaned",
        "count_errors.<locals>.<lambda>",
        "count_errors.<locals>.count",
        "counting_errors.<locals>.end",
        "in_progress.<locals>.<lambda>",
        "is_server_error",
        "is_server_error.<locals>.<genexpr>",
        "timing.<locals>.<lambda>",
    },
}
"""The calls that are made to raise, one in each round."""


class Fault(Exception):  # noqa: N818  # it is none of the library's errors
    """What internal calls are made to raise."""


def named(code: CodeType) -> str:
    return code.co_qualname


@contextlib.contextmanager
def watched(seen: set[CodeType]) -> Iterator[None]:
    """Collect the library's functions that are called."""

    def watch(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(HOME):
            seen.add(frame.f_code)

    sys.setprofile(watch)
    try:
        yield
    finally:
        sys.setprofile(None)


@contextlib.contextmanager
def raising(target: CodeType, raised: list[CodeType]) -> Iterator[None]:
    """Make the first call of a function raise."""

    def trace(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code is target:
            raised.append(target)
            raise Fault(named(target))

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


def application() -> FastAPI:
    app = FastAPI()

    @app.get("/items/{item_id}")
    async def item(item_id: int) -> dict[str, int]:
        if item_id == 3:
            raise HTTPException(404)
        return {"id": item_id}

    @app.get("/boom")
    async def boom() -> None:
        raise RuntimeError("boom")

    instrument(app, collector=MetricsCollector(CollectorRegistry()))
    app.middleware_stack = app.build_middleware_stack()  # building it is no part of a request
    return app


async def requests(call: Any, app: FastAPI) -> Any:
    """What clients and the server see: answers, a 404 of each kind, and errors."""
    seen: list[Any] = []
    for path in ("/items/1", "/items/2", "/items/3", "/nothing/metrics", "/boom", "/boom"):
        try:
            answer = await call(app, path)
        except RuntimeError as error:
            seen.append(str(error))
        else:
            seen.append((answer.status, answer.body))
    return seen


def blocks() -> Any:
    """What an application sees of its measured blocks and functions."""
    metrics = MetricsCollector(CollectorRegistry())
    seen: list[Any] = []
    orders = metrics.counter("orders_total", "Orders.", labels=("kind",))
    measured: tuple[Callable[[], Any], ...] = (
        lambda: metrics.agent.task("sync", retry=True),
        lambda: metrics.database.query("select"),
        lambda: metrics.cache.operation("accounts", "get"),
        lambda: metrics.memory.processing("ingest"),
        metrics.business.processing,
        lambda: metrics.zoho.call("accounts"),
    )
    decorators = (
        track_time(metrics.agent.task_duration, agent="sync"),
        count_errors(metrics.zoho.sync_failures),
        track_in_progress(metrics.agent.concurrent_tasks, agent="sync"),
        orders.labels("web").count_exceptions(),
        metrics.gauge("level", "Level.").track_inprogress(),
        metrics.histogram("own_seconds", "Own.").time(),
        *(each() for each in measured),
    )

    def double(value: int) -> int:
        if value < 0:
            raise ValueError("negative")
        return 2 * value

    async def double_later(value: int) -> int:
        return double(value)

    return (
        seen,
        measured,
        [decorate(double) for decorate in decorators],
        [decorate(double_later) for decorate in decorators],
    )


async def drive(prepared: Any) -> Any:
    seen, measured, plain, coroutines = prepared
    for value in (4, -1):
        for function in plain:
            with contextlib.suppress(ValueError):
                seen.append(function(value))
        for function in coroutines:
            with contextlib.suppress(ValueError):
                seen.append(await function(value))
        for block in measured:
            with contextlib.suppress(KeyError):
                with block():
                    seen.append("in")
                async with block():
                    seen.append("in")
                    raise KeyError
    return seen


async def run_requests(call: Any, around: Callable[[], Any]) -> Any:
    app = application()
    with around():
        return await requests(call, app)


async def run_blocks(_: Any, around: Callable[[], Any]) -> Any:
    prepared = blocks()
    with around():
        return await drive(prepared)


@pytest.mark.parametrize("what", ["request", "blocks"])
async def test_application_sees_nothing_of_a_failing_internal_call(
    what: str, call: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "sergas_metrics")
    run: Callable[..., Awaitable[Any]] = run_requests if what == "request" else run_blocks
    seen: set[CodeType] = set()
    expected = await run(call, contextlib.nullcontext)
    await run(call, lambda: watched(seen))
    assert expected
    internal = sorted((code for code in seen if named(code) not in SHELL), key=named)
    listed = set()
    for code in internal:
        raised: list[CodeType] = []
        listed.add(named(code))
        assert await run(call, lambda code=code, raised=raised: raising(code, raised)) == expected, named(code)
        assert raised, named(code)
    assert sorted(listed) == sorted(RAISED[what])


def test_failure_is_counted_and_logged_once(
    metrics: MetricsCollector, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("sergas_metrics._boundary._logged", set())
    monkeypatch.setattr(metrics.database, "record_query", lambda *_: 1 / 0)
    for _ in range(3):
        with metrics.database.query("select"):
            pass
    value = metrics.registry.get_sample_value("sergas_metrics_errors_total", {"where": "database.query"})
    assert value == 3
    assert [record.getMessage() for record in caplog.records] == [
        "cannot record metrics of database.query; failures are counted in sergas_metrics_errors_total"
    ]


async def test_failing_route_hook_counts_the_request_as_unmatched(metrics: MetricsCollector, call: Any) -> None:
    app = FastAPI()
    app.add_api_route("/x", lambda: {})
    instrument(app, collector=metrics, route=lambda _: str(1 / 0))
    assert (await asyncio.wait_for(call(app, "/x"), 10)).status == 200
    count = {"method": "GET", "route": "unmatched", "status": "200"}
    assert metrics.registry.get_sample_value("sergas_http_requests_total", count) == 1
    assert metrics.registry.get_sample_value("sergas_metrics_errors_total", {"where": "route"}) == 1
