"""Health, and the switches of faults and load. Every role has them, and no fault reaches them."""

from __future__ import annotations

from fastapi import APIRouter, BackgroundTasks, HTTPException
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .faults import Faults, FaultSwitches
from .jobs import Jobs
from .load import Load


class LoadRate(BaseModel):
    """How much work the process makes for itself."""

    model_config = ConfigDict(extra="forbid")

    rate: float = Field(ge=0, le=500, description="Requests per second in the API, tasks per second in agents")


def health_router(jobs: Jobs) -> APIRouter:
    """Health: 503 once a background job has ended, so that Kubernetes restarts the container."""
    router = APIRouter()

    @router.get("/healthz")
    async def health() -> dict[str, str]:
        if ended := jobs.ended():
            raise HTTPException(503, f"ended, though it should run until shutdown: {', '.join(ended)}")
        return {"status": "ok"}

    return router


def control_router(faults: FaultSwitches, load: Load) -> APIRouter:
    """The routes of the switches, for a process that is there to be broken: whoever reaches them can stop it."""
    router = APIRouter()

    @router.get("/faults")
    async def show_faults() -> Faults:
        return faults.current

    @router.post("/faults")
    async def change_faults(changes: dict[str, object], after: BackgroundTasks) -> Faults:
        try:
            changed = faults.change(changes)
        except ValidationError as error:
            raise HTTPException(422, error.errors(include_url=False, include_context=False)) from error
        after.add_task(faults.strike_process)
        return changed

    @router.delete("/faults")
    async def clear_faults() -> Faults:
        return faults.clear()

    @router.get("/load")
    async def show_load() -> LoadRate:
        return LoadRate(rate=load.rate)

    @router.put("/load")
    async def change_load(wanted: LoadRate) -> LoadRate:
        load.rate = wanted.rate
        return wanted

    return router
