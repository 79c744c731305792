"""Agents, their tasks and queues."""

from __future__ import annotations

from .._families import Counter, Gauge, Histogram
from .._measure import Measurement
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
        self.task_duration = store.family("sergas_agent_task_duration_seconds", Histogram)
        self.task_attempts = store.family("sergas_agent_task_attempts_total", Counter)
        self.task_retries = store.family("sergas_agent_task_retries_total", Counter)
        self.task_failures = store.family("sergas_agent_task_failures_total", Counter)
        self.queue_size = store.family("sergas_agent_queue_size", Gauge)
        self.concurrent_tasks = store.family("sergas_agent_concurrent_tasks", Gauge)

    def task(self, agent: str, *, retry: bool = False) -> Measurement[None]:
        """Record a whole task: an attempt, its duration, that it runs, and its failure if it raises.

        A cancelled task is no failure; its duration is observed all the same.

        Args:
            agent: The agent's name, from a fixed set.
            retry: Whether the same task was tried before.
        """

        def begin() -> None:
            self.record_attempt(agent)
            if retry:
                self.record_retry(agent)
            self.concurrent_tasks.labels(agent).inc()

        def end(_: None, error: BaseException | None, seconds: float) -> None:
            self.concurrent_tasks.labels(agent).dec()
            self.record_duration(agent, seconds)
            if isinstance(error, Exception):
                self.record_failure(agent, error)

        return Measurement("agent.task", end, begin)

    def record_attempt(self, agent: str) -> None:
        """Count a task that starts, or starts again."""
        self.task_attempts.labels(agent).inc()

    def record_retry(self, agent: str) -> None:
        """Count that a task that failed is tried again. A retry is an attempt too: that is counted apart."""
        self.task_retries.labels(agent).inc()

    def record_duration(self, agent: str, seconds: float) -> None:
        """Observe how long a task took, in seconds."""
        self.task_duration.labels(agent).observe(seconds)

    def record_failure(self, agent: str, error: BaseException | type[BaseException] | str) -> None:
        """Count a task that failed, by the class of its error."""
        self.task_failures.labels(agent, self.task_failures.error_types.name(error)).inc()

    def set_queue_size(self, agent: str, tasks: int) -> None:
        """Set how many tasks wait for the agent."""
        self.queue_size.labels(agent).set(tasks)
