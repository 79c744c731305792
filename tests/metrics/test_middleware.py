"""What the middleware records of a request, and what it leaves alone."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from fastapi import BackgroundTasks, Depends, FastAPI, WebSocket
from starlette.responses import JSONResponse, StreamingResponse

from sergas_metrics import MetricsCollector, MetricsMiddleware, instrument

Sample = Callable[..., float | None]
Requests = Callable[[], dict[tuple[str, str, str], float]]


@pytest.fixture
def app(metrics: MetricsCollector) -> FastAPI:
    return instrument(FastAPI(), collector=metrics)


@pytest.fixture
def duration(sample: Sample) -> Callable[[str], tuple[float | None, float | None]]:
    """Count and sum of a route's durations."""
    name = "sergas_http_request_duration_seconds"
    return lambda route: (
        sample(f"{name}_count", method="GET", route=route),
        sample(f"{name}_sum", method="GET", route=route),
    )


async def test_a_request_is_counted_and_timed(
    app: FastAPI, call: Any, clock: Any, requests: Requests, duration: Any
) -> None:
    @app.get("/slow")
    async def slow() -> None:
        clock.passes(0.4)

    await call(app, "/slow")
    assert requests() == {("GET", "/slow", "200"): 1}
    assert duration("/slow") == (1, pytest.approx(0.4))


async def test_an_unhandled_exception_is_one_500_and_passes_on(
    app: FastAPI, call: Any, requests: Requests, sample: Sample
) -> None:
    @app.get("/boom")
    async def boom() -> None:
        raise RuntimeError("boom")

    with pytest.raises(RuntimeError, match=r"^boom$"):
        await call(app, "/boom")
    assert requests() == {("GET", "/boom", "500"): 1}
    assert sample("sergas_unhandled_exceptions_total", error_type="RuntimeError") == 1
    assert sample("sergas_errors_total", severity="critical", error_type="RuntimeError") == 1
    assert sample("sergas_http_requests_in_progress") == 0


async def test_an_exception_that_a_handler_answers_counts_as_answered(
    app: FastAPI, call: Any, requests: Requests, sample: Sample
) -> None:
    app.add_exception_handler(KeyError, lambda *_: JSONResponse({}, 418))

    @app.get("/boom")
    async def boom() -> None:
        raise KeyError

    await call(app, "/boom")
    assert requests() == {("GET", "/boom", "418"): 1}
    assert sample("sergas_unhandled_exceptions_total", error_type="KeyError") is None


async def test_an_exception_in_the_middle_of_a_body_is_one_500(app: FastAPI, call: Any, requests: Requests) -> None:
    async def half() -> AsyncIterator[bytes]:
        yield b"half"
        raise RuntimeError("boom")

    app.add_api_route("/half", lambda: StreamingResponse(half()))
    with pytest.raises(RuntimeError, match=r"^boom$"):
        await call(app, "/half")
    assert requests() == {("GET", "/half", "500"): 1}


async def test_a_streamed_body_is_timed_to_its_end(app: FastAPI, call: Any, clock: Any, duration: Any) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(3):
            clock.passes(1)
            yield b"x"

    app.add_api_route("/stream", lambda: StreamingResponse(chunks()))
    await call(app, "/stream")
    assert duration("/stream") == (1, 3)


async def test_time_that_the_server_takes_to_send_is_part_of_it(
    app: FastAPI, call: Any, clock: Any, duration: Any, conversation: Any
) -> None:
    app.add_api_route("/", lambda: {})
    await call(app, "/", talk=conversation(on_send=lambda _: clock.passes(1)))
    assert duration("/") == (1, 2)


async def test_background_tasks_are_neither_timed_nor_in_progress(
    app: FastAPI, call: Any, clock: Any, duration: Any, sample: Sample
) -> None:
    seen: list[tuple[float | None, float | None]] = []

    async def later() -> None:
        clock.passes(60)
        seen.append((sample("sergas_http_requests_in_progress"), duration("/")[0]))

    @app.get("/")
    async def get(tasks: BackgroundTasks) -> None:
        clock.passes(1)
        tasks.add_task(later)

    await call(app, "/")
    assert seen == [(0, 1)]
    assert duration("/") == (1, 1)


async def test_a_background_task_that_raises_does_not_turn_a_200_into_a_500(
    app: FastAPI, call: Any, requests: Requests
) -> None:
    async def later() -> None:
        raise RuntimeError("boom")

    @app.get("/")
    async def get(tasks: BackgroundTasks) -> None:
        tasks.add_task(later)

    with pytest.raises(RuntimeError, match=r"^boom$"):
        await call(app, "/")
    assert requests() == {("GET", "/", "200"): 1}


async def test_a_dependency_that_raises_at_its_end_does_not_turn_a_200_into_a_500(
    app: FastAPI, call: Any, requests: Requests
) -> None:
    async def connection() -> AsyncIterator[None]:
        yield
        raise RuntimeError("boom")

    @app.get("/", dependencies=[Depends(connection)])
    async def get() -> None: ...

    with pytest.raises(RuntimeError, match=r"^boom$"):
        await call(app, "/")
    assert requests() == {("GET", "/", "200"): 1}


async def test_requests_in_progress_are_exact(
    app: FastAPI, sample: Sample, requests: Requests, eventually: Any
) -> None:
    release = asyncio.Event()

    @app.get("/wait")
    async def wait() -> None:
        await release.wait()

    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        waiting = [asyncio.create_task(client.get("/wait")) for _ in range(3)]
        await eventually(lambda: sample("sergas_http_requests_in_progress") == 3)
        waiting[0].cancel()
        await eventually(lambda: sample("sergas_http_requests_in_progress") == 2)
        release.set()
        await asyncio.gather(*waiting, return_exceptions=True)
    assert sample("sergas_http_requests_in_progress") == 0
    assert requests() == {("GET", "/wait", "200"): 2, ("GET", "/wait", "500"): 1}


async def test_trailers_end_a_response_that_has_them(
    metrics: MetricsCollector, call: Any, clock: Any, sample: Sample
) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [], "trailers": True})
        await send({"type": "http.response.body", "body": b"x"})
        clock.passes(1)
        await send({"type": "http.response.trailers", "headers": [], "more_trailers": True})
        clock.passes(1)
        await send({"type": "http.response.trailers", "headers": []})
        clock.passes(10)

    await call(MetricsMiddleware(app, collector=metrics), "/")
    assert sample("sergas_http_request_duration_seconds_sum", method="GET", route="unmatched") == 2


async def test_a_file_that_the_server_sends_itself_ends_the_response(
    metrics: MetricsCollector, call: Any, clock: Any, sample: Sample, requests: Requests
) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.pathsend", "path": "/file"})
        clock.passes(10)

    await call(MetricsMiddleware(app, collector=metrics), "/")
    assert sample("sergas_http_request_duration_seconds_sum", method="GET", route="unmatched") == 0
    assert requests() == {("GET", "unmatched", "200"): 1}


@pytest.mark.parametrize("begun", [False, True])
async def test_an_application_that_never_completes_its_response_counts_as_500(
    metrics: MetricsCollector, call: Any, requests: Requests, begun: bool
) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if begun:
            await send({"type": "http.response.start", "status": 200, "headers": []})

    await call(MetricsMiddleware(app, collector=metrics), "/")
    assert requests() == {("GET", "unmatched", "500"): 1}


async def test_an_application_wrapped_twice_counts_each_request_once(
    metrics: MetricsCollector, call: Any, requests: Requests, sample: Sample
) -> None:
    sub = instrument(FastAPI(), collector=metrics)
    sub.add_api_route("/x", lambda: {})
    app = instrument(FastAPI(), collector=metrics)
    app.mount("/sub", sub)
    instrument(app, collector=MetricsCollector(metrics.registry))
    await call(app, "/sub/x")
    assert requests() == {("GET", "/sub/x", "200"): 1}
    assert sample("sergas_http_requests_in_progress") == 0


async def test_two_collectors_each_record_a_request(metrics: MetricsCollector, call: Any, requests: Requests) -> None:
    from prometheus_client import CollectorRegistry  # noqa: PLC0415

    other = MetricsCollector(CollectorRegistry())
    app = FastAPI()
    app.add_api_route("/x", lambda: {})
    instrument(instrument(app, collector=other), collector=metrics)
    await call(app, "/x")
    assert requests() == {("GET", "/x", "200"): 1}
    counted = other.registry.get_sample_value(
        "sergas_http_requests_total", {"method": "GET", "route": "/x", "status": "200"}
    )
    assert counted == 1


def test_websockets_and_lifespan_pass_untouched(metrics: MetricsCollector, requests: Requests) -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append((scope, receive, send))

    async def drive(kind: str) -> tuple[Any, ...]:
        given = ({"type": kind}, object(), object())
        await MetricsMiddleware(app, collector=metrics, metrics_path="/metrics")(*given)  # type: ignore[arg-type]
        return given

    for kind in ("websocket", "lifespan"):
        given = asyncio.run(drive(kind))
        assert seen[-1] == given
        assert given[0] == {"type": kind}
    assert requests() == {}


async def test_websockets_work_through_an_instrumented_application(
    app: FastAPI, call: Any, requests: Requests, conversation: Any
) -> None:
    @app.websocket("/echo")
    async def echo(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text(await socket.receive_text())

    talk = conversation(incoming=[{"type": "websocket.connect"}, {"type": "websocket.receive", "text": "hello"}])
    await call(app, "/echo", talk=talk, type="websocket", subprotocols=[])
    assert [message.get("text") for message in talk.sent] == [None, "hello"]
    assert requests() == {}


@pytest.mark.parametrize("path", ["metrics", ""])
def test_a_path_without_a_slash_is_refused(metrics: MetricsCollector, path: str) -> None:
    with pytest.raises(ValueError) as refusal:  # noqa: PT011  # the whole sentence is asserted below
        MetricsMiddleware(FastAPI(), collector=metrics, metrics_path=path)
    assert str(refusal.value) == f'metrics_path must begin with a slash: write "/{path}"'
    with pytest.raises(ValueError) as refusal:  # noqa: PT011
        instrument(FastAPI(), collector=metrics, metrics_path=path)
    assert str(refusal.value) == f'metrics_path must begin with a slash: write "/{path}"'


def test_an_object_that_takes_no_middleware_is_refused_with_advice() -> None:
    with pytest.raises(TypeError) as refusal:
        instrument(object())  # type: ignore[type-var]
    assert str(refusal.value) == (
        "instrument() needs an application with add_middleware, such as FastAPI's, not object: wrap any other ASGI "
        "application yourself, app = MetricsMiddleware(app)"
    )


async def test_an_application_that_has_started_is_refused(call: Any, metrics: MetricsCollector) -> None:
    app = FastAPI()
    await call(app, "/")
    with pytest.raises(RuntimeError, match=r"^Cannot add middleware after an application has started$"):
        instrument(app, collector=metrics)
