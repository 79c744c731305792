"""Resident bytes of one series, each library in a process of its own.

starlette-exporter and prometheus-fastapi-instrumentator keep prometheus-client's series, so theirs are the same.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aioprometheus
import prometheus_client
import pytheus.metrics
from prometheus_client import CollectorRegistry

from sergas_metrics import MetricSpec, render
from sergas_metrics.types import Counter, Histogram

from .registries import BUCKETS
from .rows import Row

CHILDREN = {"counter": 20_000, "histogram": 3_000}
LINES = {"counter": 1, "histogram": 14}
LIBRARIES = ("ours", "prometheus-client", "pytheus", "aioprometheus")


def measure() -> Iterator[Row]:
    """Rows of bytes, ours after a scrape so that what it keeps for the next one counts too."""
    for kind in CHILDREN:
        found = {library: _in_a_process(library, kind) for library in LIBRARIES}
        for library, size in found.items():
            yield Row(f"resident bytes of a {kind}'s series", size, "bytes", library)
        for library in LIBRARIES[1:]:
            target = "<= 1" if library == "prometheus-client" else ""
            yield Row(f"resident bytes of a {kind}'s series", found["ours"] / found[library], "x", library, target)


def _in_a_process(library: str, kind: str) -> float:
    command = [sys.executable, "-W", "ignore", "-m", "sergas_bench.memory", library, kind]
    place = Path(__file__).resolve().parents[1]
    return float(subprocess.run(command, cwd=place, check=True, capture_output=True, text=True).stdout)


def _grown(make: Callable[[tuple[str, str]], None], children: int, scrape: Callable[[], object]) -> float:
    make(("first", "first"))
    scrape()
    before = _resident()
    for number in range(children):
        make(("GET", f"/api/v1/resource/{number}"))
    scrape()
    return _resident() - before


def _resident() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def _library(library: str, kind: str) -> tuple[Callable[[tuple[str, str]], None], Callable[[], object]]:
    metric: Any
    if library == "pytheus":
        return _pytheus(kind)
    if library == "aioprometheus":
        return _aioprometheus(kind)
    if library == "ours":
        metric, scrape = _ours(kind)
    else:
        metric, scrape = _prometheus_client(kind)
    if kind == "counter":
        return lambda labels: metric.labels(*labels).inc(), scrape
    return lambda labels: metric.labels(*labels).observe(0.1), scrape


def _ours(kind: str) -> tuple[Any, Callable[[], object]]:
    registry = CollectorRegistry()
    labels = ("method", "route")
    metric: Counter | Histogram
    if kind == "counter":
        metric = Counter(MetricSpec("m_total", "counter", "M.", labels), max_series=10**6)
    else:
        metric = Histogram(MetricSpec("m", "histogram", "M.", labels, "", BUCKETS), max_series=10**6)
    registry.register(metric)
    return metric, lambda: len(render(source=registry).body)


def _prometheus_client(kind: str) -> tuple[Any, Callable[[], object]]:
    registry = CollectorRegistry()
    labels = ("method", "route")
    if kind == "counter":
        return prometheus_client.Counter("m_total", "M.", labels, registry=registry), lambda: None
    return prometheus_client.Histogram("m", "M.", labels, registry=registry, buckets=BUCKETS), lambda: None


def _pytheus(kind: str) -> tuple[Callable[[tuple[str, str]], None], Callable[[], object]]:
    names = ["method", "route"]
    if kind == "counter":
        counter = pytheus.metrics.Counter("m", "M.", required_labels=names)
        return lambda labels: counter.labels(dict(zip(names, labels, strict=True))).inc(), lambda: None
    histogram = pytheus.metrics.Histogram("m", "M.", required_labels=names)
    return lambda labels: histogram.labels(dict(zip(names, labels, strict=True))).observe(0.1), lambda: None


def _aioprometheus(kind: str) -> tuple[Callable[[tuple[str, str]], None], Callable[[], object]]:
    names = ("method", "route")
    registry = aioprometheus.collectors.Registry()
    if kind == "counter":
        counter = aioprometheus.Counter("m", "M.", registry=registry)
        return lambda labels: counter.inc(dict(zip(names, labels, strict=True))), lambda: None
    histogram = aioprometheus.Histogram("m", "M.", registry=registry, buckets=list(BUCKETS))
    return lambda labels: histogram.observe(dict(zip(names, labels, strict=True)), 0.1), lambda: None


def _main(library: str, kind: str) -> None:
    make, scrape = _library(library, kind)
    children = CHILDREN[kind]
    sys.stdout.write(str(_grown(make, children, scrape) / children / LINES[kind]))


if __name__ == "__main__":
    _main(*sys.argv[1:])
