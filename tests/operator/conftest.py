"""Fixtures: a real control plane, and the operator as a process of its own that serves a pool of
namespaces.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

# There are no packages under tests/: the helpers beside this file are found by name.
sys.path.insert(0, str(Path(__file__).parent))

from controlplane import CRD, ROOT, ControlPlane, free_port, prometheus_operator_crds
from kube import Namespace

# One namespace for the operator of the session, one for operators that tests start themselves: every
# namespace costs an operator eight watches, and tests clean up behind them.
SERVED = "served"
UNSERVED = "unserved"
START_SECONDS = 20
# The rights the chart grants the operator, and not one more: a test that passes with them passes there.
RULES = [
    (["monitoring.sergas.com"], ["sergasmonitorings"], ["get", "list", "watch"]),
    (["monitoring.sergas.com"], ["sergasmonitorings/status"], ["patch"]),
    (["monitoring.coreos.com"], ["prometheuses", "alertmanagers"], ["get", "list", "watch", "create", "patch"]),
    ([""], ["secrets", "services"], ["get", "list", "watch", "create", "patch"]),
    (["policy"], ["poddisruptionbudgets"], ["get", "list", "watch", "create", "patch"]),
    (["apps"], ["statefulsets"], ["get", "list", "watch", "create", "patch"]),
    ([""], ["persistentvolumeclaims"], ["get", "list", "watch"]),
    ([""], ["pods"], ["list"]),
    ([""], ["events"], ["create", "patch"]),
]


@dataclass
class OperatorProcess:
    """A running operator. `resync_seconds` and the rest of its settings come from the environment."""

    process: subprocess.Popen[bytes]
    health_port: int
    metrics_port: int
    log: Path

    def stop(self) -> None:
        """Ends it as Kubernetes does."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

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
    """Starts operators of the test's own; they are ended with the test."""
    started: list[OperatorProcess] = []

    def start(**environment: str) -> OperatorProcess:
        started.append(start_process(granted, UNSERVED, tmp_path / f"{len(started)}.log", environment))
        return started[-1]

    yield start
    for operator in started:
        operator.stop()


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


def start_process(
    control_plane: ControlPlane, namespaces: str, log: Path, environment: dict[str, str]
) -> OperatorProcess:
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
    while not started.get("/readyz"):
        if process.poll() is not None or time.monotonic() > deadline:
            started.stop()
            raise AssertionError(f"the operator did not become ready:\n{log.read_text()}")
        time.sleep(0.05)
    return started


def granted_objects(name: str) -> list[tuple[str, dict[str, object]]]:
    rules = [{"apiGroups": groups, "resources": resources, "verbs": verbs} for groups, resources, verbs in RULES]
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
        (f"{folder}/roles/sergas-operator", base | {"kind": "Role", "rules": rules}),
        (f"{folder}/rolebindings/sergas-operator", base | binding),
    ]
