"""Faults that can be switched on while the application runs."""

from __future__ import annotations

import asyncio
import os
import random
import time
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0, le=60)]


class Faults(BaseModel):
    """The faults of one process. A fresh one has none."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    errors: Share = Field(default=0.0, description="Share of requests and tasks that fail")
    latency_seconds: Seconds = Field(default=0.0, description="Added to every request and task")
    crash: bool = Field(default=False, description="End the process at once, with exit code 1")
    freeze_seconds: Seconds = Field(
        default=0.0, description="Answer nobody for so long, once; probes and scrapes included"
    )
    hang: Share = Field(default=0.0, description="Share of requests that are never answered")
    refused: Share = Field(default=0.0, description="Share of requests refused with 429")
    queue_backlog: Annotated[int, Field(ge=0, le=100_000)] = Field(
        default=0, description="Tasks kept waiting for each agent"
    )
    zoho_rate_limit: bool = Field(default=False, description="Zoho refuses every call with 429")
    zoho_quota_taken: Share = Field(default=0.0, description="Share of Zoho's quota that another client uses up")
    sync_stopped: bool = Field(default=False, description="No account is synchronised, and nothing says so")
    connections_held: Annotated[int, Field(ge=0, le=100)] = Field(
        default=0, description="Database connections never returned"
    )
    query_seconds: Seconds = Field(default=0.0, description="Added to every database query")
    cache_misses: Share = Field(default=0.0, description="Share of cache look-ups that find nothing")
    no_recommendations: bool = Field(default=False, description="The model has no recommendation for anyone")
    memory_fails: bool = Field(default=False, description="No document gets into memory")


class SimulatedError(Exception):
    """Raised by the fault ``errors``."""


class RefusedError(Exception):
    """Raised by the fault ``refused``."""


class FaultSwitches:
    """The faults in force, and their effects."""

    def __init__(self) -> None:
        self.current = Faults()
        self._hang_over = asyncio.Event()

    def change(self, changes: dict[str, object]) -> Faults:
        """Set the faults named, and leave the others as they are."""
        return self._set(Faults.model_validate({**self.current.model_dump(), **changes}))

    def clear(self) -> Faults:
        """Switch every fault off."""
        return self._set(Faults())

    def _set(self, faults: Faults) -> Faults:
        self.current = faults
        if not faults.hang:
            self._hang_over.set()
            self._hang_over = asyncio.Event()
        return faults

    async def strike(self) -> None:
        """Slow down or break a piece of work, as the faults in force say.

        Raises:
            SimulatedError: The fault ``errors`` hit this piece of work.
        """
        if self.current.latency_seconds:
            await asyncio.sleep(self.current.latency_seconds)
        if random.random() < self.current.errors:
            raise SimulatedError(f"simulated: the fault errors={self.current.errors:g} is on")

    async def strike_request(self) -> None:
        """Refuse a request, leave it hanging until the fault is over, slow it down or break it.

        Raises:
            RefusedError: The fault ``refused`` hit this request.
            SimulatedError: The fault ``errors`` did.
        """
        if random.random() < self.current.refused:
            raise RefusedError(f"simulated: the fault refused={self.current.refused:g} is on")
        if random.random() < self.current.hang:
            await self._hang_over.wait()
        await self.strike()

    async def strike_process(self) -> None:
        """End the process as a crash would, without shutdown, or stop its event loop, if told to."""
        if self.current.crash:
            os._exit(1)
        seconds, self.current.freeze_seconds = self.current.freeze_seconds, 0.0
        if seconds:
            asyncio.get_running_loop().call_soon(time.sleep, seconds)
