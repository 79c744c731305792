"""Evidence from the pods: real HTTP servers on loopback are the Alertmanagers and the Prometheus."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from controlplane import ControlPlane
from kube import Namespace

from sergas_operator.controller.controller import Controller
from sergas_operator.observed import pods
from sergas_operator.observed.pods import Evidence, Pods

pytestmark = pytest.mark.apiserver

KEY = ("unserved", "sergas")
SECONDS = 20.0
HASH = "0123456789abcdef"
ALERTMANAGERS = ("127.0.9.1", "127.0.9.2")
PROMETHEUS = "127.0.9.3"
# Nothing listens there.
SILENT = "127.0.9.9"


@dataclass
class Servers:
    """What the pods answer. `hash` is the configuration of every Alertmanager; `hold` keeps them from answering."""

    hash: str = HASH
    discovered: int = 2
    targets: int = 16
    hold: bool = False
    asked: list[float] = field(default_factory=list)

    async def receivers(self, _: web.Request) -> web.Response:
        self.asked.append(asyncio.get_running_loop().time())
        if self.hold:
            await asyncio.sleep(3600)
        return web.json_response([{"name": "_none"}, {"name": f"_config-{self.hash}"}])

    async def alertmanagers(self, _: web.Request) -> web.Response:
        return web.json_response({"data": {"activeAlertmanagers": [{}] * self.discovered}})

    async def query(self, _: web.Request) -> web.Response:
        result = [{"value": [0, str(self.targets)]}] if self.targets else []
        return web.json_response({"data": {"result": result}})


@contextlib.asynccontextmanager
async def serving(address: str, port: int, **routes: Callable[[web.Request], Awaitable[web.Response]]) -> Any:
    application = web.Application()
    for name, handler in routes.items():
        application.router.add_get(f"/api/{'v2' if port == 9093 else 'v1'}/{name}", handler)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, address, port).start()
    try:
        yield
    finally:
        await runner.cleanup()


@pytest.fixture
async def servers() -> AsyncIterator[Servers]:
    found = Servers()
    async with contextlib.AsyncExitStack() as stack:
        for address in ALERTMANAGERS:
            await stack.enter_async_context(serving(address, 9093, receivers=found.receivers))
        prometheus = serving(PROMETHEUS, 9090, alertmanagers=found.alertmanagers, query=found.query)
        await stack.enter_async_context(prometheus)
        yield found


@pytest.fixture(autouse=True)
def without_pods(unserved: Namespace) -> Any:
    yield
    for path in ("api/v1", "apis/discovery.k8s.io/v1"):
        plural = "pods" if path == "api/v1" else "endpointslices"
        url = f"{path}/namespaces/{unserved.name}/{plural}"
        for item in unserved.request("GET", url)["items"]:
            unserved.request("DELETE", f"{url}/{item['metadata']['name']}?gracePeriodSeconds=0")


def add_pod(namespace: Namespace, part: str, address: str, *, ready: bool = True) -> None:
    url = f"api/v1/namespaces/{namespace.name}/pods"
    name = f"{part}-{address.replace('.', '-')}"
    body = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {part: "sergas"}},
        "spec": {"containers": [{"name": part, "image": "example.com/image"}]},
    }
    namespace.request("POST", url, body)
    set_ready(namespace, part, address, ready=ready)


def set_ready(namespace: Namespace, part: str, address: str, *, ready: bool) -> None:
    url = f"api/v1/namespaces/{namespace.name}/pods/{part}-{address.replace('.', '-')}/status"
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    status = {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}], "conditions": conditions}
    namespace.request("PATCH", url, {"status": status}, "application/merge-patch+json")


def add_slice(namespace: Namespace, part: str, *ready: bool) -> None:
    service = f"sergas-{part}"
    endpoints = [
        {"addresses": [f"10.0.0.{number + 1}"], "conditions": {"ready": is_ready}}
        for number, is_ready in enumerate(ready)
    ]
    body = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": service, "labels": {"kubernetes.io/service-name": service}},
        "addressType": "IPv4",
        "endpoints": endpoints,
        "ports": [],
    }
    namespace.request("POST", f"apis/discovery.k8s.io/v1/namespaces/{namespace.name}/endpointslices", body)


def add_all(namespace: Namespace, **ready: bool) -> None:
    for address in ALERTMANAGERS:
        add_pod(namespace, "alertmanager", address, **ready)
    add_pod(namespace, "prometheus", PROMETHEUS, **ready)
    add_slice(namespace, "alertmanager", True, True)
    add_slice(namespace, "prometheus", True, False)


@pytest.fixture
async def asked(controller: Controller) -> AsyncIterator[tuple[Pods, asyncio.Event]]:
    """Pods of the controller's cluster, and an event that is set when their evidence changes."""
    changed = asyncio.Event()
    found = Pods(controller._cluster, lambda _: changed.set())
    yield found, changed
    await found.close()


async def evidence_of(found: Pods, changed: asyncio.Event, expected: str = HASH) -> Evidence:
    found.ask(KEY, "uid", expected, running=True)
    async with asyncio.timeout(SECONDS):
        await changed.wait()
    return found.evidence(KEY, "uid")


async def until(holds: Callable[[], Any]) -> None:
    async with asyncio.timeout(SECONDS):
        while not holds():  # noqa: ASYNC110  # the state of another task, which signals nothing
            await asyncio.sleep(0.01)


async def test_collects_what_pods_run(unserved: Namespace, servers: Servers, asked: tuple[Pods, asyncio.Event]) -> None:
    add_all(unserved)
    assert await evidence_of(*asked) == Evidence(
        loaded=(HASH, HASH),
        starting=0,
        discovered=2,
        targets=16,
        monitors=False,
        endpoints={"prometheus": 1, "alertmanager": 2},
    )
    # Everything is as expected, so nobody is asked again.
    await until(lambda: all(task.done() for task in [asked[0]._asked[KEY].task] if task))


async def test_asks_only_ready_pods(unserved: Namespace, servers: Servers, asked: tuple[Pods, asyncio.Event]) -> None:
    add_all(unserved)
    set_ready(unserved, "alertmanager", ALERTMANAGERS[1], ready=False)
    add_pod(unserved, "alertmanager", SILENT, ready=False)
    found = await evidence_of(*asked)
    assert (found.loaded, found.starting) == ((HASH,), 2)


async def test_pod_that_does_not_answer_is_evidence_too(
    unserved: Namespace, servers: Servers, asked: tuple[Pods, asyncio.Event]
) -> None:
    add_all(unserved)
    add_pod(unserved, "alertmanager", SILENT)
    found = await evidence_of(*asked)
    assert sorted(map(str, found.loaded)) == [HASH, HASH, "None"]


@pytest.mark.parametrize("body", ['{"status": "error"}', '["a"]', "null", "3", '[{"title": "a"}]', "[", ""])
async def test_answer_of_another_form_is_no_answer(
    unserved: Namespace, servers: Servers, asked: tuple[Pods, asyncio.Event], body: str
) -> None:
    async def other(_: web.Request) -> web.Response:
        return web.Response(text=body, content_type="application/json")

    add_pod(unserved, "alertmanager", SILENT)
    add_pod(unserved, "prometheus", SILENT)
    async with (
        serving(SILENT, 9093, receivers=other),
        serving(SILENT, 9090, alertmanagers=other, query=other),
    ):
        found = await evidence_of(*asked)
    assert (found.loaded, found.discovered, found.targets) == ((None,), None, None)


async def test_asks_again_with_growing_waits(
    unserved: Namespace, servers: Servers, asked: tuple[Pods, asyncio.Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pods, "FIRST_WAIT_SECONDS", 0.05)
    monkeypatch.setattr(pods, "LAST_WAIT_SECONDS", 0.4)
    add_pod(unserved, "alertmanager", ALERTMANAGERS[0])
    await evidence_of(*asked, expected="another hash")
    await until(lambda: len(servers.asked) >= 6)
    waits = [later - earlier for earlier, later in itertools.pairwise(servers.asked)]
    assert all(wait >= least for wait, least in zip(waits, (0.05, 0.1, 0.2, 0.4, 0.4), strict=False)), waits
    # A new configuration is asked for at once, and the waits begin anew.
    count = len(servers.asked)
    asked[0].ask(KEY, "uid", "a third hash", running=True)
    assert asked[0]._asked[KEY].failures == 0
    await until(lambda: len(servers.asked) > count)


async def test_another_request_meanwhile_does_not_shorten_the_wait(
    unserved: Namespace, servers: Servers, asked: tuple[Pods, asyncio.Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pods, "FIRST_WAIT_SECONDS", 0.5)
    add_pod(unserved, "alertmanager", ALERTMANAGERS[0])
    await evidence_of(*asked, expected="another hash")
    for _ in range(20):
        asked[0].ask(KEY, "uid", "another hash", running=True)
    await until(lambda: len(servers.asked) >= 3)
    assert servers.asked[1] - servers.asked[0] >= 0.5
    assert servers.asked[2] - servers.asked[1] >= 1.0


async def test_is_not_asked_while_nothing_runs(servers: Servers, asked: tuple[Pods, asyncio.Event]) -> None:
    asked[0].ask(KEY, "uid", HASH, running=False)
    assert asked[0]._asked[KEY].task is None


async def test_evidence_of_a_deleted_monitoring_does_not_count(
    unserved: Namespace, servers: Servers, asked: tuple[Pods, asyncio.Event]
) -> None:
    add_all(unserved)
    await evidence_of(*asked)
    assert asked[0].evidence(KEY, "another uid") == Evidence()
    asked[0].ask(KEY, "another uid", HASH, running=False)
    assert asked[0].evidence(KEY, "uid") == Evidence()
    asked[0].forget(KEY)
    assert asked[0]._asked == {}


def settle(namespace: Namespace) -> None:
    for kind in ("Prometheus", "Alertmanager"):
        namespace.settle_as_prometheus_operator(kind)


async def test_pods_that_do_not_answer_hold_no_worker(
    unserved: Namespace, servers: Servers, controller: Controller
) -> None:
    unserved.create()
    await controller.reconcile(KEY)
    settle(unserved)
    add_all(unserved)
    servers.hold = True
    now = asyncio.get_running_loop().time
    began = now()
    for _ in range(5):
        await controller.reconcile(KEY)
    # Each question waits for 2 s.
    assert now() - began < pods.ANSWER_SECONDS
    await until(lambda: KEY in controller.queue._due)
    await controller.reconcile(KEY)
    condition = unserved.condition("ConfigLoaded")
    assert (condition["status"], condition["reason"]) == ("Unknown", "CannotAsk")
    assert condition["message"] == (
        "2 of 2 ready Alertmanager pods did not answer on port 9093: check that a NetworkPolicy lets the operator "
        "connect to them."
    )
    assert [event["reason"] for event in unserved.list("Event") if event["reason"] == "CannotAsk"] == ["CannotAsk"]


async def test_says_nothing_about_network_policies_while_pods_start(
    unserved: Namespace, servers: Servers, controller: Controller
) -> None:
    unserved.create()
    await controller.reconcile(KEY)
    settle(unserved)
    # They have an address and are not ready: nothing listens there yet.
    add_pod(unserved, "alertmanager", SILENT, ready=False)
    await controller.reconcile(KEY)
    await until(
        lambda: controller._pods.evidence(KEY, unserved.get("SergasMonitoring", "sergas")["metadata"]["uid"]).starting
    )
    await controller.reconcile(KEY)
    assert unserved.condition("ConfigLoaded")["reason"] == "NotAsked"
    assert "NetworkPolicy" not in str(unserved.list("Event")) + str(unserved.status())


async def test_ready_follows_the_configuration_that_pods_run(
    unserved: Namespace, granted: ControlPlane, servers: Servers, controller: Controller
) -> None:
    unserved.create()
    await controller.reconcile(KEY)
    settle(unserved)
    add_all(unserved)
    applied = unserved.status()["config"]["appliedHash"]
    servers.hash = "old"
    await controller.reconcile(KEY)
    await until(lambda: KEY in controller.queue._due)
    controller.queue.forget(KEY)
    await controller.reconcile(KEY)
    assert unserved.condition("ConfigLoaded")["reason"] == "Loading"
    assert unserved.condition("Ready")["status"] == "False"
    servers.hash = applied
    # The pods are asked again without another trigger, and a changed answer triggers a reconcile.
    await until(lambda: KEY in controller.queue._due)
    await controller.reconcile(KEY)
    assert unserved.condition("ConfigLoaded")["reason"] == "Loaded"
    assert unserved.condition("Progressing")["reason"] == "Converged"
    for changed, reason in (("discovered", "AlertmanagersNotDiscovered"), ("targets", "NoTargets")):
        setattr(servers, changed, 0)
        if changed == "targets":
            monitor = {"apiVersion": "monitoring.coreos.com/v1", "kind": "ServiceMonitor"}
            content = {"metadata": {"name": "any"}, "spec": {"selector": {}, "endpoints": [{"port": "web"}]}}
            path = f"apis/monitoring.coreos.com/v1/namespaces/{unserved.name}/servicemonitors"
            unserved.request("POST", path, monitor | content)
        controller.queue.forget(KEY)
        await controller.reconcile(KEY)
        await until(lambda: KEY in controller.queue._due)
        await controller.reconcile(KEY)
        assert unserved.condition("PrometheusAvailable")["reason"] == reason
        setattr(servers, changed, 2)
        controller.queue.forget(KEY)
        await until(lambda: KEY in controller.queue._due)
        controller.queue.forget(KEY)
        await controller.reconcile(KEY)
    path = f"apis/monitoring.coreos.com/v1/namespaces/{unserved.name}/servicemonitors/any"
    unserved.request("DELETE", path)
