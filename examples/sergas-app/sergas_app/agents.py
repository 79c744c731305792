"""Agents: each has a queue of accounts to work on, and workers that take from it."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import Awaitable, Callable

from sergas_metrics import MetricsCollector, track_time

from .accounts import Accounts
from .faults import FaultSwitches
from .zoho import ZohoClient, ZohoRateLimitError

log = logging.getLogger("sergas_app.agents")

Work = Callable[[int], Awaitable[None]]
BACKLOG_SECONDS = 0.25
"""How often the fault ``queue_backlog`` is looked at."""
PATIENCE_SECONDS = 5.0
"""How long a stopping agent may finish the tasks it has begun."""


class Agent:
    """Works a queue of account numbers.

    Attributes:
        name: Its name, the value of the label ``agent``.
    """

    def __init__(self, name: str, work: Work, metrics: MetricsCollector, faults: FaultSwitches, workers: int) -> None:
        self.name = name
        self._work = work
        self._metrics = metrics.agent
        self._faults = faults
        self._workers = workers
        self._waiting: deque[int] = deque()
        self._changed = asyncio.Condition()
        self._stopping = False
        # A series that starts at 0 shows the first task as a rise, and an idle agent as idle.
        self._metrics.task_attempts.labels(name)
        self._metrics.concurrent_tasks.labels(name)

    async def give(self, account_id: int) -> None:
        """Put a task into the queue."""
        async with self._changed:
            self._waiting.append(account_id)
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
        while (account_id := await self._next()) is not None:
            await self._attempt(account_id)

    async def _next(self) -> int | None:
        """The next task, or none when the agent stops. The fault ``queue_backlog`` leaves that many untouched."""
        async with self._changed:
            await self._changed.wait_for(
                lambda: self._stopping or len(self._waiting) > self._faults.current.queue_backlog
            )
            if self._stopping:
                return None
            account_id = self._waiting.popleft()
            self._show_queue()
            return account_id

    async def _attempt(self, account_id: int) -> None:
        try:
            with self._metrics.task(self.name):
                await self._faults.strike()
                await self._work(account_id)
        except Exception as error:  # an agent outlives every task; the metric names the error
            log.warning("agent %s failed on account %d: %s", self.name, account_id, error)

    async def _keep_backlog(self) -> None:
        """Fill the queue as the fault ``queue_backlog`` says, and wake the workers when it says less than before."""
        while not self._stopping:
            async with self._changed:
                missing = self._faults.current.queue_backlog - len(self._waiting)
                self._waiting.extend(random.randint(1, 100) for _ in range(missing))
                self._show_queue()
                self._changed.notify_all()
            await asyncio.sleep(BACKLOG_SECONDS)

    def _show_queue(self) -> None:
        self._metrics.set_queue_size(self.name, len(self._waiting))


class Agents:
    """The three agents of the application: ``sync``, ``memory`` and ``recommendation``."""

    def __init__(
        self, accounts: Accounts, zoho: ZohoClient, metrics: MetricsCollector, faults: FaultSwitches, workers: int
    ) -> None:
        self._accounts = accounts
        self._zoho = zoho
        self._metrics = metrics
        self._nodes = 0
        self._ingest = track_time(metrics.memory.processing_duration, operation="ingest")(self._read_document)
        work: dict[str, Work] = {"sync": self._sync, "memory": self._remember, "recommendation": self._recommend}
        self._agents = [Agent(name, do, metrics, faults, workers) for name, do in work.items()]

    @property
    def names(self) -> list[str]:
        """The agents' names."""
        return [agent.name for agent in self._agents]

    async def give(self) -> None:
        """Put a task of a random account into a random agent's queue."""
        await random.choice(self._agents).give(random.randint(1, self._accounts.count))

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
        await sync_account(self._accounts, self._zoho, self._metrics, account_id)

    async def _remember(self, account_id: int) -> None:
        try:
            await self._ingest(account_id)
        except Exception:
            self._metrics.memory.record_documents(status="failure")
            raise
        self._metrics.memory.record_documents()
        self._nodes += 3
        self._metrics.memory.set_graph_size(self._nodes, self._nodes * 2)

    async def _recommend(self, account_id: int) -> None:
        account = await self._accounts.get(account_id)
        await asyncio.sleep(random.uniform(0.01, 0.05))
        recommendation = self._accounts.recommend(account)
        if random.random() < 0.6:
            self._metrics.business.record_accepted(str(recommendation["type"]))

    async def _read_document(self, account_id: int) -> None:
        await self._accounts.get(account_id)
        await asyncio.sleep(random.uniform(0.02, 0.08))


async def sync_account(
    accounts: Accounts, zoho: ZohoClient, metrics: MetricsCollector, account_id: int
) -> dict[str, object]:
    """Bring one account up to date from Zoho.

    Raises:
        ZohoRateLimitError: Zoho refused the call.
        UnknownAccountError: There is no such account.
    """
    try:
        fresh = await zoho.fetch_account(account_id)
    except ZohoRateLimitError as error:
        metrics.zoho.record_sync_failure(error)
        raise
    account = await accounts.update(account_id, int(str(fresh["revenue"])))
    return {"id": account.id, "revenue": account.revenue, "synced": account.synced}
