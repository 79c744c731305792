"""What many processes cost: an update, publishing, and a scrape that adds up four workers, ours and others'."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import prometheus_client
from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector

from sergas_metrics import MetricsCollector, render
from sergas_metrics.types import Counter, Histogram

from .registries import BUCKETS, DURATION, REQUESTS, counted, observed
from .rows import Row
from .timing import best, loop, once

WORKERS = 4
SERIES = 10_000
HOT = {"counter inc": ("c.inc()", "c"), "histogram observe": ("h.observe(0.042)", "h")}


def measure() -> Iterator[Row]:
    """Rows of the three costs."""
    with ExitStack() as stack:
        own, theirs = (Path(stack.enter_context(TemporaryDirectory())) for _ in range(2))
        yield from _updates(own / "updates")
        stack.enter_context(_workers("ours", own))
        stack.enter_context(_workers("theirs", theirs))
        yield from _scrapes(own, theirs)


def _updates(place: Path) -> Iterator[Row]:
    loops = {"nothing": loop("pass")}
    for name, directory in (("one process", None), ("many processes", place)):
        metrics = MetricsCollector(CollectorRegistry(), directory=directory)
        cells = {"c": metrics.agent.task_attempts.labels("sync"), "h": metrics.memory.processing_duration.labels("a")}
        loops |= {f"{kind}, {name}": loop(statement, **{c: cells[c]}) for kind, (statement, c) in HOT.items()}
        loops[f"gauge set, {name}"] = loop("g.set(3)", g=metrics.zoho.sync_lag.labels())
    found = best(loops, 1_000, 300)
    for kind in (*HOT, "gauge set"):
        many, one = (found[f"{kind}, {name}"] - found["nothing"] for name in ("many processes", "one process"))
        yield Row(f"{kind}, many processes", many, "ns")
        yield Row(f"{kind}, many processes", many / one, "x", "one process", "<= 1.1" if kind in HOT else "")


def _scrapes(own: Path, theirs: Path) -> Iterator[Row]:
    metrics = _filled(own)
    found = best(
        {
            "publishing": once(metrics.publish),
            "ours": once(lambda: render(source=metrics)),
            "prometheus-client": once(lambda: _multiprocess(theirs)),
        },
        1,
        5,
    )
    assert render(source=metrics).body.count(b"\n") > SERIES
    assert _multiprocess(theirs).count(b"\n") > SERIES
    name = f"scrape of {WORKERS + 1} processes of {SERIES:,} series"
    yield Row(f"publishing {SERIES:,} series, each second", found["publishing"] / 1e6, "ms")
    yield Row(name, found["ours"] / 1e6, "ms")
    yield Row(name, found["prometheus-client"] / found["ours"], "x faster", "prometheus-client", ">= 10")


def _multiprocess(place: Path) -> bytes:
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(place))  # type: ignore[no-untyped-call]
    return prometheus_client.generate_latest(registry)


def _workers(library: str, place: Path) -> ExitStack:
    """Processes that hold the series until the end."""
    stack = ExitStack()
    command = [sys.executable, "-W", "ignore", "-m", "sergas_bench.processes", library, str(place)]
    environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(place)}
    for _ in range(WORKERS + (library == "theirs")):
        process = subprocess.Popen(
            command,
            cwd=Path(__file__).resolve().parents[1],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        stack.callback(process.communicate)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
    return stack


def _filled(place: Path) -> MetricsCollector:
    metrics = MetricsCollector(CollectorRegistry(), directory=place)
    counter = Counter(replace(REQUESTS, name="bench_requests_total"), max_series=10**6)
    histogram = Histogram(replace(DURATION, name="bench_duration_seconds"), max_series=10**6)
    for family in (counter, histogram):
        metrics.registry.register(family)
    _record(counter.labels, histogram.labels)
    return metrics


def _record(counter: Callable[..., Any], histogram: Callable[..., Any]) -> None:
    for labels, amount in counted(SERIES):
        counter(*labels).inc(amount)
    for route, values in observed(SERIES):
        for value in values:
            histogram(*route).observe(value)


def _main(library: str, place: Path) -> None:
    if library == "ours":
        metrics = _filled(place)
        metrics.publish()
    else:
        counter = prometheus_client.Counter("bench_requests_total", "B.", REQUESTS.labels)
        histogram = prometheus_client.Histogram("bench_duration_seconds", "B.", DURATION.labels, buckets=BUCKETS)
        _record(counter.labels, histogram.labels)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    _main(sys.argv[1], Path(sys.argv[2]))
