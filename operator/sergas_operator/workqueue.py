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
# One pass over a key. Returns the seconds after which to pass again, None when there is no need; raises to
# be retried.
Work = Callable[[Key, bool], Awaitable[float | None]]

FIRST_RETRY_SECONDS = 1.0
LAST_RETRY_SECONDS = 300.0
# Passes a second. A restart over thousands of objects so takes a minute and leaves the API server some air.
RATE = 50.0
BURST = 50.0


class RetryError(Exception):
    """The pass is to be tried again; what went wrong has been reported."""


@dataclass
class _Entry:
    due: float
    live: bool


@dataclass
class Workqueue:
    """Passes over keys. `add` asks for one; however often it is asked for, a key waits once and is worked
    on by one worker.

    Attributes:
        work: one pass.
        workers: how many passes run at a time.
    """

    work: Work
    workers: int = 8
    _waiting: dict[Key, _Entry] = field(default_factory=dict)
    _running: dict[Key, float] = field(default_factory=dict)
    _failures: dict[Key, int] = field(default_factory=dict)
    _heap: list[tuple[float, int, Key]] = field(default_factory=list)
    _order: itertools.count[int] = field(default_factory=itertools.count)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _tokens: float = BURST
    _filled: float = 0.0

    def add(self, key: Key, *, live: bool = False, after: float = 0.0) -> None:
        """Asks for a pass over `key`, `after` seconds from now or earlier if one was asked for earlier."""
        due = self._now() + after
        entry = self._waiting.get(key)
        if entry:
            entry.live = entry.live or live
            if due >= entry.due:
                return
            entry.due = due
        else:
            self._waiting[key] = _Entry(due, live)
        heapq.heappush(self._heap, (due, next(self._order), key))
        self._changed.set()

    def forget(self, key: Key) -> None:
        """Drops what waits for `key`."""
        self._waiting.pop(key, None)
        self._failures.pop(key, None)

    def lateness(self) -> float:
        """Seconds by which the most overdue key is late, counting one whose pass does not end; 0 when all
        is well.
        """
        now = self._now()
        overdue = [entry.due for key, entry in self._waiting.items() if key not in self._running]
        return max(0.0, now - min([*overdue, *self._running.values()], default=now))

    def idle(self) -> bool:
        """Whether nothing runs and nothing is due."""
        now = self._now()
        return not self._running and not any(entry.due <= now for entry in self._waiting.values())

    async def run(self) -> None:
        """Works until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._changed.clear()
                key = self._next()
                if key is None:
                    await self._wait()
                    continue
                await self._take_token()
                entry = self._waiting.pop(key, None)
                if entry:
                    self._running[key] = self._now()
                    group.create_task(self._pass(key, entry.live))

    def _next(self) -> Key | None:
        """A key that is due and not being worked on, if a worker is free."""
        now = self._now()
        metrics.QUEUE_DEPTH.set(sum(entry.due <= now for entry in self._waiting.values()))
        if len(self._running) >= self.workers:
            return None
        while self._heap and self._heap[0][0] <= now:
            _, _, key = heapq.heappop(self._heap)
            entry = self._waiting.get(key)
            # A key that is running is put back when its pass ends.
            if entry and entry.due <= now and key not in self._running:
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

    async def _pass(self, key: Key, live: bool) -> None:
        try:
            after = await self.work(key, live)
            self._failures.pop(key, None)
            if after is not None:
                self.add(key, after=after)
        except RetryError:
            self._again(key)
        except Exception:
            # A bug must not end the queue: it is logged whole, and tried again like any failure.
            log.exception("the pass over %s/%s failed unexpectedly", *key)
            self._again(key)
        finally:
            del self._running[key]
            waiting = self._waiting.get(key)
            if waiting:
                heapq.heappush(self._heap, (waiting.due, next(self._order), key))
            self._changed.set()

    def _again(self, key: Key) -> None:
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        self.add(key, live=True, after=min(FIRST_RETRY_SECONDS * 2**failures, LAST_RETRY_SECONDS))

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
