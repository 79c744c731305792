"""Agents, their tasks and queues."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from .._store import Store


class AgentMetrics:
    """Metrics of agents.

    Attributes:
        task_duration: ``sergas_agent_task_duration_seconds{agent}``.
        task_attempts: ``sergas_agent_task_attempts_total{agent}``.
        task_retries: ``sergas_agent_task_retries_total{agent}``.
        task_failures: ``sergas_agent_task_failures_total{agent, error_type}``.
        queue_size: ``sergas_agent_queue_size{agent}``.
        concurrent_tasks: ``sergas_agent_concurrent_tasks{agent}``.
    """

    def __init__(self, store: Store) -> None:
        self.task_duration = store.histograms["sergas_agent_task_duration_seconds"]
        self.task_attempts = store.counters["sergas_agent_task_attempts_total"]
        self.task_retries = store.counters["sergas_agent_task_retries_total"]
        self.task_failures = store.counters["sergas_agent_task_failures_total"]
        self.queue_size = store.gauges["sergas_agent_queue_size"]
        self.concurrent_tasks = store.gauges["sergas_agent_concurrent_tasks"]

    @contextmanager
    def task(self, agent: str, *, retry: bool = False) -> Iterator[None]:
        """Record a whole task: an attempt, its duration, that it runs, and its failure if it raises.

        A cancelled task is no failure; its duration is observed all the same.

        Args:
            agent: The agent's name, from a fixed set.
            retry: Whether the same task was tried before.
        """
        running = self.concurrent_tasks.labels(agent)
        self.record_attempt(agent)
        if retry:
            self.record_retry(agent)
        running.inc()
        start = perf_counter()
        try:
            yield
        except Exception as error:
            self.record_failure(agent, error)
            raise
        finally:
            running.dec()
            self.record_duration(agent, perf_counter() - start)

    def record_attempt(self, agent: str) -> None:
        """Count a task that starts, or starts again."""
        self.task_attempts.cells[agent].inc()

    def record_retry(self, agent: str) -> None:
        """Count that a task that failed is tried again. A retry is an attempt too: that is counted apart."""
        self.task_retries.cells[agent].inc()

    def record_duration(self, agent: str, seconds: float) -> None:
        """Observe how long a task took, in seconds."""
        self.task_duration.cells[agent].observe(seconds)

    def record_failure(self, agent: str, error: BaseException | type[BaseException] | str) -> None:
        """Count a task that failed, by the class of its error."""
        self.task_failures.cells[agent, self.task_failures.error_types.name(error)].inc()

    def set_queue_size(self, agent: str, tasks: int) -> None:
        """Set how many tasks wait for the agent."""
        self.queue_size.cells[agent].set(tasks)
