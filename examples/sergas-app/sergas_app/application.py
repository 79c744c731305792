"""The whole application of one role."""

from __future__ import annotations

import httpx
from fastapi import FastAPI

from sergas_metrics import MetricsCollector, instrument

from .accounts import Accounts
from .agents import Agents
from .api import api_router
from .control import control_router, health_router
from .database import Database
from .faults import FaultSwitches
from .jobs import Job, Jobs
from .load import Load, request_at_random
from .memory import Memory
from .mishaps import Mishaps
from .recommendations import Recommender
from .settings import Settings
from .zoho import ZohoClient


def build(settings: Settings, metrics: MetricsCollector | None = None) -> FastAPI:
    """The application, ready to be served.

    Args:
        settings: How it runs.
        metrics: Where it records; a collector on the default registry when left out.
    """
    metrics = metrics or MetricsCollector()
    faults, load, mishaps = FaultSwitches(), Load(settings.load_rate), Mishaps(settings.mishaps)
    database = Database(metrics, faults, mishaps)
    accounts = Accounts(metrics, faults, database, settings.accounts)
    zoho = ZohoClient(metrics, faults, mishaps, settings.zoho_quota)
    recommender = Recommender(metrics, faults, mishaps)
    jobs: dict[str, Job] = {"database": database.watch}
    if settings.has_agents:
        agents = Agents(
            accounts=accounts,
            zoho=zoho,
            memory=Memory(metrics, faults, mishaps),
            recommender=recommender,
            metrics=metrics,
            faults=faults,
            workers=settings.workers,
        )
        jobs |= {"agents": agents.run, "lag": accounts.measure_lag, "tasks": lambda: load.run(agents.give)}
    if settings.has_api:
        jobs["requests"] = _requests(load, settings)

    background = Jobs(jobs)
    app = FastAPI(title=f"Sergas example ({settings.role})", lifespan=lambda _: background.running())
    app.include_router(health_router(background))
    if settings.faults:
        app.include_router(control_router(faults, load))
    if settings.has_api:
        app.include_router(api_router(accounts, zoho, recommender, metrics, faults))
    return instrument(app, collector=metrics)


def _requests(load: Load, settings: Settings) -> Job:
    """Requests over the loopback interface, so that the load passes through everything a user's request does."""

    async def job() -> None:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{settings.port}", timeout=30) as client:
            await load.run(lambda: request_at_random(client, settings.accounts))

    return job
