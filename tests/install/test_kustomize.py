"""The kustomize overlays and the examples pass the API server and the rules of the CRD, and lose nothing on the way."""

import pytest
import yaml
from holding import holds

from charts.generate import MANIFESTS

pytestmark = pytest.mark.apiserver

NAMESPACE = "{apiVersion: v1, kind: Namespace, metadata: {name: monitoring}}"
EXAMPLES = sorted((MANIFESTS / "examples").glob("*.yaml"))
OVERLAYS = sorted(folder.name for folder in (MANIFESTS / "overlays").iterdir())


@pytest.fixture(scope="module")
def applied(cluster_with):
    """The API server with the CRD from manifests/crd."""
    cluster = cluster_with("helm")
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "--kustomize", str(MANIFESTS / "crd"))
    cluster.kubectl("wait", "--for=condition=Established", "crd/sergasmonitorings.monitoring.sergas.com")
    cluster.kubectl("apply", "--server-side", "--filename", "-", stdin=NAMESPACE)
    yield cluster
    cluster.kubectl("delete", "--ignore-not-found", "--wait=false", "--kustomize", str(MANIFESTS / "base"))


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_is_applied_and_a_second_time_changes_nothing(applied, overlay):
    apply = ["apply", "--server-side", "--validate=strict", "--kustomize", str(MANIFESTS / "overlays" / overlay)]
    applied.kubectl("delete", "sergasmonitorings", "--all", "--namespace", "monitoring", "--ignore-not-found")
    applied.kubectl(*apply)
    monitoring = applied.read("monitoring", "sergasmonitoring", "sergas")
    assert monitoring["spec"]["environment"] == overlay
    applied.kubectl(*apply)
    after = applied.read("monitoring", "sergasmonitoring", "sergas")
    assert after["metadata"]["resourceVersion"] == monitoring["metadata"]["resourceVersion"]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda file: file.stem)
def test_an_example_is_accepted_and_stored_as_it_is_written(applied, example):
    document = yaml.safe_load(example.read_text(encoding="utf-8"))
    applied.kubectl("delete", "sergasmonitorings", "--all", "--namespace", "monitoring", "--ignore-not-found")
    applied.kubectl("apply", "--server-side", "--validate=strict", "--filename", str(example))
    stored = applied.read("monitoring", "sergasmonitoring", document["metadata"]["name"])
    assert holds(stored["spec"], document["spec"])
