"""The kustomize overlays pass the API server and the rules of the CRD, and change nothing the second time."""

import pytest

from charts.generate import MANIFESTS

pytestmark = pytest.mark.apiserver

OVERLAYS = sorted(folder.name for folder in (MANIFESTS / "overlays").iterdir())


@pytest.fixture(scope="module")
def applied(cluster_with):
    """The API server with the CRD from manifests/crd."""
    cluster = cluster_with("helm")
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "--kustomize", str(MANIFESTS / "crd"))
    cluster.kubectl("wait", "--for=condition=Established", "crd/sergasmonitorings.monitoring.sergas.com")
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
