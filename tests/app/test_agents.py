"""The agents and their queues."""

from collections.abc import Callable
from typing import Any

from sergas_app.application import build
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

    def waiting() -> list[float | None]:
        return [sample("sergas_agent_queue_size", agent=agent) for agent in AGENTS]

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


async def test_no_task_is_in_progress_when_agents_have_stopped(
    started: Any, sample: Sample, eventually: Any, metrics: Any
) -> None:
    app = build(Settings(role="agents", load_rate=100, accounts=5), metrics)
    async with app.router.lifespan_context(app):
        await eventually(lambda: (sample("sergas_agent_concurrent_tasks", agent="memory") or 0) > 0)
    assert [sample("sergas_agent_concurrent_tasks", agent=name) for name in AGENTS] == [0, 0, 0]
