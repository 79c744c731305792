"""What the application's tests share: an application with metrics of its own, and a process of it."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry

from sergas_metrics import MetricsCollector

APP = Path(__file__).parents[2] / "examples" / "sergas-app"
DEADLINE_SECONDS = 20

sys.path.insert(0, str(APP))

from sergas_app.application import build  # noqa: E402  # the application is no installed package
from sergas_app.settings import Settings  # noqa: E402


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def metrics(registry: CollectorRegistry) -> MetricsCollector:
    return MetricsCollector(registry)


@pytest.fixture
def sample(registry: CollectorRegistry) -> Callable[..., float | None]:
    """The value of one sample, or None: sample("sergas_x_total", agent="sync")."""
    return lambda name, **labels: registry.get_sample_value(name, labels)


@pytest.fixture
def eventually() -> Callable[..., Any]:
    """Wait until a condition holds: await eventually(lambda: ...)."""

    async def wait(condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"not within {DEADLINE_SECONDS} s"
            await asyncio.sleep(0.01)

    return wait


@pytest.fixture
async def started(metrics: MetricsCollector) -> AsyncIterator[Callable[..., Any]]:
    """A client of an application that has started: client = await started(role="agents")."""
    running: list[tuple[Any, httpx.AsyncClient]] = []

    async def start(**settings: Any) -> httpx.AsyncClient:
        app = build(Settings(**{"role": "api", "accounts": 5, "faults": True, **settings}), metrics)
        lifespan = app.router.lifespan_context(app)
        await lifespan.__aenter__()
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        client = httpx.AsyncClient(transport=transport, base_url="http://test")
        running.append((lifespan, client))
        return client

    yield start
    for lifespan, client in running:
        await client.aclose()
        await lifespan.__aexit__(None, None, None)


class Process:
    """The application in a process of its own."""

    def __init__(self, **environment: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        settings = {"SERGAS_PORT": str(port), "SERGAS_HOST": "127.0.0.1", "SERGAS_FAULTS": "enabled", **environment}
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "sergas_app"],
            cwd=APP,
            env=os.environ | settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=DEADLINE_SECONDS)

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not self._answers():
            assert self.process.poll() is None, self.process.communicate()[0]
            assert time.monotonic() < deadline, "the application does not answer"
            time.sleep(0.02)

    def metric(self, line: str) -> float:
        text = self.client.get("/metrics").text
        return next((float(found.rpartition(" ")[2]) for found in text.splitlines() if found.startswith(line)), 0.0)

    def end(self) -> tuple[int, str]:
        """Wait for its end: its exit code and its log."""
        log = self.process.communicate(timeout=DEADLINE_SECONDS)[0]
        return self.process.returncode, log

    def close(self) -> None:
        self.client.close()
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()

    def _answers(self) -> bool:
        try:
            return self.client.get("/healthz").is_success
        except httpx.TransportError:
            return False


@pytest.fixture
def process() -> Iterator[Callable[..., Process]]:
    """Start the application in a process: app = process(SERGAS_ROLE="agents")."""
    with ExitStack() as stack:

        def start(**environment: str) -> Process:
            started = Process(**environment)
            stack.callback(started.close)
            started.wait_until_ready()
            return started

        yield start
