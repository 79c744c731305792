"""track_in_progress: the gauge is right however the block ends."""

import asyncio
from collections.abc import Callable

import prometheus_client
import pytest
from prometheus_client import CollectorRegistry

from sergas_metrics import MetricsCollector, track_in_progress, track_time

Sample = Callable[..., float | None]


@pytest.fixture
def running(sample: Sample) -> Callable[[], float | None]:
    return lambda: sample("sergas_agent_concurrent_tasks", agent="sync")


def test_the_gauge_is_raised_for_as_long_as_the_block_runs(
    metrics: MetricsCollector, running: Callable[[], float | None]
) -> None:
    with track_in_progress(metrics.agent.concurrent_tasks, agent="sync"):
        assert running() == 1
    assert running() == 0


def test_an_exception_passes_and_the_gauge_is_lowered(
    metrics: MetricsCollector, running: Callable[[], float | None]
) -> None:
    with pytest.raises(KeyError), track_in_progress(metrics.agent.concurrent_tasks, agent="sync"):
        raise KeyError
    assert running() == 0


async def test_a_cancelled_task_lowers_the_gauge(
    metrics: MetricsCollector, running: Callable[[], float | None]
) -> None:
    async def work() -> None:
        async with track_in_progress(metrics.agent.concurrent_tasks, agent="sync"):
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    assert running() == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert running() == 0


def test_one_object_can_be_entered_many_times_at_once(
    metrics: MetricsCollector, running: Callable[[], float | None]
) -> None:
    in_progress = track_in_progress(metrics.agent.concurrent_tasks, agent="sync")
    with in_progress, in_progress:
        assert running() == 2
    assert running() == 0


def test_a_gauge_without_labels_needs_none(metrics: MetricsCollector, sample: Sample) -> None:
    with track_in_progress(metrics.http.requests_in_progress):
        assert sample("sergas_http_requests_in_progress") == 1


def test_a_gauge_of_prometheus_client_can_be_tracked(registry: CollectorRegistry, sample: Sample) -> None:
    gauge = prometheus_client.Gauge("mine", "Mine.", registry=registry)
    with track_in_progress(gauge):
        assert sample("mine") == 1
    assert sample("mine") == 0


def test_missing_label_values_are_refused(metrics: MetricsCollector) -> None:
    with pytest.raises(
        ValueError, match=r"^sergas_agent_concurrent_tasks has the labels \(agent\), but was given \(\)$"
    ):
        track_in_progress(metrics.agent.concurrent_tasks)


def test_refuses_counter_and_histogram(metrics: MetricsCollector, registry: CollectorRegistry) -> None:
    with pytest.raises(TypeError, match=r"^track_in_progress\(\) needs a gauge, not a counter$"):
        track_in_progress(metrics.zoho.accounts_synced)
    with pytest.raises(TypeError, match=r"^track_in_progress\(\) needs a gauge, not a counter$"):
        track_in_progress(prometheus_client.Counter("own_total", "Own.", registry=registry))
    with pytest.raises(TypeError, match=r"^track_time\(\) needs a histogram, not a gauge$"):
        track_time(metrics.http.requests_in_progress)
