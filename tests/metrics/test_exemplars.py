"""Exemplars: the last sampled trace of each bucket and counter, in OpenMetrics."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, use_span
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.samples import Exemplar

from sergas_metrics import MetricsCollector, render

OPENMETRICS = "application/openmetrics-text; version=1.0.0"
TRACE, SPAN = 0x5B8EFFF798038103D269B633813FC60C, 0xEEE19B7EC3C1B174


@pytest.fixture
def traced(registry: CollectorRegistry) -> MetricsCollector:
    return MetricsCollector(registry, exemplars=True)


@contextmanager
def span(*, sampled: bool = True) -> Iterator[None]:
    flags = TraceFlags(TraceFlags.SAMPLED if sampled else TraceFlags.DEFAULT)
    with use_span(NonRecordingSpan(SpanContext(TRACE, SPAN, is_remote=False, trace_flags=flags))):
        yield


def exemplars(metrics: MetricsCollector) -> dict[str, Exemplar]:
    """The bucket of each exemplar, to the exemplar."""
    text = render(source=metrics, accept=OPENMETRICS).body.decode()
    samples = [s for family in text_string_to_metric_families(text) for s in family.samples]
    return {s.labels["le"]: s.exemplar for s in samples if s.exemplar and "le" in s.labels}


def counted(metrics: MetricsCollector) -> dict[str, Exemplar]:
    """The counters that have an exemplar, to the exemplar."""
    text = render(source=metrics, accept=OPENMETRICS).body.decode()
    samples = [s for family in text_string_to_metric_families(text) for s in family.samples]
    return {s.name: s.exemplar for s in samples if s.exemplar and "le" not in s.labels}


def test_an_observation_within_a_sampled_trace_leaves_its_ids(traced: MetricsCollector) -> None:
    with span():
        traced.http.record_request("GET", "/", 200, 0.2)
        traced.http.record_request("GET", "/", 200, 0.3)
    found = exemplars(traced)
    assert set(found) == {"0.25", "0.5"}
    ids = {"trace_id": "5b8efff798038103d269b633813fc60c", "span_id": "eee19b7ec3c1b174"}
    assert (found["0.5"].labels, found["0.5"].value) == (ids, 0.3)


def test_a_counter_keeps_the_ids_of_the_trace_that_raised_it_last(traced: MetricsCollector) -> None:
    with span():
        traced.http.record_request("GET", "/", 500, 0.2)
    traced.http.record_request("GET", "/", 500, 0.2)
    [(name, found)] = counted(traced).items()
    ids = {"trace_id": "5b8efff798038103d269b633813fc60c", "span_id": "eee19b7ec3c1b174"}
    assert (name, found.labels, found.value) == ("sergas_http_requests_total", ids, 1.0)
    assert traced.http.requests.labels("GET", "/", "500").value == 2


def test_traces_that_are_not_kept_leave_nothing(traced: MetricsCollector) -> None:
    with span(sampled=False):
        traced.http.record_request("GET", "/", 200, 0.2)
    traced.http.record_request("GET", "/", 200, 0.2)
    assert exemplars(traced) == counted(traced) == {}
    assert traced.http.request_duration.labels("GET", "/").total == 0.4


def test_the_text_format_has_no_exemplars(traced: MetricsCollector) -> None:
    with span():
        traced.http.record_request("GET", "/", 200, 0.2)
    assert b"trace_id" not in render(source=traced).body


def test_without_opentelemetry_it_is_said_what_to_install(
    registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", None)
    with pytest.raises(ImportError, match=r"^exemplars need OpenTelemetry: pip install 'sergas-metrics\[exemplars\]'$"):
        MetricsCollector(registry, exemplars=True)


def test_a_registrys_collectors_agree_on_exemplars(traced: MetricsCollector) -> None:
    with pytest.raises(ValueError) as refusal:  # noqa: PT011  # the whole sentence is asserted below
        MetricsCollector(traced.registry)
    assert str(refusal.value) == (
        "this registry's Sergas metrics were made with exemplars=True, not False: use the same, or give "
        "MetricsCollector a registry of its own"
    )
