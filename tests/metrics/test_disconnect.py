"""A client that leaves before its response is complete is status 499, on a real server and by every way ASGI has."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI, Request
from starlette.responses import StreamingResponse

from sergas_metrics import MetricsCollector, MetricsMiddleware, instrument

Requests = Callable[[], dict[tuple[str, str, str], float]]


@pytest.fixture
def app(metrics: MetricsCollector) -> FastAPI:
    return instrument(FastAPI(), collector=metrics)


@contextlib.asynccontextmanager
async def client(base_url: str, path: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A client that sends a request; leaving the block leaves the server without a client."""
    address = urlsplit(base_url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: test\r\n\r\n".encode())
    await writer.drain()
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def test_a_client_that_leaves_while_the_handler_works_is_499(
    app: FastAPI, serving: Any, eventually: Any, requests: Requests
) -> None:
    started, release = asyncio.Event(), asyncio.Event()

    @app.get("/work")
    async def work(request: Request) -> dict[str, str]:
        started.set()
        cycle = request.receive.__self__._receive.__self__  # type: ignore[attr-defined]
        await eventually(lambda: cycle.disconnected)
        await release.wait()
        return {}

    async with client(await serving(app), "/work"):
        await started.wait()
    release.set()
    await eventually(requests)
    assert requests() == {("GET", "/work", "499"): 1}


async def test_a_client_that_leaves_in_the_middle_of_a_stream_is_499(
    app: FastAPI, serving: Any, eventually: Any, requests: Requests
) -> None:
    async def forever() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 1000
            await asyncio.sleep(0)

    app.add_api_route("/stream", lambda: StreamingResponse(forever()))
    async with client(await serving(app), "/stream") as (reader, _):
        await reader.readexactly(1000)
    await eventually(requests)
    assert requests() == {("GET", "/stream", "499"): 1}


async def test_a_client_that_leaves_after_its_response_is_served(
    app: FastAPI, serving: Any, eventually: Any, requests: Requests
) -> None:
    app.add_api_route("/", lambda: {})
    async with client(await serving(app), "/") as (reader, _):
        await reader.readuntil(b"{}")
    await eventually(requests)
    assert requests() == {("GET", "/", "200"): 1}


async def test_cancelled_request_is_500_and_stays_cancelled(app: FastAPI, call: Any, requests: Requests) -> None:
    started = asyncio.Event()

    @app.get("/wait")
    async def wait() -> None:
        started.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(call(app, "/wait"))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert requests() == {("GET", "/wait", "500"): 1}


GONE = {"type": "http.disconnect"}
START = {"type": "http.response.start", "status": 200, "headers": []}
BODY = {"type": "http.response.body", "body": b"x"}
PART = {**BODY, "more_body": True}


async def test_an_application_told_of_the_departure_is_499_whatever_it_does(
    metrics: MetricsCollector, call: Any, requests: Requests, conversation: Any
) -> None:
    async def answers_all_the_same(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send(START)
        await send(BODY)

    async def gives_up(scope: Any, receive: Any, send: Any) -> None:
        await receive()

    class ClientDisconnect(Exception):  # noqa: N818  # Starlette's name
        pass

    async def raises(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        raise ClientDisconnect

    for app in (answers_all_the_same, gives_up, raises):
        with contextlib.suppress(ClientDisconnect):
            await call(MetricsMiddleware(app, collector=metrics), "/", talk=conversation(incoming=[GONE]))
    assert requests() == {("GET", "unmatched", "499"): 3}


async def test_the_time_of_a_departure_is_when_the_application_is_told(
    metrics: MetricsCollector, call: Any, clock: Any, sample: Any, conversation: Any
) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        clock.passes(2)
        await receive()
        clock.passes(50)

    await call(MetricsMiddleware(app, collector=metrics), "/", talk=conversation(incoming=[GONE]))
    assert sample("sergas_http_request_duration_seconds_sum", method="GET", route="unmatched") == 2


@pytest.mark.parametrize("messages", [[START, BODY], [START, PART, BODY]], ids=["whole", "in parts"])
async def test_a_server_that_refuses_to_send_to_nobody_makes_it_499(
    metrics: MetricsCollector, call: Any, requests: Requests, conversation: Any, messages: list[Any]
) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        for message in messages:
            await send(message)

    def refuse(message: Any) -> None:
        if message["type"] == "http.response.body":
            raise OSError("connection lost")

    with pytest.raises(OSError, match="connection lost"):
        await call(MetricsMiddleware(app, collector=metrics), "/", talk=conversation(on_send=refuse))
    assert requests() == {("GET", "unmatched", "499"): 1}
    assert not metrics.errors.unhandled_exceptions.series()


async def test_an_error_of_the_application_stays_500_though_the_client_left(
    metrics: MetricsCollector, call: Any, requests: Requests, conversation: Any
) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        raise ValueError("a bug")

    with pytest.raises(ValueError, match=r"^a bug$"):
        await call(MetricsMiddleware(app, collector=metrics), "/", talk=conversation(incoming=[GONE]))
    assert requests() == {("GET", "unmatched", "500"): 1}


async def test_an_operating_system_error_of_the_application_is_500(
    metrics: MetricsCollector, call: Any, requests: Requests
) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise ConnectionRefusedError("the database is down")

    with pytest.raises(ConnectionRefusedError):
        await call(MetricsMiddleware(app, collector=metrics), "/")
    assert requests() == {("GET", "unmatched", "500"): 1}


async def test_the_end_of_receive_after_a_whole_response_is_no_departure(
    metrics: MetricsCollector, call: Any, requests: Requests, conversation: Any
) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        await send(BODY)
        await receive()

    await call(MetricsMiddleware(app, collector=metrics), "/", talk=conversation(incoming=[GONE]))
    assert requests() == {("GET", "unmatched", "200"): 1}
