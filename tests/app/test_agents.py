"""The agents and their queues."""

from collections.abc import Callable
from typing import Any

from prometheus_client import generate_latest
from sergas_app.application import build
from sergas_app.database import Database
from sergas_app.faults import FaultSwitches
from sergas_app.mishaps import Mishaps
from sergas_app.settings import Settings

Sample = Callable[..., float | None]

AGENTS = ("sync", "memory", "recommendation")


async def test_agents_work_the_load_they_are_given(started: Any, sample: Sample, eventually: Any) -> None:
    await started(role="agents", load_rate=200)
    await eventually(lambda: all((sample("sergas_agent_task_attempts_total", agent=name) or 0) > 2 for name in AGENTS))
    await eventually(lambda: (sample("sergas_zoho_accounts_synced_total") or 0) > 0)
    await eventually(lambda: (sample("sergas_memory_graph_nodes_total") or 0) > 0)
    await eventually(lambda: sample("sergas_memory_documents_processed_total", status="success"))


async def test_every_agent_has_a_queue_from_the_start(started: Any, sample: Sample, eventually: Any) -> None:
    await started(role="agents")
    await eventually(lambda: all(sample("sergas_agent_queue_size", agent=name) == 0 for name in AGENTS))


async def test_the_fault_errors_fails_tasks_and_agents_go_on(started: Any, sample: Sample, eventually: Any) -> None:
    client = await started(role="agents", load_rate=200)
    await client.post("/faults", json={"errors": 1})

    def failed() -> list[float]:
        name = "sergas_agent_task_failures_total"
        return [sample(name, agent=agent, error_type="SimulatedError") or 0 for agent in AGENTS]

    await eventually(lambda: min(failed()) > 5)
    await client.delete("/faults")
    before = sample("sergas_zoho_accounts_synced_total") or 0
    await eventually(lambda: (sample("sergas_zoho_accounts_synced_total") or 0) > before)


async def test_the_fault_queue_backlog_keeps_tasks_waiting_until_cleared(
    started: Any, sample: Sample, eventually: Any
) -> None:
    client = await started(role="agents", load_rate=100)

    def waiting() -> list[float]:
        return [sample("sergas_agent_queue_size", agent=agent) or 0 for agent in AGENTS]

    await client.post("/faults", json={"queue_backlog": 40})
    await eventually(lambda: min(waiting()) >= 40)
    attempts = sample("sergas_agent_task_attempts_total", agent="sync") or 0
    # New tasks are still worked on, over the heads of those that wait.
    await eventually(lambda: (sample("sergas_agent_task_attempts_total", agent="sync") or 0) > attempts)
    assert min(waiting()) >= 40
    await client.delete("/faults")
    await client.put("/load", json={"rate": 0})
    await eventually(lambda: waiting() == [0, 0, 0])


async def test_the_fault_zoho_rate_limit_fails_synchronisations(started: Any, sample: Sample, eventually: Any) -> None:
    client = await started(role="agents", load_rate=100)
    await client.post("/faults", json={"zoho_rate_limit": True})
    await eventually(lambda: sample("sergas_agent_task_failures_total", agent="sync", error_type="ZohoRateLimitError"))


async def test_a_task_that_fails_is_tried_three_times(started: Any, sample: Sample, eventually: Any) -> None:
    client = await started(role="agents")
    await client.post("/faults", json={"memory_fails": True})
    await client.put("/load", json={"rate": 100})
    given_up = ("sergas_errors_total", {"severity": "error", "error_type": "GraphUnavailableError"})
    await eventually(lambda: (sample(given_up[0], **given_up[1]) or 0) > 5)
    await client.put("/load", json={"rate": 0})
    await eventually(lambda: sample("sergas_agent_queue_size", agent="memory") == 0)
    await eventually(lambda: sample("sergas_agent_concurrent_tasks", agent="memory") == 0)
    lost = sample(given_up[0], **given_up[1]) or 0
    assert sample("sergas_agent_task_retries_total", agent="memory") == 2 * lost
    assert sample("sergas_agent_task_attempts_total", agent="memory") == 3 * lost
    assert sample("sergas_memory_documents_processed_total", status="failure") == 3 * lost
    assert not sample("sergas_memory_last_success_timestamp_seconds", operation="ingest")


async def test_the_fault_no_recommendations_lets_tasks_end_well(
    started: Any, sample: Sample, eventually: Any, registry: Any
) -> None:
    client = await started(role="agents")
    await client.post("/faults", json={"no_recommendations": True})
    await client.put("/load", json={"rate": 100})
    done = ("sergas_account_processing_duration_seconds_count", {"status": "success"})
    await eventually(lambda: (sample(done[0], **done[1]) or 0) > 5)
    assert "sergas_recommendations_generated_total{" not in generate_latest(registry).decode()


async def test_the_account_that_waited_longest_is_synchronised_next_and_the_lag_tells_of_it(
    started: Any, sample: Sample, eventually: Any
) -> None:
    client = await started(role="agents", load_rate=100)
    await eventually(lambda: (sample("sergas_zoho_accounts_synced_total") or 0) >= 10)
    await client.post("/faults", json={"sync_stopped": True})
    lag = sample("sergas_zoho_sync_lag_seconds") or 0
    await eventually(lambda: (sample("sergas_zoho_sync_lag_seconds") or 0) > lag + 0.9)
    await client.delete("/faults")
    # Five accounts, taken in turn at about 30 a second: none waits long.
    await eventually(lambda: (sample("sergas_zoho_sync_lag_seconds") or 9) < 0.9)


async def test_an_error_nobody_thought_of_is_unhandled_and_the_agent_goes_on(
    started: Any, sample: Sample, eventually: Any
) -> None:
    await started(role="agents", load_rate=100, mishaps=1)
    unhandled = "sergas_unhandled_exceptions_total"
    await eventually(lambda: (sample(unhandled, error_type="KeyError") or 0) > 3)
    assert sample("sergas_agent_task_failures_total", agent="recommendation", error_type="KeyError")
    assert not sample("sergas_agent_task_retries_total", agent="recommendation")
    await eventually(lambda: sample("sergas_agent_task_failures_total", agent="sync", error_type="ZohoTimeoutError"))
    await eventually(
        lambda: sample("sergas_agent_task_failures_total", agent="memory", error_type="UnreadableDocumentError")
    )


async def test_a_write_that_meets_a_deadlock_is_done_again(metrics: Any, sample: Sample) -> None:
    database = Database(metrics, FaultSwitches(), Mishaps(1))
    await database.write("update_account")
    assert sample("sergas_database_errors_total", error_type="DeadlockError") == 1
    assert sample("sergas_database_query_duration_seconds_count", operation="update_account") == 2


async def test_no_task_is_in_progress_when_agents_have_stopped(
    started: Any, sample: Sample, eventually: Any, metrics: Any
) -> None:
    app = build(Settings(role="agents", load_rate=100, accounts=5), metrics)
    async with app.router.lifespan_context(app):
        await eventually(lambda: (sample("sergas_agent_concurrent_tasks", agent="memory") or 0) > 0)
    assert [sample("sergas_agent_concurrent_tasks", agent=name) for name in AGENTS] == [0, 0, 0]
