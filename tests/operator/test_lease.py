"""One release per namespace: a second operator does nothing there, names the first, and takes over when it is gone."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable

import pytest
from conftest import OperatorProcess, remove_lease
from controlplane import ControlPlane
from kube import CHILDREN, Namespace

from sergas_operator.cluster.api_server import ApiServer
from sergas_operator.cluster.objects import Cluster
from sergas_operator.controller import lease
from sergas_operator.controller.controller import Controller
from sergas_operator.controller.lease import NamespaceLease
from sergas_operator.errors import ApiError
from sergas_operator.model import kinds

pytestmark = pytest.mark.apiserver

SECONDS = 20.0
FIRST, SECOND = "team-a/first", "team-b/second"
REFUSAL = (
    "the namespace unserved is served by the release team-a/first: uninstall that release, or remove unserved from "
    "the namespaces of team-b/second"
)


@pytest.fixture
async def cluster(
    granted: ControlPlane, unserved: Namespace, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Cluster]:
    monkeypatch.setenv("KUBECONFIG", str(granted.kubeconfig("sergas-operator")))
    monkeypatch.setattr(lease, "RENEW_SECONDS", 0.05)
    remove_lease(granted, unserved.name)
    found = Cluster(await ApiServer.connect())
    yield found
    await found.close()
    remove_lease(granted, unserved.name)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS):
        while not holds():  # noqa: ASYNC110  # the state of another task, which signals nothing
            await asyncio.sleep(0.01)


def candidate(cluster: Cluster, identity: str, acquired: list[str]) -> NamespaceLease:
    return NamespaceLease(cluster, "unserved", identity, lambda _: acquired.append(identity))


async def end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def test_second_operator_names_first_and_takes_over_when_it_ends(
    unserved: Namespace, granted: ControlPlane, start_operator: Callable[..., OperatorProcess]
) -> None:
    first = start_operator(SERGAS_IDENTITY=FIRST)
    second = start_operator(ready=False, keep_lease=True, SERGAS_IDENTITY=SECOND)
    unserved.create()
    unserved.wait_for_children()
    unserved.wait("the second names the first", lambda: REFUSAL in second.log.read_text())
    # The second one does not repair anything: the writes are those of one operator.
    before = granted.audit_size()
    unserved.patch_object("Prometheus", "sergas", {"spec": {"paused": True}})
    unserved.wait("the drift is repaired", lambda: "paused" not in unserved.get("Prometheus", "sergas")["spec"])
    assert granted.writes(unserved.name, since=before).count(("patch", "prometheuses")) == 2
    first.stop()
    unserved.patch_object("Prometheus", "sergas", {"spec": {"retention": "1d"}})
    retention = "30d"
    unserved.wait(
        "the second repairs it", lambda: unserved.get("Prometheus", "sergas")["spec"]["retention"] == retention, 40
    )
    assert all(unserved.get(kind, name) for kind, name in CHILDREN)


async def test_waits_while_holder_renews(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "DURATION_SECONDS", 1)
    acquired: list[str] = []
    first, second = candidate(cluster, FIRST, acquired), candidate(cluster, SECOND, acquired)
    one = asyncio.create_task(first.run())
    await until(lambda: first.held)
    two = asyncio.create_task(second.run())
    await until(lambda: second.holder == FIRST)
    assert second.refusal() == REFUSAL
    # For longer than the Lease is valid.
    await asyncio.sleep(1.5)
    assert (first.held, second.held) == (True, False)
    await end(one)
    await until(lambda: second.held)
    assert acquired == [FIRST, SECOND]
    await end(two)


async def test_takes_over_at_once_after_release(cluster: Cluster) -> None:
    acquired: list[str] = []
    first, second = candidate(cluster, FIRST, acquired), candidate(cluster, SECOND, acquired)
    one, two = asyncio.create_task(first.run()), None
    await until(lambda: first.held)
    two = asyncio.create_task(second.run())
    await until(lambda: second.holder == FIRST)
    await end(one)
    await first.release()
    assert not first.held
    await until(lambda: second.held)
    await end(two)


async def test_loses_lease_that_another_release_took(cluster: Cluster, caplog: pytest.LogCaptureFixture) -> None:
    second = candidate(cluster, SECOND, [])
    task = asyncio.create_task(second.run())
    await until(lambda: second.held)
    live = await cluster.read_lease("unserved", lease.NAME)
    assert live
    with caplog.at_level(logging.ERROR):
        while True:
            try:
                taken = {**live["spec"], "holderIdentity": FIRST}
                await cluster.write_lease("unserved", lease.NAME, taken, live)
                break
            except ApiError:
                live = await cluster.read_lease("unserved", lease.NAME)
                assert live
        await until(lambda: not second.held)
    assert REFUSAL in caplog.text
    await end(task)


async def test_lease_that_cannot_be_renewed_is_lost_when_it_expires(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "DURATION_SECONDS", 1)
    first = candidate(cluster, FIRST, [])
    task = asyncio.create_task(first.run())
    await until(lambda: first.held)

    async def refused(*_: object) -> None:
        raise ApiError(403, "get Lease unserved/sergas-operator", "forbidden")

    monkeypatch.setattr(cluster, "read_lease", refused)
    now = asyncio.get_running_loop().time
    began = now()
    await until(lambda: not first.held)
    # An answer that is missing once does not end the work.
    assert now() - began >= 0.3
    await end(task)


async def test_reconciles_nothing_without_the_lease(
    unserved: Namespace, granted: ControlPlane, controller: Controller
) -> None:
    unserved.create()
    before = granted.audit_size()
    controller._leases["unserved"].held = False
    assert await controller.reconcile(("unserved", "sergas")) is None
    assert granted.writes(unserved.name, since=before) == []
    controller._leases["unserved"].held = True
    await controller.reconcile(("unserved", "sergas"))
    assert granted.writes(unserved.name, since=before) != []


async def test_lease_is_owned_by_the_role_binding_that_the_chart_creates(
    cluster: Cluster, unserved: Namespace, granted: ControlPlane
) -> None:
    task = asyncio.create_task(candidate(cluster, FIRST, []).run())

    def owner() -> str:
        references = (unserved.get("Lease", lease.NAME) or {"metadata": {}})["metadata"].get("ownerReferences")
        return references[0]["uid"] if references else ""

    binding = await cluster.get(kinds.ROLE_BINDING, "unserved", lease.NAME)
    assert binding
    await until(lambda: owner() == binding["metadata"]["uid"])
    await end(task)
