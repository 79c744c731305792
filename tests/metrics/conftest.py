"""What the library's tests share: a registry of their own, its samples, a clock, and an ASGI server of three lines."""

import asyncio
import contextlib
import inspect
import time
from collections.abc import AsyncIterator, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

import hypothesis
import pytest
import uvicorn
from prometheus_client import CollectorRegistry

from sergas_metrics import MetricsCollector

DEADLINE_SECONDS = 10

# How long one example takes depends on what else the machine does.
hypothesis.settings.register_profile("metrics", deadline=None)
hypothesis.settings.load_profile("metrics")


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def metrics(registry: CollectorRegistry) -> MetricsCollector:
    return MetricsCollector(registry)


@pytest.fixture
def sample(registry: CollectorRegistry) -> Callable[..., float | None]:
    """The value of one sample, or None: sample("sergas_x_total", agent="sync")."""

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(name, labels)

    return value


@pytest.fixture
def requests(registry: CollectorRegistry) -> Callable[[], dict[tuple[str, str, str], float]]:
    """All counted requests: (method, route, status) to count."""

    def counted() -> dict[tuple[str, str, str], float]:
        return {
            (s.labels["method"], s.labels["route"], s.labels["status"]): s.value
            for metric in registry.collect()
            for s in metric.samples
            if s.name == "sergas_http_requests_total"
        }

    return counted


@dataclass
class Clock:
    """Time that passes when a test says so."""

    now: float = 100.0

    def __call__(self) -> float:
        return self.now

    def passes(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    stopped = Clock()
    for module in ("_exchange", "_measure"):
        monkeypatch.setattr(f"sergas_metrics.{module}.perf_counter", stopped)
    return stopped


@dataclass
class Conversation:
    """One request to an ASGI application: what the server has to say, and what it was told."""

    incoming: list[dict[str, Any]] = field(default_factory=lambda: [{"type": "http.request", "body": b""}])
    sent: list[MutableMapping[str, Any]] = field(default_factory=list)
    on_send: Callable[[MutableMapping[str, Any]], None] = lambda _: None

    async def receive(self) -> dict[str, Any]:
        if self.incoming:
            return self.incoming.pop(0)
        return await asyncio.get_running_loop().create_future()

    async def send(self, message: MutableMapping[str, Any]) -> None:
        self.on_send(message)
        self.sent.append(message)

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def headers(self) -> dict[str, str]:
        return {key.decode(): value.decode() for key, value in self.sent[0]["headers"]}

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent[1:])


def http_scope(path: str, method: str = "GET", headers: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    path, _, query = path.partition("?")
    raw = [(key.encode(), value.encode()) for key, value in {"host": "test", **(headers or {})}.items()]
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": raw,
        "client": ("127.0.0.1", 1),
        "server": ("test", 80),
    } | more


@pytest.fixture
def call() -> Callable[..., Any]:
    """Send one request to an ASGI application: conversation = await call(app, "/path", "GET", headers={...})."""

    async def send(
        app: Any, path: str, method: str = "GET", *, talk: Conversation | None = None, **more: Any
    ) -> Conversation:
        talk = talk or Conversation()
        await app(http_scope(path, method, **more), talk.receive, talk.send)
        return talk

    return send


@pytest.fixture
def conversation() -> type[Conversation]:
    return Conversation


@pytest.fixture
def eventually() -> Callable[..., Any]:
    """Wait until a condition holds, which may be asynchronous: await eventually(lambda: ...)."""

    async def wait(condition: Callable[[], object], *, seconds: float = DEADLINE_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while not await _answer(condition()):
            assert time.monotonic() < deadline, f"not within {seconds} s"
            await asyncio.sleep(0.005)

    return wait


async def _answer(found: object) -> object:
    return await found if inspect.isawaitable(found) else found


@pytest.fixture
async def serving(eventually: Callable[..., Any]) -> AsyncIterator[Callable[[Any], Any]]:
    """Serve an application by uvicorn on a free port: base_url = await serving(app)."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(app: Any) -> str:
            config = uvicorn.Config(app, host="127.0.0.1", port=0, lifespan="off", log_level="critical")
            server = uvicorn.Server(config)
            task = asyncio.create_task(server.serve())

            async def stop() -> None:
                server.should_exit = server.force_exit = True
                await asyncio.wait_for(task, DEADLINE_SECONDS)

            stack.push_async_callback(stop)
            await eventually(lambda: server.started)
            return f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"

        yield start
