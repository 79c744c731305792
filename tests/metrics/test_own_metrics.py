"""Metrics of the application's own: declared on a collector, checked, and as good as the catalogue's."""

import asyncio
import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from sergas_metrics import CATALOGUE, MetricsCollector, render
from sergas_metrics.testing import Recorded

Sample = Callable[..., float | None]


def test_counts_orders_by_kind(metrics: MetricsCollector, sample: Sample) -> None:
    orders = metrics.counter("orders_total", "Orders placed.", labels=("kind",))
    orders.labels("web").inc()
    orders.labels(kind="web").inc(2)
    assert sample("orders_total", kind="web") == 3


def test_gauge_and_histogram_record_without_labels(metrics: MetricsCollector, sample: Sample) -> None:
    queue = metrics.gauge("queue_size", "Orders that wait.")
    queue.set(5)
    queue.inc()
    queue.dec(2)
    duration = metrics.histogram("order_duration_seconds", "Duration.", unit="seconds", buckets=(0.1, 1, math.inf))
    duration.observe(0.5)
    assert sample("queue_size") == 4
    assert sample("order_duration_seconds_bucket", le="1.0") == 1
    assert sample("order_duration_seconds_bucket", le="0.1") == 0


def test_function_gives_the_value_at_every_scrape(metrics: MetricsCollector, sample: Sample) -> None:
    items = [1, 2]
    metrics.gauge("queue_size", "Orders that wait.").set_function(lambda: len(items))
    assert sample("queue_size") == 2
    items.append(3)
    assert b"\nqueue_size 3.0\n" in render(source=metrics).body


def test_function_that_raises_keeps_the_last_value(metrics: MetricsCollector, sample: Sample) -> None:
    answers = [7.0]
    metrics.gauge("queue_size", "Orders that wait.").set_function(answers.pop)
    assert b"\nqueue_size 7.0\n" in render(source=metrics).body
    assert b"\nqueue_size 7.0\n" in render(source=metrics).body
    assert sample("sergas_metrics_errors_total", where="set_function") == 1


def test_same_metric_is_given_again(metrics: MetricsCollector) -> None:
    first = metrics.counter("orders_total", "Orders placed.", labels=["kind"])
    assert MetricsCollector(metrics.registry).counter("orders_total", "Orders placed.", labels=("kind",)) is first


def test_refuses_same_name_with_other_settings(metrics: MetricsCollector) -> None:
    metrics.counter("orders_total", "Orders placed.")
    with pytest.raises(ValueError, match="orders_total is a metric already, with other settings"):
        metrics.counter("orders_total", "Orders placed.", labels=("kind",))
    with pytest.raises(ValueError, match="is a metric already"):
        metrics.gauge(CATALOGUE[2].name, "Mine.")


def test_refuses_name_of_a_metric_of_prometheus_client(metrics: MetricsCollector, registry: CollectorRegistry) -> None:
    import prometheus_client  # noqa: PLC0415

    prometheus_client.Counter("orders_total", "Orders.", registry=registry)
    with pytest.raises(ValueError, match="Duplicated timeseries"):
        metrics.counter("orders_total", "Orders placed.")


@pytest.mark.parametrize(
    ("declare", "message"),
    [
        (lambda m: m.counter("orders", "O."), "the name of a counter ends in _total: write orders_total"),
        (lambda m: m.counter("_total", "O."), "the name of a counter ends in _total"),
        (lambda m: m.counter("9_total", "O."), "'9_total' is no metric name"),
        (lambda m: m.counter("orders-placed_total", "O."), "is no metric name"),
        (lambda m: m.counter("wait_total", "W.", unit="seconds"), "ends in its unit: write wait_seconds_total"),
        (lambda m: m.histogram("wait", "W.", unit="seconds"), "ends in its unit: write wait_seconds"),
        (lambda m: m.gauge("g", "G.", labels=("a-b",)), "label 'a-b' of g is no label name"),
        (lambda m: m.gauge("g", "G.", labels=("__a",)), "label '__a' of g is reserved"),
        (lambda m: m.histogram("h", "H.", labels=("le",)), "label 'le' of h is reserved"),
        (lambda m: m.gauge("g", "G.", labels=("a", "a")), "the labels of g are not unique: a, a"),
        (lambda m: m.gauge("g", "G.", across="mean"), "across of g must be one of sum, max, latest, not 'mean'"),
        (lambda m: m.histogram("h", "H.", buckets=()), "histogram h needs at least one bucket"),
        (lambda m: m.histogram("h", "H.", buckets=(math.inf,)), "histogram h needs at least one bucket"),
        (lambda m: m.histogram("h", "H.", buckets=(2, 1)), "the buckets of h must be numbers that rise"),
        (lambda m: m.histogram("h", "H.", buckets=(1, 1)), "the buckets of h must be numbers that rise"),
        (lambda m: m.histogram("h", "H.", buckets=(math.nan,)), "the buckets of h must be numbers that rise"),
    ],
)
def test_refuses_what_prometheus_does_not_take(
    metrics: MetricsCollector, declare: Callable[[MetricsCollector], Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        declare(metrics)
    assert len(list(metrics.registry.collect())) == len(CATALOGUE)


def test_refuses_labels_that_are_one_string(metrics: MetricsCollector) -> None:
    with pytest.raises(TypeError, match=r'labels of orders_total must be a tuple of names: write \("kind",\)'):
        metrics.counter("orders_total", "Orders.", labels="kind")


def test_own_metric_has_limit_and_overflow(registry: CollectorRegistry, sample: Sample) -> None:
    orders = MetricsCollector(registry, max_series=1).counter("orders_total", "Orders placed.", labels=("kind",))
    for kind in ("a", "b", "c"):
        orders.labels(kind).inc()
    assert sample("orders_total", kind="overflow") == 2
    assert sample("sergas_metrics_overflow_total", metric="orders_total") == 2


def test_own_metrics_can_be_asserted_on(metrics: MetricsCollector) -> None:
    recorded = Recorded(metrics)
    orders = metrics.counter("orders_total", "Orders placed.", labels=("kind",))
    with recorded.increases("orders_total", kind="web"):
        orders.labels("web").inc()


async def test_helpers_measure_blocks_and_functions(metrics: MetricsCollector, sample: Sample, clock: Any) -> None:
    duration = metrics.histogram("order_duration_seconds", "Duration.", labels=("kind",))
    failures = metrics.counter("order_failures_total", "Failures.")
    running = metrics.gauge("orders_in_progress", "Running.")
    last = metrics.gauge("order_last_seconds", "Duration of the last order.")

    @duration.labels("web").time()
    @failures.count_exceptions(KeyError)
    @running.track_inprogress()
    async def place(error: Exception | None = None) -> float | None:
        clock.passes(2)
        await asyncio.sleep(0)
        if error:
            raise error
        return sample("orders_in_progress")

    assert await place() == 1
    for error in (KeyError("x"), ValueError("x")):
        with pytest.raises(type(error)):
            await place(error)
    with last.time():
        clock.passes(3)
    assert sample("order_duration_seconds_sum", kind="web") == 6
    assert sample("order_failures_total") == 1
    assert sample("orders_in_progress") == 0
    assert sample("order_last_seconds") == 3


def test_gauge_is_set_to_the_current_time(metrics: MetricsCollector, sample: Sample) -> None:
    metrics.gauge("last_order_timestamp_seconds", "When.", unit="seconds").set_to_current_time()
    assert (sample("last_order_timestamp_seconds") or 0) > 1.7e9


@pytest.mark.parametrize(
    "use",
    [
        lambda m: m.counter("c_total", "C.", labels=("a",)).inc(),
        lambda m: m.counter("c_total", "C.", labels=("a",)).count_exceptions(),
        lambda m: m.gauge("g", "G.", labels=("a",)).set(1),
        lambda m: m.gauge("g", "G.", labels=("a",)).set_function(lambda: 1),
        lambda m: m.gauge("g", "G.", labels=("a",)).track_inprogress(),
        lambda m: m.gauge("g", "G.", labels=("a",)).time(),
        lambda m: m.histogram("h", "H.", labels=("a",)).observe(1),
        lambda m: m.histogram("h", "H.", labels=("a",)).time(),
    ],
)
def test_refuses_use_of_a_metric_without_its_labels(
    metrics: MetricsCollector, use: Callable[[MetricsCollector], Any]
) -> None:
    with pytest.raises(ValueError, match=r"has the labels \(a\), but was given \(\)"):
        use(metrics)


def test_own_metrics_of_several_processes_add_up(tmp_path: Path) -> None:
    code = """
import sys
from prometheus_client import CollectorRegistry
from sergas_metrics import MetricsCollector, render
metrics = MetricsCollector(CollectorRegistry(), directory=sys.argv[1])
metrics.counter("orders_total", "Orders.", labels=("kind",)).labels("web").inc(2)
metrics.histogram("order_seconds", "Duration.", unit="seconds").observe(0.3)
metrics.gauge("level", "Level.", across="max").set(float(sys.argv[2]))
print(render(source=metrics).body.decode())
"""
    for level in ("9", "4"):
        command = [sys.executable, "-c", code, str(tmp_path / "metrics"), level]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert 'orders_total{kind="web"} 4.0\n' in said
    assert "order_seconds_count 2.0\n" in said
    assert "\nlevel 9.0\n" in said
