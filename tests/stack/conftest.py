"""The chart whole, as it is installed by default: kube-prometheus-stack, Grafana and exporters included, on kind.

It needs a Docker engine and the internet: the charts it depends on come from their Helm repository.
"""

import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

CHECKOUT = Path(__file__).parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(CHECKOUT / "tests" / "e2e"), str(CHECKOUT / "examples" / "demo")]

import onecluster  # noqa: E402  after the path is set
import stacks  # noqa: E402
from sergas_demo import manifests, monitoring  # noqa: E402
from sergas_demo.install import image_values  # noqa: E402
from sergas_demo.kube import Kube  # noqa: E402
from sergas_demo.places import CHART, NAME, RELEASE, environment  # noqa: E402
from sergas_demo.waiting import until  # noqa: E402

INSTALL_SECONDS = 1200
NAMESPACE = "monitoring"
ADMIN = "sergas-grafana-admin"
GRAFANA = "service/sergas-grafana"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first test also waits for all images to be pulled."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.stack)
            item.add_marker(pytest.mark.timeout(INSTALL_SECONDS + 600))


@dataclass(frozen=True)
class Stack:
    """The installed chart, and Grafana's API."""

    kube: Kube
    grafana: httpx.Client


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The chart installed and its SergasMonitoring ready."""
    if os.environ.get("CLUSTER") != "kind":
        pytest.exit("the whole chart needs images and charts from the internet; type `make test-stack CLUSTER=kind`", 2)
    with onecluster.opened() as kube:
        # Grafana reads it when it starts first, and keeps it: a second run must not invent another one.
        password = manifests.existing(kube, NAMESPACE, ADMIN, "admin-password") or secrets.token_urlsafe(16)
        login = manifests.secret(NAMESPACE, ADMIN, {"admin-user": "admin", "admin-password": password})
        kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}, login)
        install(kube)
        until("Readiness", lambda: monitoring.settled(kube, NAMESPACE, NAME), seconds=INSTALL_SECONDS)
        with forwarded(kube, password) as grafana:
            yield Stack(kube, grafana)


def install(kube: Kube) -> None:
    """`helm upgrade --install` the chart with the charts it depends on, and a stack that fits one small node."""
    spec = stacks.small() | {"prometheus": stacks.small()["prometheus"] | {"discovery": {"scope": "AllNamespaces"}}}
    with tempfile.TemporaryDirectory(prefix="sergas-chart-") as folder:
        chart = Path(folder) / CHART.name
        shutil.copytree(CHART, chart, ignore=shutil.ignore_patterns("charts"))
        kube.helm("dependency", "update", str(chart))
        values = [
            *image_values(onecluster.images()["operator"]),
            f"--set-json=sergasMonitoring.spec={json.dumps(spec)}",
        ]
        where = ["--namespace", NAMESPACE, "--wait", f"--timeout={INSTALL_SECONDS}s"]
        kube.helm("upgrade", "--install", RELEASE, str(chart), *where, *values)


class forwarded:  # noqa: N801  used as a context manager, it reads as a verb
    """Grafana's API under its administrator's name; the API server's proxy would swallow the login."""

    def __init__(self, kube: Kube, password: str) -> None:
        self._kube = kube
        self._login = ("admin", password)
        self._forward: subprocess.Popen[str] | None = None

    def __enter__(self) -> httpx.Client:
        command = ["kubectl", "--namespace", NAMESPACE, "port-forward", "--address=127.0.0.1", GRAFANA, ":80"]
        settings = environment() | {"KUBECONFIG": str(self._kube.kubeconfig)}
        self._forward = subprocess.Popen(command, env=settings, stdout=subprocess.PIPE, text=True)
        said = self._forward.stdout.readline() if self._forward.stdout else ""
        # Forwarding from 127.0.0.1:40123 -> 3000
        address = said.removeprefix("Forwarding from ").partition(" ")[0]
        self._client = httpx.Client(base_url=f"http://{address}", auth=self._login, timeout=30)
        return self._client

    def __exit__(self, *_: object) -> None:
        self._client.close()
        if self._forward:
            self._forward.terminate()
            self._forward.communicate()
