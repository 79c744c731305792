"""Fixtures: a real control plane, the operator as a process of its own, and a controller in the test's own process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

# There are no packages under tests/: the helpers beside this file are found by name.
sys.path.insert(0, str(Path(__file__).parent))

from controlplane import CRD, ROOT, ControlPlane, free_port, prometheus_operator_crds
from kube import Namespace, Refused

from sergas_operator.controller.controller import Controller
from sergas_operator.controller.health import Health
from sergas_operator.desired import registry
from sergas_operator.settings import Settings

# One namespace for the operator of the session, and one for operators that tests start themselves. Every namespace
# costs an operator one watch for each kind.
SERVED = "served"
UNSERVED = "unserved"
# As for the control plane: a busy machine starts a process slowly.
START_SECONDS = 60
# Kubernetes kills a pod that does not end within its grace period of 30 s.
STOP_SECONDS = 10
CRD_PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/sergasmonitorings.monitoring.sergas.com"
# The rights the chart grants the operator, and not one more: a test of the chart holds its Role equal to them.
RULES = registry.rules()


@dataclass
class OperatorProcess:
    """A running operator. `resync_seconds` and the rest of its settings come from the environment."""

    process: subprocess.Popen[bytes]
    health_port: int
    metrics_port: int
    log: Path

    def stop(self) -> None:
        """End it as Kubernetes does. A shutdown that hangs or fails is an error of the test."""
        if self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the operator did not end within {STOP_SECONDS} s:\n{self._tail()}") from None
        assert status == 0, f"the operator ended with status {status}:\n{self._tail()}"

    def kill(self) -> None:
        """End it as a crash of its node does: it releases nothing."""
        self.process.kill()
        self.process.wait()

    def _tail(self) -> str:
        return self.log.read_text()[-4000:]

    def get(self, path: str, port: int | None = None) -> str:
        """The body at `path` of its health port, or of another; empty while it does not answer."""
        try:
            url = f"http://127.0.0.1:{port or self.health_port}{path}"
            with urllib.request.urlopen(url, timeout=2) as answer:
                return str(answer.read().decode())
        except OSError:
            return ""


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    found = ControlPlane(tmp_path_factory.mktemp("control-plane"))
    try:
        found.start(CRD, *prometheus_operator_crds())
        yield found
    finally:
        found.stop()


@pytest.fixture(scope="session")
def granted(control_plane: ControlPlane) -> ControlPlane:
    """The control plane with namespaces in which the operator has its rights."""
    for name in (SERVED, UNSERVED):
        for path, document in granted_objects(name):
            control_plane.apply(path, json.dumps(document))
    return control_plane


@pytest.fixture
def start_operator(granted: ControlPlane, tmp_path: Path) -> Iterator[Callable[..., OperatorProcess]]:
    """Start operators of the test's own, which are ended with the test. With `ready=False` it waits for none of them.

    The Lease of an operator that was killed is removed first, because it would expire after a minute only.
    """
    started: list[OperatorProcess] = []

    def start(*, ready: bool = True, keep_lease: bool = False, **environment: str) -> OperatorProcess:
        if not keep_lease:
            remove_lease(granted, UNSERVED)
        log = tmp_path / f"{len(started)}.log"
        started.append(start_process(granted, UNSERVED, log, environment, ready=ready))
        return started[-1]

    yield start
    failures = []
    for operator in started:
        try:
            operator.stop()
        except AssertionError as error:
            failures.append(str(error))
    assert not failures, "\n".join(failures)


@pytest.fixture
async def controller(
    granted: ControlPlane, unserved: Namespace, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Controller]:
    """A controller that serves the namespace `unserved` and runs no loop: the test calls its methods."""
    monkeypatch.setenv("KUBECONFIG", str(granted.kubeconfig("sergas-operator")))
    found = await Controller.connect(Settings(namespaces=(unserved.name,)), Health())
    found._leases[unserved.name].held = True
    yield found
    # Nothing was acquired, so nothing is released.
    found._leases[unserved.name].held = False
    await found.stop()


@pytest.fixture(scope="session")
def operator(granted: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatorProcess]:
    """The operator that serves the namespace of most tests."""
    log = tmp_path_factory.mktemp("operator") / "operator.log"
    found = start_process(granted, SERVED, log, {})
    yield found
    found.stop()


@pytest.fixture
def namespace(granted: ControlPlane, operator: OperatorProcess) -> Iterator[Namespace]:
    """An empty namespace, served by the running operator."""
    found = Namespace(granted, SERVED)
    yield found
    found.empty()


@pytest.fixture
def unserved(granted: ControlPlane) -> Iterator[Namespace]:
    """An empty namespace no operator serves yet, with the operator's rights in it."""
    found = Namespace(granted, UNSERVED)
    yield found
    found.empty()


@pytest.fixture
def permissive_crd(granted: ControlPlane, namespace: Namespace) -> Iterator[None]:
    """A CRD without rules that admits unknown fields: another version of the chart may have stored a resource."""
    document = without_rules(yaml.safe_load(CRD.read_text()))
    schema = document["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    schema["properties"]["spec"]["x-kubernetes-preserve-unknown-fields"] = True
    granted.apply(CRD_PATH, json.dumps(document))
    probe = {"metadata": {"name": "probe"}, "spec": {"futureField": 1}}

    def permissive() -> bool:
        try:
            return bool(namespace.validate(probe)["spec"].get("futureField"))
        except Refused:
            return False

    namespace.wait("unknown fields are admitted", permissive)
    yield
    granted.apply(CRD_PATH, CRD.read_text())
    namespace.wait("unknown fields are refused", lambda: not permissive())


def without_rules(document: Any) -> Any:
    """The CRD without validation rules."""
    if isinstance(document, dict):
        return {key: without_rules(value) for key, value in document.items() if key != "x-kubernetes-validations"}
    return [without_rules(item) for item in document] if isinstance(document, list) else document


def start_process(
    control_plane: ControlPlane, namespaces: str, log: Path, environment: dict[str, str], *, ready: bool = True
) -> OperatorProcess:
    """Start an operator and return when it is ready."""
    health_port, metrics_port = free_port(), free_port()
    settings = {
        "SERGAS_NAMESPACES": namespaces,
        "SERGAS_HEALTH_PORT": str(health_port),
        "SERGAS_METRICS_PORT": str(metrics_port),
        "SERGAS_LOG_FORMAT": "plain",
        "KUBECONFIG": str(control_plane.kubeconfig("sergas-operator")),
        **environment,
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "sergas_operator"],
            env={**os.environ, **settings},
            stdout=output,
            stderr=output,
            cwd=ROOT,
        )
    started = OperatorProcess(process, health_port, metrics_port, log)
    deadline = time.monotonic() + START_SECONDS
    while ready and not started.get("/readyz"):
        if process.poll() is not None or time.monotonic() > deadline:
            started.kill()
            raise AssertionError(f"the operator did not become ready:\n{log.read_text()}")
        time.sleep(0.05)
    return started


def remove_lease(control_plane: ControlPlane, namespace: str) -> None:
    """Remove the Lease by which an operator serves a namespace."""
    control_plane.send(
        "DELETE", f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases", "{}", "application/json"
    )


def granted_objects(name: str) -> list[tuple[str, dict[str, object]]]:
    api = "rbac.authorization.k8s.io"
    metadata = {"name": "sergas-operator", "namespace": name}
    base = {"apiVersion": f"{api}/v1", "metadata": metadata}
    binding = {
        "kind": "RoleBinding",
        "roleRef": {"apiGroup": api, "kind": "Role", "name": "sergas-operator"},
        "subjects": [{"apiGroup": api, "kind": "User", "name": "sergas-operator"}],
    }
    folder = f"/apis/{api}/v1/namespaces/{name}"
    return [
        (f"/api/v1/namespaces/{name}", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}),
        (f"{folder}/roles/sergas-operator", base | {"kind": "Role", "rules": RULES}),
        (f"{folder}/rolebindings/sergas-operator", base | binding),
    ]
