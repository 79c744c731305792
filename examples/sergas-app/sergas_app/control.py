"""The switches: faults, the rate of load, and health. Every role has them, and no fault reaches them."""

from __future__ import annotations

from fastapi import APIRouter, BackgroundTasks, HTTPException
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .faults import Faults, FaultSwitches
from .load import Load


class LoadRate(BaseModel):
    """How much work the process makes for itself."""

    model_config = ConfigDict(extra="forbid")

    rate: float = Field(ge=0, le=500, description="Requests per second in the API, tasks per second in agents")


def control_router(faults: FaultSwitches, load: Load) -> APIRouter:
    """The routes of the switches."""
    router = APIRouter()

    @router.get("/healthz")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

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
