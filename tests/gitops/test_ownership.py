"""What people delete or prune with the shipped manifests holds nothing that is not the product's own.

`kubectl delete --kustomize` deletes what the folder renders. Argo CD and Flux delete what left git, and what an
Application or Kustomization had created when that goes. A Namespace among it would take everything in it along:
volumes, Secrets, and whatever else people run there.
"""

import re
import subprocess

import pytest
import yaml

from charts.helm import CHART, ROOT, objects, template, tool

MANIFESTS = ROOT / "manifests"
OVERLAYS = sorted((MANIFESTS / "overlays").iterdir())
# Deleting one of these deletes objects of other people: what is in a namespace, of a kind, or on a volume.
CONTAINERS = {"Namespace", "CustomResourceDefinition", "PersistentVolumeClaim", "PersistentVolume", "StorageClass"}
# Values that differ from one cluster to the next.
SITE = re.compile(r"storageClassName:|smarthost:|\bto: \[|\bfrom: |authUsername:|channel:|https?://|@")


def kustomized(folder):
    done = subprocess.run([tool("kubectl"), "kustomize", str(folder)], capture_output=True, text=True, check=True)
    return objects(done.stdout)


def flux(name):
    text = (MANIFESTS / "flux" / f"{name}.yaml").read_text(encoding="utf-8")
    return [item for item in yaml.safe_load_all(text) if item]


def test_chart_renders_no_object_that_holds_objects_of_others():
    assert CONTAINERS.isdisjoint(item["kind"] for item in objects(template()))


@pytest.mark.parametrize("folder", [MANIFESTS / "base", *OVERLAYS], ids=lambda folder: folder.name)
def test_overlay_renders_no_object_that_holds_objects_of_others(folder):
    assert CONTAINERS.isdisjoint(item["kind"] for item in kustomized(folder))


@pytest.mark.parametrize("folder", ["applications", "bring-your-own-operator"])
def test_argocd_folder_renders_only_projects_and_applications(folder):
    kinds = {item["kind"] for item in kustomized(MANIFESTS / "argocd" / folder)}
    assert kinds == {"AppProject", "Application"}


def test_flux_folder_renders_only_sources_and_what_they_deploy():
    kinds = {item["kind"] for item in kustomized(MANIFESTS / "flux")}
    assert kinds == {"GitRepository", "HelmRepository", "HelmRelease", "Kustomization"}


def test_flux_prunes_the_sergasmonitoring_and_never_a_crd():
    prune = {item["metadata"]["name"]: item["spec"]["prune"] for item in flux("crds") + flux("monitoring")}
    assert prune == {"sergas-crds": False, "prometheus-operator-crds": False, "sergas-monitoring": True}


def test_flux_creates_the_namespace_with_helm_which_never_deletes_it():
    [release] = flux("release")
    assert release["spec"]["install"]["createNamespace"] is True
    assert release["spec"]["install"]["crds"] == release["spec"]["upgrade"]["crds"] == "Skip"
    assert "uninstall" not in release["spec"], "the default of an uninstall keeps the namespace and the volumes"


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda overlay: overlay.name)
def test_every_value_of_one_site_says_change(overlay):
    for file in overlay.glob("*.yaml"):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
            if SITE.search(line) and not line.lstrip().startswith("#"):
                assert "# CHANGE" in line, f"{file.relative_to(ROOT)}:{number}: {line.strip()}"


def test_highly_available_example_says_change_where_sites_differ():
    file = CHART / "examples" / "ha-production" / "values.yaml"
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        if SITE.search(line) and not line.lstrip().startswith("#"):
            assert "# CHANGE" in line, f"{file.relative_to(ROOT)}:{number}: {line.strip()}"


@pytest.mark.parametrize(
    "file", [*MANIFESTS.rglob("*.yaml"), *(CHART / "examples").glob("*/output.yaml")], ids=lambda file: file.parent.name
)
def test_no_pod_asks_for_a_priority_class_that_is_kube_systems(file):
    for line in file.read_text(encoding="utf-8").splitlines():
        if not line.lstrip().startswith("#"):
            assert "priorityClassName: system-" not in line


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda overlay: overlay.name)
def test_images_of_an_overlay_change_every_place_that_names_the_operators_image(overlay, tmp_path):
    """A private registry, or another tag, must reach the digest too: it runs from the operator's image."""
    resource = tmp_path / "overlay"
    resource.mkdir()
    base = "../" * len(tmp_path.parts) + str(overlay.relative_to("/"))
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [base],
        "images": [
            {"name": "ghcr.io/sergas/sergas-operator", "newName": "registry.example.com/operator", "newTag": "9.9.9"}
        ],
    }
    (resource / "kustomization.yaml").write_text(yaml.safe_dump(kustomization), encoding="utf-8")
    rendered = kustomized(resource)
    assert "registry.example.com/operator:9.9.9" in str(rendered)
    assert "ghcr.io/sergas/sergas-operator" not in str(rendered)
