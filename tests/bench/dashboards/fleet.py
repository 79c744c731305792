"""A fleet of pods that one process plays on loopback: `python -m tests.bench.dashboards.fleet TARGETS SERIES PORT`.

Each target has a path of its own and exports the catalogue's metrics as a pod of the API or of the agents would, filled
up with routes to the number of series asked for. One target more a job exports what surrounds the application.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from dashboards.preview.example.application import combinations, exports
from dashboards.preview.example.surroundings import surroundings
from dashboards.preview.openmetrics import quoted
from sergas_metrics.catalogue import CATALOGUE, MetricSpec

NAMESPACES = ("crm", "crm-eu")
AGENTS_OF_TEN = 3
COUNTER_ENDS = ("_total", "_bucket", "_count", "_sum")


@dataclass
class Page:
    """What one kind of pod exports: text with a place for each value, and how each value moves."""

    template: str = ""
    weights: list[float] = field(default_factory=list)
    levels: list[float] = field(default_factory=list)

    def add(self, series: str, *, weight: float = 0.0, level: float = 0.0) -> None:
        """A series that rises by `weight` a second from `level`."""
        self.template += series.replace("%", "%%") + " %d\n"
        self.weights.append(weight)
        self.levels.append(level)

    def at(self, seconds: float) -> bytes:
        moved = (level + weight * seconds for level, weight in zip(self.levels, self.weights, strict=True))
        return (self.template % tuple(moved)).encode()


def pods(count: int) -> list[dict[str, str]]:
    """The labels of each target, spread over jobs and namespaces."""
    found = []
    for number in range(count):
        job = "sergas-agents" if number % 10 < AGENTS_OF_TEN else "sergas-api"
        pod, address = f"{job}-{number:04}", f"10.{number // 250}.{number % 250}.7:8000"
        found.append(
            {"namespace": NAMESPACES[number // 10 % len(NAMESPACES)], "job": job, "pod": pod, "instance": address}
        )
    return found


def page(job: str, count: int) -> Page:
    """Exactly `count` series of a pod of this job."""
    found = Page()
    found.add("process_cpu_seconds_total", weight=0.4)
    found.add("process_resident_memory_bytes", level=2e8)
    found.add("process_start_time_seconds", level=time.time() - 9000)
    for series, weight, level in islice(_series(job), count - 3):
        found.add(series, weight=weight, level=level)
    if len(found.weights) != count:
        raise ValueError(f"a pod of {job} has only {len(found.weights)} series, not {count}: add routes in _series")
    return found


def _series(job: str) -> Iterator[tuple[str, float, float]]:
    """(series, rise a second, level at the start): the whole catalogue, then routes without end."""
    mine = [spec for spec in CATALOGUE if exports(job, spec)]
    for spec in mine:
        for labels, share in combinations(spec):
            yield from _samples(spec, labels, share)
    by_route = [spec for spec in mine if "route" in spec.labels]
    for number in range(100):
        for spec in by_route:
            for labels, share in islice(combinations(spec), 1):
                yield from _samples(spec, labels | {"route": f"/accounts/{{account_id}}/part-{number}"}, share)


def _samples(spec: MetricSpec, labels: dict[str, str], share: float) -> Iterator[tuple[str, float, float]]:
    plain = ",".join(f"{name}={quoted(value)}" for name, value in labels.items())
    braced = f"{{{plain}}}" if plain else ""
    if spec.kind == "gauge":
        level = time.time() if spec.name.endswith("_timestamp_seconds") else 100 * share
        yield f"{spec.name}{braced}", 0.0, level
    elif spec.kind == "counter":
        yield f"{spec.name}{braced}", 10 * share, 0.0
    else:
        bounds = [*(f"{bound:g}" for bound in spec.buckets), "+Inf"]
        for number, bound in enumerate(bounds, start=1):
            label = f'{{{plain}{"," if plain else ""}le="{bound}"}}'
            yield f"{spec.name}_bucket{label}", 10 * share * number / len(bounds), 0.0
        yield f"{spec.name}_count{braced}", 10 * share, 0.0
        yield f"{spec.name}_sum{braced}", share, 0.0


def around() -> list[tuple[dict[str, str], Page]]:
    """What surrounds the application: (labels of the target, its page)."""
    pages: dict[tuple[str, str, str], Page] = defaultdict(Page)
    for track in surroundings():
        labels = dict(track.labels)
        target = labels.pop("namespace", ""), labels.pop("job", "other"), labels.pop("instance", "one")
        if track.name == "up":
            continue
        own = ",".join(f"{name}={quoted(value)}" for name, value in labels.items())
        moves = 0.5 if track.name.endswith(COUNTER_ENDS) else 0.0
        pages[target].add(f"{track.name}{{{own}}}" if own else track.name, weight=moves, level=float(track.values[-1]))
    names = ("namespace", "job", "instance")
    return [(dict(zip(names, target, strict=True)), found) for target, found in pages.items()]


class Targets(asyncio.Protocol):
    """Answers GET /<number>: plain HTTP/1.1, kept alive, as much as Prometheus needs."""

    def __init__(self, pages: list[Page]) -> None:
        self.pages, self.buffer = pages, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while b"\r\n\r\n" in self.buffer:
            head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
            number = int(head.split(b" ", 2)[1].strip(b"/"))
            body = self.pages[number].at((time.time() - EPOCH) * (1 + number % 7 / 7))
            lines = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: %d\r\n\r\n" % len(
                body
            )
            assert isinstance(self.transport, asyncio.Transport)
            self.transport.write(lines + body)


EPOCH = time.time()


async def serve(count: int, series: int, port: int) -> None:
    """Play all targets until cancelled. Pods of a job share one page: only their numbers differ."""
    kinds = {job: page(job, series) for job in ("sergas-api", "sergas-agents")}
    pages = [kinds[pod["job"]] for pod in pods(count)] + [found for _, found in around()]
    server = await asyncio.get_running_loop().create_server(lambda: Targets(pages), "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(*(int(argument) for argument in sys.argv[1:4])))
