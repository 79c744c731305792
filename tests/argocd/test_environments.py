"""A folder in the user's repository is an environment: ApplicationSets make its Applications, and take them away."""

import json

import pytest
import yaml
from applications import API, MANIFESTS, NAMESPACE, local, manifest
from installation import kubeconfig
from scene import MONITORING_NAMESPACE, NAME, spec
from sergas_demo import monitoring
from sergas_demo.kube import path
from sergas_demo.waiting import expect, until
from test_deletion import wait_empty
from yamlfiles import read

PARTS = ("sergas-crds", "sergas-chart", "sergas-monitoring")
MADE = {f"{part}-staging" for part in PARTS}


def there(scene):
    """Names of all Applications."""
    return {item["metadata"]["name"] for item in scene.kube.items(path(API, NAMESPACE, "applications"))}


def wait_for(scene, names, seconds=60):
    """Return when these are all Applications.

    It asks for a look at git again and again: asked while they look, ApplicationSets forget it.
    """

    def look():
        refresh(scene)
        expect(there(scene) == names, f"there are {', '.join(sorted(there(scene))) or 'none'}")

    until("The Applications of the environments", look, seconds=seconds)


def cluster(scene):
    """The cluster as Argo CD knows one that it does not run on: by name, address and token."""
    document = yaml.safe_load(kubeconfig(scene.kube, scene.argocd.folder).read_text())
    known, token = document["clusters"][0]["cluster"], document["users"][0]["user"]["token"]
    config = {"bearerToken": token, "tlsClientConfig": {"caData": known["certificate-authority-data"]}}
    labels = {"argocd.argoproj.io/secret-type": "cluster"}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "staging", "namespace": NAMESPACE, "labels": labels},
        "stringData": {"name": "staging", "server": known["server"], "config": json.dumps(config)},
    }


def shipped(scene):
    """environments/applicationset.yaml, without the second set of CRDs: this cluster has them."""
    files = read(local((MANIFESTS / "environments" / "applicationset.yaml").read_text(), scene.product, scene.user))
    for item in files:
        if item["metadata"]["name"] == "sergas-crds":
            del item["spec"]["template"]["spec"]["sources"][1]
    return files


@pytest.fixture(scope="module")
def sets(scene):
    """The ApplicationSets applied, with no environment yet."""
    scene.user.write("environments/README.yaml")
    scene.user.commit("No environment yet")
    scene.argocd.start_application_sets()
    files = shipped(scene)
    scene.kube.apply(cluster(scene), *files)
    yield scene
    for item in files:
        if item["kind"] == "ApplicationSet":
            scene.kube.delete(path(API, NAMESPACE, "applicationsets", item["metadata"]["name"]))


def refresh(scene):
    """Have the ApplicationSets look at git now, as a webhook does."""
    for name in PARTS:
        where = path(API, NAMESPACE, "applicationsets", name)
        annotation = {"argocd.argoproj.io/application-set-refresh": "true"}
        scene.kube.patch(where, {"metadata": {"annotations": annotation}})


def test_a_folder_becomes_an_environment_on_the_cluster_of_its_name(sets):
    values = sets.values() | {"kube-prometheus-stack": {"enabled": False}}
    with sets.ledger.event("a folder for an environment") as event:
        sets.user.write("environments/staging/sergas.yaml", manifest(NAME, spec() | {"environment": "staging"}))
        sets.user.write("environments/staging/chart/values.yaml", values)
        sets.user.commit("An environment")
        wait_for(sets, MADE)
        sets.secrets()
        sets.applications.wait_synced("", *sorted(MADE))
        event.mark("Synced")
        sets.ready()
        sets.applications.wait_healthy(*sorted(MADE))
        event.mark("Healthy")
    found = monitoring.read(sets.kube, MONITORING_NAMESPACE, NAME)
    assert found["spec"]["environment"] == "staging"


def test_a_folder_that_goes_takes_its_applications_and_all_they_made_with_it(sets):
    with sets.ledger.event("the folder removed") as event:
        sets.user.git("rm", "-r", "--quiet", "environments/staging")
        sets.user.commit("No more staging")
        wait_for(sets, set(), seconds=120)
        wait_empty(sets)
        event.mark("all gone after")
