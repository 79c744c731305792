"""How fast a registry becomes text."""

from __future__ import annotations

from collections.abc import Iterator

import aioprometheus
import prometheus_client
import starlette_exporter
from prometheus_client.openmetrics.exposition import generate_latest as openmetrics
from pytheus.exposition import generate_metrics
from starlette.requests import Request

from sergas_metrics import render

from .others import aioprometheus_registry, opentelemetry_registry, pytheus_registry
from .registries import ours, prometheus_clients
from .rows import Row
from .timing import best, once

SIZES = {1_000: 9, 10_000: 5, 100_000: 4}
"""How many rounds for each number of series."""
OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def measure() -> Iterator[Row]:
    """Rows of times and ratios for each number of series."""
    for series, rounds in SIZES.items():
        yield from _against_prometheus_client(series, rounds)
    yield from _against_others(10_000)


def _against_prometheus_client(series: int, rounds: int) -> Iterator[Row]:
    own, theirs = ours(series), prometheus_clients(series)
    assert render(source=own).body == prometheus_client.generate_latest(theirs)
    assert render(source=own, accept=OPENMETRICS).body == openmetrics(theirs)
    found = best(
        {
            "ours": once(lambda: render(source=own)),
            "generate_latest": once(lambda: prometheus_client.generate_latest(theirs)),
            "ours, OpenMetrics": once(lambda: render(source=own, accept=OPENMETRICS)),
            "generate_latest, OpenMetrics": once(lambda: openmetrics(theirs)),
        },
        1,
        rounds,
    )
    name = f"exposition of {series:,} series"
    yield Row(name, found["ours"] / 1e6, "ms")
    yield Row(name, found["generate_latest"] / found["ours"], "x faster", "prometheus-client", ">= 25")
    ratio = found["generate_latest, OpenMetrics"] / found["ours, OpenMetrics"]
    yield Row(f"{name}, OpenMetrics", ratio, "x faster", "prometheus-client", ">= 25")


def _against_others(series: int) -> Iterator[Row]:
    own, pytheus, otel = ours(series), pytheus_registry(series), opentelemetry_registry(series)
    aio = aioprometheus_registry(series)
    starlette_exporter.REGISTRY = prometheus_clients(series)
    request = Request({"type": "http", "method": "GET", "path": "/metrics", "headers": []})
    found = best(
        {
            "ours": once(lambda: render(source=own)),
            "pytheus": once(lambda: generate_metrics(pytheus)),
            "aioprometheus": once(lambda: aioprometheus.render(aio, ["text/plain"])),
            "starlette-exporter": once(lambda: starlette_exporter.handle_metrics(request)),
            "opentelemetry-exporter-prometheus": once(lambda: prometheus_client.generate_latest(otel)),
        },
        1,
        3,
    )
    for peer, taken in found.items():
        if peer != "ours":
            yield Row(f"exposition of {series:,} series", taken / found["ours"], "x faster", peer)
