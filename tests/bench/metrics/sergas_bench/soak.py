"""An application under load and scrapes for some minutes: its memory stays, and every request counts."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from random import Random
from time import monotonic
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from sergas_metrics import MetricsCollector, instrument

from .applications import application
from .requests import receive, scope_of
from .rows import Row

SECONDS = float(os.environ.get("SOAK_SECONDS", "120"))
WARM_SHARE = 0.25
"""Of the time, before memory is looked at: caches fill, and the allocator finds its size."""
CLIENTS = 8
PAUSE = 0.2
"""Seconds between two scrapes."""


def measure() -> Iterator[Row]:
    """Rows of lost requests, growth of memory, and what was done."""
    found = asyncio.run(_Soak().run())
    minutes = SECONDS / 60
    yield Row(f"soak of {minutes:g} min: requests", found["requests"], "requests")
    yield Row(f"soak of {minutes:g} min: scrapes", found["scrapes"], "scrapes")
    yield Row(f"soak of {minutes:g} min: counts lost", found["lost"], "requests", "", "<= 0")
    yield Row(f"soak of {minutes:g} min: in progress at the end", found["in_progress"], "requests", "", "<= 0")
    yield Row(f"soak of {minutes:g} min: memory grew after warming up", found["grown"] / 2**20, "MiB", "", "<= 2")


class _Soak:
    def __init__(self) -> None:
        self.metrics = MetricsCollector(CollectorRegistry())
        self.app: Any = instrument(application(100), collector=self.metrics)
        self.requests = 0
        self.scrapes = 0
        self.end = 0.0

    async def run(self) -> dict[str, float]:
        self.end = monotonic() + SECONDS
        load = [asyncio.create_task(self._ask(number)) for number in range(CLIENTS)]
        load.append(asyncio.create_task(self._scrape()))
        await asyncio.sleep(SECONDS * WARM_SHARE)
        before = _resident()
        await asyncio.gather(*load)
        grown = _resident() - before
        text = (await self._get("/metrics")).decode()
        samples = [s for family in text_string_to_metric_families(text) for s in family.samples]
        counted = sum(sample.value for sample in samples if sample.name == "sergas_http_requests_total")
        (running,) = (sample.value for sample in samples if sample.name == "sergas_http_requests_in_progress")
        lost = abs(self.requests - counted)
        done = {"requests": self.requests, "scrapes": self.scrapes}
        return {**done, "lost": lost, "in_progress": running, "grown": grown}

    async def _ask(self, number: int) -> None:
        chance = Random(number)
        paths = ("/items/1", "/items/x", "/nowhere/{}", "/r3/{}")
        while monotonic() < self.end:
            await self._get(chance.choice(paths).format(chance.randrange(10**9)))
            self.requests += 1
            self.metrics.agent.record_failure(f"agent {chance.randrange(5000)}", f"Error{chance.randrange(100)}")

    async def _scrape(self) -> None:
        while monotonic() < self.end:
            assert b"sergas_http_requests_total{" in await self._get("/metrics")
            self.scrapes += 1
            await asyncio.sleep(PAUSE)

    async def _get(self, path: str) -> bytes:
        body = b""

        async def send(message: MutableMapping[str, Any]) -> None:
            nonlocal body
            body += message.get("body", b"")

        await self.app(scope_of(path), receive, send)
        await asyncio.sleep(0)  # the application waits for nothing: let the others have their turn
        return body


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")
