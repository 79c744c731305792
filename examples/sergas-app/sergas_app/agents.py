"""Agents: each has a queue of accounts to work on, and workers that take from it."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sergas_metrics import MetricsCollector

from .accounts import Accounts
from .database import PoolTimeoutError
from .faults import FaultSwitches, SimulatedError
from .memory import GraphUnavailableError, Memory, UnreadableDocumentError
from .recommendations import Recommender
from .zoho import ZohoClient, ZohoError, sync_account

log = logging.getLogger("sergas_app.agents")

Work = Callable[[int], Awaitable[None]]
BACKLOG_SECONDS = 0.25
"""How often the fault ``queue_backlog`` is looked at."""
PATIENCE_SECONDS = 5.0
"""How long a stopping agent may finish the tasks it has begun."""
ATTEMPTS = 3
"""How often a task is tried whose error is one that may pass."""
MAY_PASS = (ZohoError, PoolTimeoutError, GraphUnavailableError, UnreadableDocumentError, SimulatedError)


@dataclass(frozen=True)
class Task:
    """An account to work on, and how often that failed before."""

    account_id: int
    failed: int = 0


class Agent:
    """Works a queue of account numbers.

    Attributes:
        name: Its name, the value of the label ``agent``.
    """

    def __init__(self, name: str, work: Work, metrics: MetricsCollector, faults: FaultSwitches, workers: int) -> None:
        self.name = name
        self._work = work
        self._metrics = metrics.agent
        self._errors = metrics.errors
        self._faults = faults
        self._workers = workers
        self._waiting: deque[Task] = deque()
        self._changed = asyncio.Condition()
        self._stopping = False
        # A series that starts at 0 shows the first task as a rise, and an idle agent as idle.
        self._metrics.task_attempts.labels(name)
        self._metrics.concurrent_tasks.labels(name)

    async def give(self, task: Task) -> None:
        """Put a task into the queue."""
        async with self._changed:
            self._waiting.append(task)
            self._show_queue()
            self._changed.notify()

    async def run(self) -> None:
        """Work until ``stop`` is called; tasks that have begun are finished, those that wait are dropped."""
        self._show_queue()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_backlog())
            for _ in range(self._workers):
                group.create_task(self._take_tasks())

    async def stop(self) -> None:
        """Take no further task."""
        async with self._changed:
            self._stopping = True
            self._changed.notify_all()

    async def _take_tasks(self) -> None:
        while (task := await self._next()) is not None:
            await self._attempt(task)

    async def _next(self) -> Task | None:
        """The next task, or none when the agent stops. The fault ``queue_backlog`` leaves that many untouched."""
        async with self._changed:
            await self._changed.wait_for(
                lambda: self._stopping or len(self._waiting) > self._faults.current.queue_backlog
            )
            if self._stopping:
                return None
            task = self._waiting.popleft()
            self._show_queue()
            return task

    async def _attempt(self, task: Task) -> None:
        try:
            with self._metrics.task(self.name, retry=task.failed > 0):
                await self._faults.strike()
                await self._work(task.account_id)
        except MAY_PASS as error:
            await self._failed(task, error)
        except Exception as error:  # an agent outlives every task; the metric names the error
            self._errors.record_unhandled(error)
            log.exception("agent %s failed on account %d for no known reason", self.name, task.account_id)

    async def _failed(self, task: Task, error: Exception) -> None:
        """Try a task again at the end of the queue, or give it up."""
        log.warning("agent %s failed on account %d: %s", self.name, task.account_id, error)
        again = Task(task.account_id, task.failed + 1)
        self._errors.record_error(error, "warning" if again.failed < ATTEMPTS else "error")
        if again.failed < ATTEMPTS:
            await self.give(again)

    async def _keep_backlog(self) -> None:
        """Fill the queue as the fault ``queue_backlog`` says, and wake the workers when it says less than before."""
        while not self._stopping:
            async with self._changed:
                missing = self._faults.current.queue_backlog - len(self._waiting)
                self._waiting.extend(Task(random.randint(1, 100)) for _ in range(missing))
                self._show_queue()
                self._changed.notify_all()
            await asyncio.sleep(BACKLOG_SECONDS)

    def _show_queue(self) -> None:
        self._metrics.set_queue_size(self.name, len(self._waiting))


class Agents:
    """The three agents of the application: ``sync``, ``memory`` and ``recommendation``."""

    def __init__(
        self,
        *,
        accounts: Accounts,
        zoho: ZohoClient,
        memory: Memory,
        recommender: Recommender,
        metrics: MetricsCollector,
        faults: FaultSwitches,
        workers: int,
    ) -> None:
        self._accounts = accounts
        self._zoho = zoho
        self._memory = memory
        self._recommender = recommender
        self._metrics = metrics
        self._faults = faults
        work: dict[str, Work] = {"sync": self._sync, "memory": self._remember, "recommendation": self._recommend}
        self._agents = [Agent(name, do, metrics, faults, workers) for name, do in work.items()]

    @property
    def names(self) -> list[str]:
        """The agents' names."""
        return [agent.name for agent in self._agents]

    async def give(self) -> None:
        """Put a task into a random agent's queue: for ``sync`` the account whose turn it is, else a random one."""
        agent = random.choice(self._agents)
        account_id = self._accounts.next_to_sync() if agent.name == "sync" else random.randint(1, self._accounts.count)
        await agent.give(Task(account_id))

    async def run(self) -> None:
        """Run all agents until cancelled, then let them finish the tasks they have begun, within 5 s."""
        running = [asyncio.create_task(agent.run(), name=f"agent {agent.name}") for agent in self._agents]
        try:
            # Unlike gather, wait leaves the agents running when it is cancelled itself.
            await asyncio.wait(running, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            for agent in self._agents:
                await agent.stop()
            _, late = await asyncio.wait(running, timeout=PATIENCE_SECONDS)
            for task in late:
                task.cancel()
        await asyncio.gather(*running)

    async def _sync(self, account_id: int) -> None:
        await sync_account(self._accounts, self._zoho, self._metrics, self._faults, account_id)

    async def _remember(self, account_id: int) -> None:
        await self._accounts.get(account_id)
        await self._memory.remember()

    async def _recommend(self, account_id: int) -> None:
        with self._metrics.business.processing():
            account = await self._accounts.get(account_id)
            await self._recommender.enrich()
            recommendation = await self._recommender.recommend(account)
        if recommendation is not None:
            self._recommender.judge(str(recommendation["type"]))
