"""Registries of the same series, one in ten a counter's, held by this library and by others."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import prometheus_client
from prometheus_client import CollectorRegistry

from sergas_metrics import MetricSpec
from sergas_metrics.types import Counter, Histogram

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)
LINES = len(BUCKETS) + 3
"""Series of one histogram: its buckets, +Inf, count and sum."""

REQUESTS = MetricSpec("sergas_http_requests_total", "counter", "HTTP requests.", ("method", "route", "status"))
DURATION = MetricSpec(
    "sergas_http_request_duration_seconds", "histogram", "Durations.", ("method", "route"), "seconds", BUCKETS
)


def counted(series: int) -> Iterator[tuple[tuple[str, str, str], int]]:
    """Label values and count of each counter."""
    chance = random.Random(1)
    for number in range(series - histograms(series) * LINES):
        yield ("GET", f"/api/res{number % 50}/{{id}}/{number}", chance.choice("235") + "00"), chance.randrange(9**5)


def observed(series: int) -> Iterator[tuple[tuple[str, str], list[float]]]:
    """Label values and observations of each histogram."""
    chance = random.Random(2)
    for number in range(histograms(series)):
        yield ("GET", f"/api/res{number % 50}/{{id}}/{number}"), [chance.expovariate(5) for _ in range(20)]


def histograms(series: int) -> int:
    """How many histograms hold nine tenths of the series."""
    return series * 9 // 10 // LINES


def ours(series: int) -> CollectorRegistry:
    """This library's."""
    registry = CollectorRegistry()
    counter = Counter(REQUESTS, max_series=10**6)
    histogram = Histogram(DURATION, max_series=10**6)
    registry.register(counter)
    registry.register(histogram)
    _fill(counter, histogram, series)
    return registry


def prometheus_clients(series: int) -> CollectorRegistry:
    """prometheus-client's, without the ``_created`` series that this library does not have either."""
    registry = CollectorRegistry()
    prometheus_client.disable_created_metrics()
    counter = prometheus_client.Counter(REQUESTS.name, REQUESTS.help, REQUESTS.labels, registry=registry)
    histogram = prometheus_client.Histogram(
        DURATION.name, DURATION.help, DURATION.labels, unit="seconds", registry=registry, buckets=BUCKETS
    )
    _fill(counter, histogram, series)
    return registry


def _fill(counter: Any, histogram: Any, series: int) -> None:
    for labels, amount in counted(series):
        counter.labels(*labels).inc(amount)
    for route, values in observed(series):
        cell = histogram.labels(*route)
        for value in values:
            cell.observe(value)
