"""How long a scrape holds up an event loop that has other things to do."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from time import perf_counter
from typing import Any

from prometheus_client import make_asgi_app

from sergas_metrics import metrics_app

from .registries import ours, prometheus_clients
from .rows import Row

SERIES = 10_000
SCRAPES = 60
SCRAPES_OF_PEERS = 6
"""Fewer, for each of theirs takes longer than ten of ours."""
PROMETHEUS = (
    b"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)

App = Callable[..., Awaitable[None]]


def measure() -> Iterator[Row]:
    """Rows of the longest wait during a scrape, with gzip and without, of the scrape that was disturbed least."""
    apps: dict[str, App] = {
        "ours": metrics_app(source=ours(SERIES)),
        "prometheus-client": make_asgi_app(prometheus_clients(SERIES)),
    }
    for encoding in ("gzip", "identity"):
        found = asyncio.run(_held_by_turns(apps, encoding))
        name = f"loop held by a scrape of {SERIES:,} series, {encoding}"
        yield Row(name, found["ours"] * 1e3, "ms", "", "<= 1")
        yield Row(name, found["prometheus-client"] * 1e3, "ms", "prometheus-client")
        yield Row(name, found["nothing"] * 1e3, "ms", "no scrape at all")


async def _held_by_turns(apps: dict[str, App], encoding: str) -> dict[str, float]:
    found: dict[str, list[float]] = {name: [] for name in ("nothing", *apps)}
    for turn in range(SCRAPES):
        gc.collect()
        for name, app in apps.items():
            if name == "ours" or turn < SCRAPES_OF_PEERS:
                found[name].append(await _longest_wait(_scrape(app, encoding)))
        found["nothing"].append(await _longest_wait(asyncio.sleep(0.01)))
    return {name: min(waits) for name, waits in found.items()}


async def _longest_wait(work: Awaitable[None]) -> float:
    """Seconds between two turns of a loop that is never idle, at the longest, while work is under way."""
    task = asyncio.ensure_future(work)
    longest = 0.0
    before = perf_counter()
    while not task.done():
        await asyncio.sleep(0)
        now = perf_counter()
        longest = max(longest, now - before)
        before = now
    await task
    return longest


async def _scrape(app: App, encoding: str) -> None:
    headers = [(b"accept", PROMETHEUS), (b"accept-encoding", encoding.encode())]
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": headers}
    sent: list[MutableMapping[str, Any]] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    await app(scope, _receive, send)
    assert sent[0]["status"] == 200
    assert len(sent[1]["body"]) > SERIES


async def _receive() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}
