"""A database that is simulated, behind a pool of connections."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sergas_metrics import MetricsCollector

from .faults import FaultSwitches
from .mishaps import Mishaps

CONNECTIONS = 20
"""Connections that the pool may open."""
KEPT_OPEN = 5
"""Connections that stay open when nobody needs them."""
WAIT_SECONDS = 5.0
"""How long a query waits for a connection."""
LOOK_SECONDS = 0.01
SHOW_SECONDS = 1.0


class PoolTimeoutError(Exception):
    """No connection became free in time."""


class DeadlockError(Exception):
    """The database ended a query that waited for another, which waited for it."""


class Database:
    """Queries, and the pool they take their connections from; both recorded."""

    def __init__(self, metrics: MetricsCollector, faults: FaultSwitches, mishaps: Mishaps) -> None:
        self._metrics = metrics.database
        self._faults = faults
        self._mishaps = mishaps
        self._busy = 0
        self._show_pool()

    async def read(self, operation: str) -> None:
        """Do a query that changes nothing.

        Raises:
            PoolTimeoutError: All connections were taken for too long.
        """
        async with self._connection():
            with self._metrics.query(operation):
                await self._work()

    async def write(self, operation: str) -> None:
        """Do a query that takes locks. One that ends in a deadlock is done again.

        Raises:
            PoolTimeoutError: All connections were taken for too long.
        """
        try:
            await self._write(operation, self._mishaps.happen())
        except DeadlockError:
            await self._write(operation, False)

    async def watch(self) -> None:
        """Show the pool's state every second, until cancelled."""
        while True:
            self._show_pool()
            await asyncio.sleep(SHOW_SECONDS)

    async def _write(self, operation: str, deadlock: bool) -> None:
        async with self._connection():
            with self._metrics.query(operation):
                await self._work()
                if deadlock:
                    raise DeadlockError("simulated: another query held what this one needed")

    async def _work(self) -> None:
        await asyncio.sleep(random.uniform(0.001, 0.004) + self._faults.current.query_seconds)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[None]:
        await self._wait_for_one()
        self._busy += 1
        self._show_pool()
        try:
            yield
        finally:
            self._busy -= 1
            self._show_pool()

    async def _wait_for_one(self) -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        while self._taken >= CONNECTIONS:
            if time.monotonic() > deadline:
                error = PoolTimeoutError(f"all {CONNECTIONS} database connections were taken for {WAIT_SECONDS:g} s")
                self._metrics.record_error(error)
                raise error
            await asyncio.sleep(LOOK_SECONDS)

    @property
    def _taken(self) -> int:
        return self._busy + self._faults.current.connections_held

    def _show_pool(self) -> None:
        taken = min(self._taken, CONNECTIONS)
        self._metrics.set_pool(in_use=taken, idle=max(0, KEPT_OPEN - taken), maximum=CONNECTIONS)
