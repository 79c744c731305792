"""Health follows the background jobs, and faults are off unless they are enabled."""

import asyncio

import pytest
from sergas_app.agents import Agents
from sergas_app.database import Database

ROUNDS = 50
NAMES = {Database: "database", Agents: "agents"}


async def ends():
    """A background job that ends by itself."""


async def breaks():
    raise RuntimeError("the job is broken")


@pytest.mark.parametrize("job", [ends, breaks])
@pytest.mark.parametrize(("owner", "method"), [(Database, "watch"), (Agents, "run")])
async def test_health_fails_when_a_background_job_has_ended(started, monkeypatch, job, owner, method):
    monkeypatch.setattr(owner, method, lambda _: job())
    client = await started(role="all")
    for _ in range(ROUNDS):
        answer = await client.get("/healthz")
        if answer.status_code == 503:
            break
        await asyncio.sleep(0)  # a job that ends at once needs a turn of the loop, and no time
    assert answer.json() == {"detail": f"ended, though it should run until shutdown: {NAMES[owner]}"}
    assert (await client.get("/metrics")).status_code == 200


async def test_health_is_good_while_every_background_job_runs(started):
    client = await started(role="all")
    assert (await client.get("/healthz")).json() == {"status": "ok"}


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/faults"), ("POST", "/faults"), ("DELETE", "/faults"), ("GET", "/load"), ("PUT", "/load")],
)
async def test_faults_and_load_cannot_be_switched_unless_enabled(started, method, path):
    client = await started(role="all", faults=False)
    assert (await client.request(method, path, json={})).status_code == 404
    assert (await client.get("/healthz")).status_code == 200
