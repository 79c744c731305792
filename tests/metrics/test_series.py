"""Series: label values, limits, buckets, and updates from many threads."""

import math
import sys
import threading
from bisect import bisect_right
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import MagicMock

import prometheus_client
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from sergas_metrics import MetricsCollector, MetricSpec, _cells
from sergas_metrics._cells import CounterCell, GaugeCell, histogram_cell, locked
from sergas_metrics.types import Counter, Gauge, Histogram

Sample = Callable[..., float | None]

THREADS, UPDATES = 4, 20_000


def test_a_series_is_asked_for_by_position_or_by_name(metrics: MetricsCollector) -> None:
    failures = metrics.agent.task_failures
    assert failures.labels("sync", "KeyError") is failures.labels(error_type="KeyError", agent="sync")


def test_label_values_of_other_types_become_text(metrics: MetricsCollector) -> None:
    requests = metrics.http.requests
    assert requests.labels("GET", "/", 200) is requests.labels("GET", "/", "200")


@pytest.mark.parametrize(
    ("values", "named", "given"),
    [
        (("GET",), {}, "'GET'"),
        ((), {"method": "GET"}, "method"),
        (("GET",), {"route": "/", "status": "200"}, "'GET', route, status"),
        ((), {}, ""),
    ],
)
def test_wrong_labels_are_refused_with_the_right_ones(
    metrics: MetricsCollector, values: tuple[str, ...], named: dict[str, str], given: str
) -> None:
    with pytest.raises(ValueError) as refusal:  # noqa: PT011  # the whole sentence is asserted below
        metrics.http.requests.labels(*values, **named)
    assert str(refusal.value) == (
        f"sergas_http_requests_total has the labels (method, route, status), but was given ({given})"
    )


def test_a_counter_refuses_to_fall(metrics: MetricsCollector) -> None:
    with pytest.raises(ValueError, match=r"^a counter only rises: give inc\(\) an amount of 0 or more, not -1$"):
        metrics.zoho.accounts_synced.inc(-1)


def test_gauges_rise_fall_and_are_set(metrics: MetricsCollector, sample: Sample) -> None:
    gauge = metrics.http.requests_in_progress
    gauge.set(5)
    gauge.inc(2)
    gauge.dec()
    assert sample("sergas_http_requests_in_progress") == 6


def test_a_removed_series_is_gone(metrics: MetricsCollector, sample: Sample) -> None:
    metrics.agent.set_queue_size("sync", 3)
    metrics.agent.queue_size.remove("sync")
    metrics.agent.queue_size.remove("sync")
    assert sample("sergas_agent_queue_size", agent="sync") is None


def test_label_values_beyond_the_limit_share_the_overflow_series(registry: CollectorRegistry, sample: Sample) -> None:
    metrics = MetricsCollector(registry, max_series=2)
    for agent in ("a", "b", "c", "d", "c", "a"):
        metrics.agent.record_attempt(agent)
    assert sample("sergas_agent_task_attempts_total", agent="a") == 2
    assert sample("sergas_agent_task_attempts_total", agent="b") == 1
    assert sample("sergas_agent_task_attempts_total", agent="c") is None
    assert sample("sergas_agent_task_attempts_total", agent="overflow") == 3
    assert sample("sergas_metrics_overflow_total", metric="sergas_agent_task_attempts_total") == 3


def test_a_metric_below_its_limit_has_no_overflow_series(metrics: MetricsCollector, sample: Sample) -> None:
    metrics.agent.record_attempt("a")
    assert sample("sergas_agent_task_attempts_total", agent="overflow") is None


def test_a_value_on_a_bound_belongs_to_that_bucket(metrics: MetricsCollector, sample: Sample) -> None:
    metrics.http.record_request("GET", "/", 200, 0.5)
    assert sample("sergas_http_request_duration_seconds_bucket", method="GET", route="/", le="0.25") == 0
    assert sample("sergas_http_request_duration_seconds_bucket", method="GET", route="/", le="0.5") == 1
    assert sample("sergas_http_request_duration_seconds_bucket", method="GET", route="/", le="+Inf") == 1


def test_a_value_that_is_no_number_counts_in_the_last_bucket_alone() -> None:
    cell = histogram_cell((1.0, 2.0))()
    cell.observe(math.nan)
    assert cell.counts == [0, 0, 1]
    assert math.isnan(cell.total)


@given(st.lists(st.floats(allow_nan=False), max_size=30))
def test_histograms_agree_with_those_of_prometheus_client(values: list[float]) -> None:
    bounds = (0.0, 0.1, 2.5)
    ours = Histogram(MetricSpec("x_seconds", "histogram", "X.", unit="seconds", buckets=bounds))
    registry = CollectorRegistry()
    theirs = prometheus_client.Histogram("x_seconds", "X.", buckets=bounds, registry=registry)
    for value in values:
        ours.observe(value)
        theirs.observe(value)
    (metric,) = ours.collect()
    for sample in metric.samples:
        expected = registry.get_sample_value(sample.name, sample.labels)
        assert sample.value == expected or (math.isnan(sample.value) and expected is not None and math.isnan(expected))


@pytest.fixture
def hurried_threads() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def in_threads(work: Callable[[], None]) -> None:
    def repeat() -> None:
        for _ in range(UPDATES):
            work()

    threads = [threading.Thread(target=repeat) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.usefixtures("hurried_threads")
@pytest.mark.parametrize("with_lock", [False, True], ids=["without locks", "with locks"])
def test_no_update_is_lost_between_threads(with_lock: bool) -> None:
    kinds: list[Any] = [CounterCell, GaugeCell, histogram_cell((0.1, 1.0))]
    counter, gauge, histogram = ((locked(kind, None) if with_lock else kind)() for kind in kinds)

    def work() -> None:
        counter.inc()
        gauge.inc(2)
        gauge.dec()
        histogram.observe(0.5)

    in_threads(work)
    assert counter.value == gauge.value == THREADS * UPDATES
    assert histogram.numbers() == (0, THREADS * UPDATES, 0, THREADS * UPDATES * 0.5)


@pytest.mark.usefixtures("hurried_threads")
def test_threads_that_make_a_series_at_once_make_one(metrics: MetricsCollector) -> None:
    seen: list[int] = []
    start = threading.Barrier(THREADS)

    def ask() -> None:
        start.wait()
        seen.extend(id(metrics.agent.queue_size.labels(str(number))) for number in range(500))

    threads = [threading.Thread(target=ask) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(seen)) == 500


def test_every_change_of_a_locked_cell_takes_the_lock_and_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    noticed: list[float] = []
    lock = MagicMock()
    monkeypatch.setattr(_cells, "LOCK", lock)
    gauge = locked(GaugeCell, lambda _, amount: noticed.append(amount))()
    gauge.set(3)
    gauge.inc(2)
    gauge.dec()
    assert (gauge.value, noticed) == (4, [3, 2, 1])
    assert (lock.__enter__.call_count, lock.__exit__.call_count) == (3, 3)


def test_families_can_be_told_apart_by_type(metrics: MetricsCollector) -> None:
    assert isinstance(metrics.http.requests, Counter)
    assert isinstance(metrics.http.requests_in_progress, Gauge)
    assert isinstance(metrics.http.request_duration, Histogram)


def test_a_series_that_was_removed_is_made_anew_whatever_recorded_it(metrics: MetricsCollector, sample: Sample) -> None:
    for _ in range(2):
        metrics.cache.record_operation("accounts", "get", 0.1)
        metrics.cache.record_hit("accounts")
        metrics.http.record_request("GET", "/a", 200, 0.1)
        assert sample("sergas_cache_operation_duration_seconds_count", cache="accounts", operation="get") == 1
        assert sample("sergas_cache_hits_total", cache="accounts") == 1
        assert sample("sergas_http_requests_total", method="GET", route="/a", status="200") == 1
        metrics.cache.operation_duration.remove("accounts", "get")
        metrics.cache.hits.remove("accounts")
        metrics.http.requests.remove("GET", "/a", "200")


def test_operations_beyond_the_limit_of_series_are_counted_as_overflow(
    registry: CollectorRegistry, sample: Sample
) -> None:
    metrics = MetricsCollector(registry, max_series=1)
    for operation in ("get", "set", "set"):
        metrics.cache.record_operation("accounts", operation, 0.1)
    assert sample("sergas_metrics_overflow_total", metric="sergas_cache_operation_duration_seconds") == 2
    assert sample("sergas_cache_operation_duration_seconds_count", cache="overflow", operation="overflow") == 2
    assert sample("sergas_cache_operation_duration_seconds_count", cache="accounts", operation="get") == 1


@given(
    st.lists(st.floats(allow_nan=False), min_size=1, max_size=12, unique=True).map(sorted),
    st.lists(st.floats() | st.integers(-5, 5), max_size=20),
)
def test_a_bucket_is_found_as_by_bisection(bounds: list[float], values: list[float]) -> None:
    cell = histogram_cell(tuple(bounds))()
    counts = [0] * (len(bounds) + 1)
    for value in [*values, *bounds]:
        cell.observe(value)
        counts[bisect_right(cell.bounds, value)] += 1
    assert cell.counts == counts
