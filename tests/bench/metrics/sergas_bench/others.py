"""The same series, held by libraries whose metrics look different from prometheus-client's."""

from __future__ import annotations

from typing import Any

import aioprometheus
import pytheus.metrics
from aioprometheus.collectors import Registry as AioprometheusRegistry
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import CollectorRegistry
from pytheus.registry import CollectorRegistry as PytheusRegistry

from .registries import BUCKETS, DURATION, REQUESTS, counted, observed


def pytheus_registry(series: int) -> PytheusRegistry:
    """pytheus's."""
    registry = PytheusRegistry()
    counter = pytheus.metrics.Counter(
        REQUESTS.name, REQUESTS.help, required_labels=list(REQUESTS.labels), registry=registry
    )
    histogram = pytheus.metrics.Histogram(
        DURATION.name, DURATION.help, required_labels=list(DURATION.labels), registry=registry, buckets=list(BUCKETS)
    )
    for labels, amount in counted(series):
        counter.labels(dict(zip(REQUESTS.labels, labels, strict=True))).inc(amount)
    for route, values in observed(series):
        child = histogram.labels(dict(zip(DURATION.labels, route, strict=True)))
        for value in values:
            child.observe(value)
    return registry


def aioprometheus_registry(series: int) -> AioprometheusRegistry:
    """aioprometheus's."""
    registry = AioprometheusRegistry()
    counter = aioprometheus.Counter(REQUESTS.name, REQUESTS.help, registry=registry)
    histogram = aioprometheus.Histogram(DURATION.name, DURATION.help, registry=registry, buckets=list(BUCKETS))
    for labels, amount in counted(series):
        counter.add(dict(zip(REQUESTS.labels, labels, strict=True)), amount)
    for route, values in observed(series):
        for value in values:
            histogram.observe(dict(zip(DURATION.labels, route, strict=True)), value)
    return registry


def opentelemetry_registry(series: int) -> CollectorRegistry:
    """OpenTelemetry's, of the first 2,000 label values of each metric: its SDK's limit."""
    registry = CollectorRegistry()
    reader: Any = PrometheusMetricReader(registry=registry)
    meter = MeterProvider(metric_readers=[reader]).get_meter("bench")
    counter = meter.create_counter("sergas_http_requests")
    histogram = meter.create_histogram(DURATION.name, explicit_bucket_boundaries_advisory=list(BUCKETS))
    for labels, amount in counted(series):
        counter.add(amount, dict(zip(REQUESTS.labels, labels, strict=True)))
    for route, values in observed(series):
        for value in values:
            histogram.record(value, dict(zip(DURATION.labels, route, strict=True)))
    return registry
