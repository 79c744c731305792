"""What instrumentation adds to a request, and whether that grows with the number of routes.

Each request is split at the innermost middleware, so that the time of routing does not drown what is measured.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from time import perf_counter_ns
from typing import Any

from .applications import BARE, INSTRUMENTATOR, NOTHING, OURS, applications
from .rows import Row

ROUNDS = {20: 40, 100: 25, 1000: 10}
"""How many rounds for each number of routes: a request among 1,000 routes takes milliseconds."""
REQUESTS = 25

App = Callable[..., Awaitable[None]]


def measure() -> Iterator[Row]:
    """Rows of added microseconds for each number of routes, and the ratios between libraries."""
    added: dict[int, dict[str, float]] = {}
    for routes, rounds in ROUNDS.items():
        added[routes] = asyncio.run(_added(dict(applications(routes)), rounds))
        for name, value in added[routes].items():
            yield Row(f"added to a request, {routes} routes", value, "us", name)
        for name, value in added[routes].items():
            if name not in (OURS, NOTHING):
                target = ">= 10" if name == INSTRUMENTATOR else ""
                yield Row(f"added to a request, {routes} routes", value / added[routes][OURS], "x less", name, target)
    yield from _growth(added)


def _growth(added: dict[int, dict[str, float]]) -> Iterator[Row]:
    """What another route costs a request. Routing itself empties the processor's caches, for any middleware."""
    few, *_, many = added
    for name in (OURS, NOTHING, INSTRUMENTATOR):
        value = (added[many][name] - added[few][name]) / (many - few) * 1e3
        yield Row("added for each further route", value, "ns", name, "<= 10" if name == OURS else "")


async def _added(apps: dict[str, App], rounds: int) -> dict[str, float]:
    """Microseconds that each library adds to a request: the least of rounds by turns, less the probe's own."""
    for app in apps.values():
        await _warm(app)
    gc.collect()
    gc.freeze()
    turns = [{name: await _median(app) for name, app in apps.items()} for _ in range(rounds)]
    gc.unfreeze()
    outside = {name: min(turn[name] for turn in turns) for name in apps}
    return {name: (outside[name] - outside[BARE]) / 1e3 for name in apps if name != BARE}


async def _warm(app: App) -> None:
    statuses: list[int] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    for _ in range(20):
        await app(scope_of(), receive, send)
    assert set(statuses) == {200}, statuses


async def _median(app: App) -> float:
    outside = []
    for _ in range(REQUESTS):
        scope = scope_of()
        probe = scope["probe"]
        start = perf_counter_ns()
        await app(scope, receive, _send)
        outside.append(perf_counter_ns() - start - probe[0])
    return statistics.median(outside)


async def receive() -> dict[str, Any]:
    """A request without a body."""
    return {"type": "http.request", "body": b"", "more_body": False}


async def _send(_: MutableMapping[str, Any]) -> None:
    pass


def scope_of(path: str = "/items/42") -> dict[str, Any]:
    """The scope of a request."""
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"test"), (b"user-agent", b"bench"), (b"accept", b"*/*")],
        "server": ("test", 80),
        "client": ("test", 1),
        "state": {},
        "probe": [],
    }
