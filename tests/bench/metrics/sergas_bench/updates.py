"""What one update costs: bound series, and the collector's methods with their labels looked up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import aioprometheus
import prometheus_client
import pytheus.metrics
import pytheus.registry
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import AlwaysOffExemplarFilter, MeterProvider
from prometheus_client import CollectorRegistry

from sergas_metrics import MetricsCollector
from sergas_metrics.catalogue import WORK_BUCKETS

from .rows import Row
from .timing import Loop, best, loop

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)
VALUE = 0.042
FLOOR = "floor: call + dict lookup + float add"
LABELS = {"operation": "ingest"}


def measure() -> Iterator[Row]:
    """Rows for counters and histograms, bound and through methods."""
    loops: dict[str, Loop] = {"nothing": loop("pass"), FLOOR: _floor()} | _ours() | _prometheus_client() | _peers()
    found = best(loops, 1_000, 500)
    cost = {name: value - found["nothing"] for name, value in found.items()}
    yield Row(FLOOR, cost[FLOOR], "ns")
    for kind, limit in (("counter inc", 1.2), ("histogram observe", 2.5)):
        yield from _against_floor(cost, f"ours: {kind}", limit)
        yield from _against_peers(cost, kind)
    for name in (name for name in cost if name.startswith("ours: method")):
        yield from _against_floor(cost, name, 3 * _metrics_of(name))
    for own, method in _OWN.items():
        yield Row(own, cost[f"ours: {own}"], "ns")
        yield Row(own, cost[f"ours: {own}"] / cost[f"ours: {method}"], "x", method, "<= 1.5")
    for method, theirs in _METHODS.items():
        yield Row(method, cost[theirs] / cost[f"ours: {method}"], "x faster", theirs)


_METHODS = {
    "method agent.record_attempt (1 label)": "prometheus-client: labels().inc",
    "method memory.record_processing (1 label)": "prometheus-client: labels().observe",
}

_OWN = {
    "own counter: labels(kind).inc()": "method agent.record_attempt (1 label)",
    "own histogram: labels(kind).observe(v)": "method memory.record_processing (1 label)",
}
"""Metrics that an application declared, and the method of the catalogue that does the same."""


def _metrics_of(name: str) -> int:
    """How many metrics a method updates."""
    return 2 if "two metrics" in name else 1


def _against_floor(cost: dict[str, float], name: str, limit: float) -> Iterator[Row]:
    label = name.removeprefix("ours: ")
    yield Row(label, cost[name], "ns")
    yield Row(label, cost[name] / cost[FLOOR], "x floor", "floor", f"<= {limit:g}")


def _against_peers(cost: dict[str, float], kind: str) -> Iterator[Row]:
    for name, value in cost.items():
        if name.endswith(f": {kind}") and not name.startswith("ours"):
            target = ">= 5" if name.startswith("prometheus-client") else ""
            yield Row(kind, value / cost[f"ours: {kind}"], "x faster", name.split(":")[0], target)


def _floor() -> Loop:
    held = {"k": 0.0}

    def add(key: str) -> None:
        held[key] += 1.0

    return loop("add('k')", add=add)


def _ours() -> dict[str, Loop]:
    metrics = MetricsCollector(CollectorRegistry())
    orders = metrics.counter("orders_total", "Orders.", labels=("kind",))
    duration = metrics.histogram("order_seconds", "Duration.", labels=("kind",), unit="seconds", buckets=WORK_BUCKETS)
    return {
        "ours: own counter: labels(kind).inc()": loop("o.labels(k).inc()", o=orders, k="web"),
        "ours: own histogram: labels(kind).observe(v)": loop("d.labels(k).observe(v)", d=duration, k="web", v=VALUE),
        "ours: counter inc": loop("c.inc()", c=metrics.agent.task_attempts.labels("sync")),
        "ours: histogram observe": loop("h.observe(v)", h=metrics.memory.processing_duration.labels("ingest"), v=VALUE),
        "ours: method agent.record_attempt (1 label)": loop("m.record_attempt(a)", m=metrics.agent, a="sync"),
        "ours: method cache.record_hit (1 label)": loop("m.record_hit(a)", m=metrics.cache, a="accounts"),
        "ours: method zoho.record_synced (two metrics)": loop("m.record_synced()", m=metrics.zoho),
        "ours: method agent.set_queue_size (gauge)": loop("m.set_queue_size(a, 3)", m=metrics.agent, a="sync"),
        "ours: method memory.record_processing (1 label)": loop(
            "m.record_processing(o, v)", m=metrics.memory, o="ingest", v=VALUE
        ),
        "ours: method cache.record_operation (2 labels)": loop(
            "m.record_operation(c, o, v)", m=metrics.cache, c="accounts", o="get", v=VALUE
        ),
        "ours: method zoho.record_call (two metrics)": loop(
            "m.record_call(e, s, v)", m=metrics.zoho, e="accounts", s=200, v=VALUE
        ),
        "ours: method http.record_request (two metrics)": loop(
            "m.record_request(g, r, s, v)", m=metrics.http, g="GET", r="/accounts/{account_id}", s=200, v=VALUE
        ),
    }


def _prometheus_client() -> dict[str, Loop]:
    registry = CollectorRegistry()
    counter = prometheus_client.Counter("c", "c", LABELS, registry=registry)
    histogram = prometheus_client.Histogram("h", "h", LABELS, registry=registry, buckets=BUCKETS)
    return {
        "prometheus-client: counter inc": loop("c.inc()", c=counter.labels("ingest")),
        "prometheus-client: histogram observe": loop("h.observe(v)", h=histogram.labels("ingest"), v=VALUE),
        "prometheus-client: labels().inc": loop("c.labels(o).inc()", c=counter, o="ingest"),
        "prometheus-client: labels().observe": loop("h.labels(o).observe(v)", h=histogram, o="ingest", v=VALUE),
    }


def _peers() -> dict[str, Loop]:
    registry = pytheus.registry.CollectorRegistry()
    counter = pytheus.metrics.Counter("c", "c", required_labels=list(LABELS), registry=registry)
    histogram = pytheus.metrics.Histogram("h", "h", required_labels=list(LABELS), registry=registry)
    aio = aioprometheus.collectors.Registry()
    return {
        "pytheus: counter inc": loop("c.inc()", c=counter.labels(LABELS)),
        "pytheus: histogram observe": loop("h.observe(v)", h=histogram.labels(LABELS), v=VALUE),
        "aioprometheus: counter inc": loop("c.inc(d)", c=aioprometheus.Counter("c", "c", registry=aio), d=LABELS),
        "aioprometheus: histogram observe": loop(
            "h.observe(d, v)",
            h=aioprometheus.Histogram("h", "h", registry=aio, buckets=list(BUCKETS)),
            d=LABELS,
            v=VALUE,
        ),
        **_opentelemetry(),
    }


def _opentelemetry() -> dict[str, Loop]:
    reader: Any = PrometheusMetricReader(registry=CollectorRegistry())
    meter = MeterProvider(metric_readers=[reader], exemplar_filter=AlwaysOffExemplarFilter()).get_meter("bench")
    histogram = meter.create_histogram("h", explicit_bucket_boundaries_advisory=list(BUCKETS))
    return {
        "opentelemetry-sdk: counter inc": loop("c.add(1, d)", c=meter.create_counter("c"), d=LABELS),
        "opentelemetry-sdk: histogram observe": loop("h.record(v, d)", h=histogram, d=LABELS, v=VALUE),
    }
