"""Helm 3, Helm 4 and kustomize against a real API server. There is no node, so nothing is waited for."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

# There are no packages under tests/: our helpers and the control plane of the operator's tests are found by name.
sys.path.insert(0, str(Path(__file__).parents[1] / "operator"))
sys.path.append(str(Path(__file__).parent))

from controlplane import ControlPlane, prometheus_operator_crds

from charts.helm import stubbed, tool

OFF = (
    "kube-prometheus-stack.enabled=false",
    "prometheus-pushgateway.enabled=false",
    "prometheus-blackbox-exporter.enabled=false",
)
CRD_NAME = "sergasmonitorings.monitoring.sergas.com"


@dataclass(frozen=True)
class Said:
    """What a program said and how it ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Cluster:
    """An API server, spoken to as a person would."""

    control_plane: ControlPlane
    helm_name: str

    def run(self, *command: str, stdin: str | None = None, cwd: Path | None = None) -> Said:
        """Run a program with the cluster's kubeconfig and the pinned tools first on PATH."""
        config = self.control_plane.kubeconfig("admin")
        path = f"{Path(tool('kubectl')).parent}{os.pathsep}{os.environ['PATH']}"
        environment = os.environ | {"KUBECONFIG": str(config), "PATH": path, "HOME": str(self.control_plane.folder)}
        done = subprocess.run(
            command, input=stdin, capture_output=True, text=True, check=False, cwd=cwd, env=environment
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """What kubectl prints; it must succeed."""
        said = self.run("kubectl", *arguments, stdin=stdin)
        assert said.code == 0, said.err
        return said.out

    def helm(self, *arguments: str, program: str = "") -> Said:
        """Run Helm, of the version under test when none is named."""
        return self.run(tool(program or self.helm_name), *arguments)

    def install(self, namespace: str, *arguments: str, program: str = "", **values: object) -> Said:
        """`helm install` beside a CRD that is there already."""
        return self.release("install", namespace, "--skip-crds", *arguments, program=program, **values)

    def release(self, verb: str, namespace: str, *arguments: str, program: str = "", **values: object) -> Said:
        """`helm install` or `upgrade` of the chart as release `sergas`, with `--set-json` values."""
        settings = [f"--set-json={setting}" for setting in OFF]
        settings += [f"--set-json={key.replace('__', '.')}={value}" for key, value in values.items()]
        return self.helm(verb, "sergas", str(stubbed()), "-n", namespace, *settings, *arguments, program=program)

    def read(self, namespace: str, kind: str, name: str) -> dict:
        """An object, with the managers of its fields."""
        text = self.kubectl("-n", namespace, "get", kind, name, "--show-managed-fields", "-o", "json")
        found: dict = json.loads(text)
        return found

    def apply_crd(self, crd: dict) -> None:
        """Put a CRD in the place of the one that is there."""
        self.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=yaml.safe_dump(crd))
        self.kubectl("wait", "--for=condition=Established", f"crd/{CRD_NAME}", "--timeout=30s")


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory):
    found = ControlPlane(tmp_path_factory.mktemp("control-plane"))
    try:
        found.start(*prometheus_operator_crds())
        yield found
    finally:
        found.stop()


@pytest.fixture(scope="session")
def cluster_with(control_plane):
    """The API server with the version of Helm that is named."""
    return lambda helm: Cluster(control_plane, helm)


@pytest.fixture(params=["helm", "helm4"])
def cluster(control_plane, request):
    """The API server, with each version of Helm."""
    return Cluster(control_plane, request.param)


@pytest.fixture
def namespace(cluster, request):
    """A namespace of the test's own."""
    name = f"{request.node.originalname.replace('_', '-')[:50].strip('-')}-{cluster.helm_name}"
    cluster.kubectl("create", "namespace", name)
    yield name
    cluster.helm("uninstall", "sergas", "-n", name, "--ignore-not-found")
    cluster.kubectl("delete", "namespace", name, "--wait=false")
