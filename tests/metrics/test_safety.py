"""Instrumentation never raises into the application, and never delays or replaces an error of it."""

import asyncio
import decimal
import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import prometheus_client
import pytest
from fastapi import FastAPI, HTTPException
from prometheus_client import CollectorRegistry
from starlette.exceptions import HTTPException as StarletteHTTPException

from sergas_metrics import MetricsCollector, MetricsMiddleware, count_errors, instrument, metrics_app, render, serve
from sergas_metrics._cells import LOCK

Requests = Callable[[], dict[tuple[str, str, str], float]]
Sample = Callable[..., float | None]

START = {"type": "http.response.start", "status": 200, "headers": []}
BODY = {"type": "http.response.body", "body": b"x"}


class ForeignRoute:
    """A route object of another framework, without ``matches``."""


async def test_counts_request_of_framework_with_other_route_objects(
    metrics: MetricsCollector, call: Any, requests: Requests
) -> None:
    class Framework:
        routes = (ForeignRoute(),)

        async def __call__(self, scope: Any, _: Any, send: Any) -> None:
            scope["app"] = self
            await send(START)
            await send(BODY)

    answer = await call(MetricsMiddleware(Framework(), collector=metrics), "/x")
    assert (answer.status, answer.body) == (200, b"x")
    assert requests() == {("GET", "unmatched", "200"): 1}


async def test_malformed_message_reaches_the_server_as_it_is(metrics: MetricsCollector, call: Any) -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start"})
        await send({})

    class Talk:
        receive = None

        async def send(self, message: Any) -> None:
            seen.append(message)

    await call(MetricsMiddleware(app, collector=metrics), "/", talk=Talk())
    assert seen == [{"type": "http.response.start"}, {}]


async def test_oserror_while_sending_the_start_is_a_disconnect(
    metrics: MetricsCollector, call: Any, requests: Requests, conversation: Any
) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)

    def refuse(message: Any) -> None:
        raise OSError("connection lost")

    with pytest.raises(OSError, match="connection lost"):
        await call(MetricsMiddleware(app, collector=metrics), "/", talk=conversation(on_send=refuse))
    assert requests() == {("GET", "unmatched", "499"): 1}
    assert not metrics.errors.unhandled_exceptions.series()


async def test_cancelled_request_without_disconnect_is_500(
    metrics: MetricsCollector, call: Any, requests: Requests
) -> None:
    started = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        started.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(call(MetricsMiddleware(app, collector=metrics), "/"))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert requests() == {("GET", "unmatched", "500"): 1}


async def test_cancelled_request_after_disconnect_is_499(
    metrics: MetricsCollector, call: Any, requests: Requests, conversation: Any
) -> None:
    started = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        started.set()
        await asyncio.Event().wait()

    talk = conversation(incoming=[{"type": "http.disconnect"}])
    task = asyncio.create_task(call(MetricsMiddleware(app, collector=metrics), "/", talk=talk))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert requests() == {("GET", "unmatched", "499"): 1}


async def test_post_on_the_metrics_path_belongs_to_the_application(metrics: MetricsCollector, call: Any) -> None:
    app = FastAPI()
    app.add_api_route("/metrics", lambda: "taken", methods=["POST"])
    instrument(app, collector=metrics)
    assert (await call(app, "/metrics", "POST")).body == b'"taken"'
    assert (await call(app, "/metrics")).body.startswith(b"# HELP")


@pytest.mark.parametrize("kind", [HTTPException, StarletteHTTPException])
def test_http_exception_below_500_is_not_counted_as_error(
    metrics: MetricsCollector, sample: Sample, kind: type[StarletteHTTPException]
) -> None:
    @count_errors(metrics.zoho.sync_failures)
    def answer(status: int) -> None:
        raise kind(status)

    for status in (404, 503):
        with pytest.raises(StarletteHTTPException):
            answer(status)
    assert sample("sergas_zoho_sync_failures_total", error_type="HTTPException") == 1


def test_is_error_decides_what_is_counted(metrics: MetricsCollector, sample: Sample) -> None:
    @count_errors(metrics.zoho.sync_failures, is_error=lambda error: not isinstance(error, KeyError))
    def fail(error: Exception) -> None:
        raise error

    for error in (KeyError("x"), LookupError("x")):
        with pytest.raises(LookupError):
            fail(error)
    assert sample("sergas_zoho_sync_failures_total", error_type="KeyError") is None
    assert sample("sergas_zoho_sync_failures_total", error_type="LookupError") == 1


def test_count_errors_refuses_missing_labels_when_decorating(
    metrics: MetricsCollector, registry: CollectorRegistry
) -> None:
    with pytest.raises(ValueError, match=r"^sergas_agent_task_failures_total has the labels \(agent, error_type\)"):
        count_errors(metrics.agent.task_failures)
    with pytest.raises(ValueError, match=r"^sergas_agent_task_attempts_total has the labels \(agent\)"):
        count_errors(metrics.agent.task_attempts, agent="sync")
    theirs = prometheus_client.Counter("own_total", "Own.", ["part"], registry=registry)
    with pytest.raises(ValueError, match="label"):
        count_errors(theirs, part="a")


async def _scrape(app: Any) -> int:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}
    await asyncio.wait_for(app(scope, None, send), 10)
    return int(sent[0]["status"])


def test_process_forked_after_a_scrape_answers_scrapes(metrics: MetricsCollector) -> None:
    app = metrics_app(source=metrics)
    assert asyncio.run(_scrape(app)) == 200
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writing, str(asyncio.run(_scrape(app))).encode())
        finally:
            os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    assert os.read(reading, 10) == b"200"
    os.close(reading)


class Recording:
    """An object whose end is recorded, as a connection's may be."""

    def __init__(self, metrics: MetricsCollector, number: int) -> None:
        self.metrics, self.number = metrics, number
        self.me = self  # found by the garbage collector alone

    def __del__(self) -> None:
        self.metrics.agent.record_attempt(f"late {self.number}")


def test_finalizer_that_records_while_a_series_is_made_does_not_deadlock(
    metrics: MetricsCollector, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every allocation may run the garbage collector, and so any finalizer, in the thread that records."""
    family = metrics.agent.task_attempts
    make = family._new_cell

    def make_after_collection() -> Any:
        gc.collect()
        return make()

    monkeypatch.setattr(family, "_new_cell", make_after_collection)
    Recording(metrics, 7)
    thread = threading.Thread(target=metrics.agent.record_attempt, args=("sync",), daemon=True)
    thread.start()
    thread.join(20)
    assert not thread.is_alive()
    assert sample("sergas_agent_task_attempts_total", agent="late 7") == 1
    with LOCK:  # as if one ran between two steps of making a series
        metrics.agent.record_attempt("nested")
    assert sample("sergas_agent_task_attempts_total", agent="nested") == 1


def _children_that_record(metrics: MetricsCollector) -> list[int]:
    """The exit codes of children that record, each forked while another thread takes the lock again and again."""
    over = threading.Event()

    def hold() -> None:
        while not over.is_set():
            with LOCK:
                sum(range(5_000))

    thread = threading.Thread(target=hold)
    thread.start()
    codes = []
    for _ in range(10):
        child = os.fork()
        if child == 0:
            signal.alarm(10)  # ends a child that waits for the lock
            metrics.agent.record_attempt("new")
            os._exit(0)
        codes.append(os.waitpid(child, 0)[1])
    over.set()
    thread.join()
    return codes


def test_child_forked_while_a_series_is_made_can_make_series(registry: CollectorRegistry) -> None:
    process = multiprocessing.get_context("spawn").Pool(1)
    with process as pool:
        assert pool.apply_async(_in_spawned).get(200) == [0] * 10


def _in_spawned() -> list[int]:
    return _children_that_record(MetricsCollector(CollectorRegistry()))


@pytest.mark.parametrize("amount", [decimal.Decimal("1.5"), 2, True])
def test_values_become_float_before_anything_is_counted(metrics: MetricsCollector, amount: Any) -> None:
    counter, gauge = metrics.zoho.accounts_synced, metrics.zoho.sync_lag
    counter.inc(amount)
    gauge.set(amount)
    gauge.inc(amount)
    gauge.dec(amount)
    cell = metrics.cache.operation_duration.labels("a", "get")
    cell.observe(amount)
    assert (counter.labels().value, gauge.labels().value) == (float(amount), float(amount))
    assert cell.total == float(amount)
    assert {type(value) for value in (counter.labels().value, gauge.labels().value, cell.total)} == {float}


def test_value_that_is_no_number_changes_nothing(metrics: MetricsCollector) -> None:
    cell = metrics.cache.operation_duration.labels("a", "get")
    for update in (cell.observe, metrics.zoho.accounts_synced.inc, metrics.zoho.sync_lag.set):
        with pytest.raises((TypeError, ValueError)):
            update("fast")  # type: ignore[arg-type]
    assert sum(cell.counts) == 0
    assert metrics.zoho.accounts_synced.labels().value == 0


def test_user_label_value_overflow_is_one_series_with_the_overflow_series(registry: CollectorRegistry) -> None:
    metrics = MetricsCollector(registry, max_series=2)
    for agent in ("overflow", "a", "b", "c"):
        metrics.agent.record_attempt(agent)
    lines = [line for line in render(source=metrics).body.decode().splitlines() if 'attempts_total{agent="over' in line]
    assert lines == ['sergas_agent_task_attempts_total{agent="overflow"} 2.0']


def test_remove_refuses_wrong_number_of_labels(metrics: MetricsCollector) -> None:
    with pytest.raises(
        ValueError, match=r"^sergas_agent_queue_size has the labels \(agent\), but was given \('a', 'b'"
    ):
        metrics.agent.queue_size.remove("a", "b")
    with pytest.raises(ValueError, match=r"^sergas_zoho_sync_lag_seconds has the labels \(no labels\)"):
        metrics.zoho.sync_lag.remove("a")


def test_empty_directory_is_refused(registry: CollectorRegistry) -> None:
    with pytest.raises(ValueError, match=r"^directory is empty: "):
        MetricsCollector(registry, directory="")


def test_collector_on_an_emptied_registry_registers_its_metrics_again(registry: CollectorRegistry) -> None:
    first = MetricsCollector(registry)
    for collector in list(registry._collector_to_names):
        registry.unregister(collector)
    second = MetricsCollector(registry)
    first.agent.record_attempt("sync")
    second.agent.record_attempt("sync")
    assert registry.get_sample_value("sergas_agent_task_attempts_total", {"agent": "sync"}) == 2


def test_importing_the_library_does_not_import_processes() -> None:
    code = (
        "import sys, sergas_metrics; sergas_metrics.MetricsCollector();"
        "print([name for name in sys.modules if '_processes' in name])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_serve_publishes_when_a_directory_is_given(registry: CollectorRegistry, tmp_path: Path) -> None:
    metrics = MetricsCollector(registry, directory=tmp_path / "metrics")
    with serve(0, address="127.0.0.1", source=metrics):
        assert [*(tmp_path / "metrics").glob(f"{os.getpid()}-*.values")]


async def test_domain_context_managers_decorate_async_functions(
    metrics: MetricsCollector, sample: Sample, clock: Any
) -> None:
    @metrics.agent.task("sync")
    async def work() -> None:
        clock.passes(2)
        await asyncio.sleep(0)
        raise KeyError("x")

    for _ in range(2):
        with pytest.raises(KeyError):
            await work()
    assert sample("sergas_agent_task_duration_seconds_sum", agent="sync") == 4
    assert sample("sergas_agent_task_failures_total", agent="sync", error_type="KeyError") == 2
    assert sample("sergas_agent_concurrent_tasks", agent="sync") == 0


async def test_domain_context_managers_work_in_async_with(
    metrics: MetricsCollector, sample: Sample, clock: Any
) -> None:
    async with metrics.zoho.call("accounts") as call:
        clock.passes(1)
        call.status = 200
    assert sample("sergas_zoho_api_calls_total", endpoint="accounts", status="200") == 1
    assert sample("sergas_zoho_api_duration_seconds_sum", endpoint="accounts") == 1
