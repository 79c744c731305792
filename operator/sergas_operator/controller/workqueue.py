"""A queue with one entry per SergasMonitoring: bounded workers, bounded rate, backoff per entry."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from sergas_operator import metrics

log = logging.getLogger(__name__)

Key = tuple[str, str]  # namespace, name
# One reconcile of a key. Returns the seconds until the next one, None when none is needed; raises to be retried.
Work = Callable[[Key], Awaitable[float | None]]

FIRST_RETRY_SECONDS = 1.0
LAST_RETRY_SECONDS = 300.0
# Reconciles a second, each with about 13 reads. It spreads a restart with 1,000 resources over at least 20 s.
RATE = 50.0
BURST = 50.0


class RetryError(Exception):
    """The reconcile must be retried. What went wrong has been reported."""


@dataclass
class Workqueue:
    """Requests for reconciles. A key that is requested repeatedly waits once, and one worker reconciles it.

    Attributes:
        work: one reconcile.
        workers: how many reconciles run at the same time.
    """

    work: Work
    workers: int = 8
    _due: dict[Key, float] = field(default_factory=dict)
    _running: dict[Key, float] = field(default_factory=dict)
    _failures: dict[Key, int] = field(default_factory=dict)
    _heap: list[tuple[float, int, Key]] = field(default_factory=list)
    _order: itertools.count[int] = field(default_factory=itertools.count)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _tokens: float = BURST
    _filled: float = 0.0

    def add(self, key: Key, *, after: float = 0.0) -> None:
        """Request a reconcile of `key` in `after` seconds, or earlier if one was requested for earlier."""
        due = self._now() + after
        if due < self._due.get(key, float("inf")):
            self._due[key] = due
            heapq.heappush(self._heap, (due, next(self._order), key))
            self._changed.set()

    def forget(self, key: Key) -> None:
        """Drop the request for `key`."""
        self._due.pop(key, None)
        self._failures.pop(key, None)

    def lateness(self) -> float:
        """Return the seconds since the longest running or most overdue reconcile should have ended or begun."""
        now = self._now()
        overdue = [due for key, due in self._due.items() if key not in self._running]
        return max(0.0, now - min([*overdue, *self._running.values()], default=now))

    def idle(self) -> bool:
        """Whether nothing runs and nothing is due."""
        now = self._now()
        return not self._running and not any(due <= now for due in self._due.values())

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._changed.clear()
                key = self._next()
                if key is None:
                    await self._wait()
                    continue
                await self._take_token()
                if self._due.pop(key, None) is not None:
                    self._running[key] = self._now()
                    group.create_task(self._reconcile(key))

    def _next(self) -> Key | None:
        """Return a key that is due and not running, if a worker is free."""
        now = self._now()
        metrics.QUEUE_DEPTH.set(sum(due <= now for due in self._due.values()))
        if len(self._running) >= self.workers:
            return None
        while self._heap and self._heap[0][0] <= now:
            due, _, key = heapq.heappop(self._heap)
            # An entry that was replaced by an earlier one is stale. A running key is pushed again when it ends.
            if self._due.get(key) == due and key not in self._running:
                return key
        return None

    async def _wait(self) -> None:
        free = len(self._running) < self.workers
        timeout = max(0.0, self._heap[0][0] - self._now()) if self._heap and free else None
        try:
            async with asyncio.timeout(timeout):
                await self._changed.wait()
        except TimeoutError:
            return

    async def _reconcile(self, key: Key) -> None:
        try:
            after = await self.work(key)
            self._failures.pop(key, None)
            if after is not None:
                self.add(key, after=after)
        except RetryError:
            self._retry(key)
        except Exception:
            # A defect must not end the queue. It is retried like any other failure.
            log.exception("the reconcile of %s/%s failed unexpectedly", *key)
            self._retry(key)
        finally:
            del self._running[key]
            if key in self._due:
                heapq.heappush(self._heap, (self._due[key], next(self._order), key))
            self._changed.set()

    def _retry(self, key: Key) -> None:
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        self.add(key, after=min(FIRST_RETRY_SECONDS * 2 ** min(failures, 10), LAST_RETRY_SECONDS))

    async def _take_token(self) -> None:
        now = self._now()
        self._tokens = min(BURST, self._tokens + (now - self._filled) * RATE)
        self._filled = now
        if self._tokens < 1:
            await asyncio.sleep((1 - self._tokens) / RATE)
        self._tokens -= 1

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
