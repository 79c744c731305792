"""Faults that can be switched on while the application runs."""

from __future__ import annotations

import asyncio
import os
import random
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Faults(BaseModel):
    """The faults of one process. A fresh one has none."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    errors: Annotated[float, Field(ge=0, le=1, description="Share of requests and tasks that fail, 0 to 1")] = 0.0
    latency_seconds: Annotated[float, Field(ge=0, le=60, description="Added to every request and task")] = 0.0
    crash: Annotated[bool, Field(description="End the process at once, with exit code 1")] = False
    queue_backlog: Annotated[int, Field(ge=0, le=100_000, description="Tasks kept waiting for each agent")] = 0
    zoho_rate_limit: Annotated[bool, Field(description="Zoho refuses every call with 429")] = False


class SimulatedError(Exception):
    """Raised by the fault ``errors``."""


class FaultSwitches:
    """The faults in force, and their effects."""

    def __init__(self) -> None:
        self.current = Faults()

    def change(self, changes: dict[str, object]) -> Faults:
        """Set the faults named, and leave the others as they are."""
        self.current = Faults.model_validate({**self.current.model_dump(), **changes})
        return self.current

    def clear(self) -> Faults:
        """Switch every fault off."""
        self.current = Faults()
        return self.current

    async def strike(self) -> None:
        """Slow down or break a piece of work, as the faults in force say.

        Raises:
            SimulatedError: The fault ``errors`` hit this piece of work.
        """
        if self.current.latency_seconds:
            await asyncio.sleep(self.current.latency_seconds)
        if random.random() < self.current.errors:
            raise SimulatedError(f"simulated: the fault errors={self.current.errors:g} is on")

    def crash_if_told(self) -> None:
        """End the process as a crash would, without shutdown, if the fault ``crash`` is on."""
        if self.current.crash:
            os._exit(1)
