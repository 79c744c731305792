"""manifests/argocd and manifests/flux fit the chart they deploy. tests/argocd tries them on a cluster."""

import subprocess

import pytest
import yaml

from charts.helm import CHART, ROOT, objects, template, tool

ARGOCD = ROOT / "manifests" / "argocd"
FLUX = ROOT / "manifests" / "flux"
FOLDERS = [ARGOCD / "applications", ARGOCD / "bring-your-own-operator", FLUX]
STACK_ONLY = {"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"}
"""Cluster kinds of kube-prometheus-stack, which cannot be rendered here."""


def built(folder):
    """Objects of a folder as kustomize builds it, by kind and name."""
    done = subprocess.run([tool("kubectl"), "kustomize", str(folder)], capture_output=True, text=True, check=True)
    return {(item["kind"], item["metadata"]["name"]): item for item in objects(done.stdout)}


def read(*parts):
    return [item for item in yaml.safe_load_all(ROOT.joinpath("manifests", *parts).read_text(encoding="utf-8")) if item]


@pytest.fixture(scope="module")
def applications():
    return built(ARGOCD / "applications")


@pytest.fixture(scope="module")
def stack_version():
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    return next(entry["version"] for entry in chart["dependencies"] if entry["name"] == "kube-prometheus-stack")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_kustomize_builds_the_folder(folder):
    assert built(folder)


def test_the_project_allows_the_cluster_kinds_that_the_chart_renders_and_no_other(applications):
    project = applications[("AppProject", "sergas-monitoring")]["spec"]
    allowed = {entry["kind"] for entry in project["clusterResourceWhitelist"]}
    rendered = {item["kind"] for item in objects(template()) if "namespace" not in item["metadata"]}
    assert allowed == rendered | {"CustomResourceDefinition", "Namespace"} | STACK_ONLY
    assert not any("*" in (entry["group"], entry["kind"]) for entry in project["clusterResourceWhitelist"])


def test_the_project_allows_the_namespaces_that_the_chart_renders_into(applications):
    project = applications[("AppProject", "sergas-monitoring")]["spec"]
    allowed = {entry["namespace"] for entry in project["destinations"]}
    rendered = {item["metadata"].get("namespace") for item in objects(template())} - {None}
    assert rendered <= allowed
    assert "*" not in allowed


def test_the_project_allows_every_source_that_its_applications_name(applications):
    project = applications[("AppProject", "sergas-monitoring")]["spec"]
    used = set()
    for (kind, _), item in applications.items():
        if kind == "Application":
            spec = item["spec"]
            used |= {source["repoURL"] for source in spec.get("sources") or [spec["source"]]}
            assert spec["project"] == "sergas-monitoring"
    helm = {entry["repository"] for entry in yaml.safe_load((CHART / "Chart.yaml").read_text())["dependencies"]}
    assert set(project["sourceRepos"]) == used | helm


def test_crds_come_first_and_the_sergasmonitoring_last(applications):
    waves = {
        name: int(item["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"])
        for (_, name), item in applications.items()
        if item["kind"] == "Application"
    }
    assert sorted(waves, key=waves.__getitem__) == ["sergas-crds", "sergas-chart", "sergas-monitoring"]
    assert applications[("AppProject", "sergas-monitoring")]["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"]


def test_the_crds_are_never_pruned_nor_deleted_with_their_application(applications):
    crds = applications[("Application", "sergas-crds")]
    assert "finalizers" not in crds["metadata"]
    assert crds["spec"]["syncPolicy"]["automated"]["prune"] is False
    assert "Prune=false" in crds["spec"]["syncPolicy"]["syncOptions"]
    assert {item["spec"]["prune"] for item in read("flux", "crds.yaml")} == {False}


def test_no_retry_is_endless(applications):
    retries = [item["spec"]["syncPolicy"]["retry"] for (kind, _), item in applications.items() if kind == "Application"]
    sets = [item for item in read("argocd", "environments", "applicationset.yaml") if item["kind"] == "ApplicationSet"]
    retries += [item["spec"]["template"]["spec"]["syncPolicy"]["retry"] for item in sets]
    assert len(retries) == 6
    assert all(retry["limit"] > 0 and retry["refresh"] for retry in retries)


def test_two_lines_are_the_users_own():
    files = [ARGOCD / "applications" / f"{name}.yaml" for name in ("project", "crds", "chart", "monitoring")]
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    assert sum("# CHANGE" in line for line in lines) == 2
    assert all("# CHANGE" in line for line in lines if "github.com/example/" in line)


def test_a_cluster_with_its_own_prometheus_operator_gets_no_second_one_and_no_crds_of_it():
    items = built(ARGOCD / "bring-your-own-operator")
    values = items[("Application", "sergas-chart")]["spec"]["source"]["helm"]["valuesObject"]
    assert values["kube-prometheus-stack"] == {"enabled": False}
    [source] = items[("Application", "sergas-crds")]["spec"]["sources"]
    assert source["path"] == "charts/sergas-monitoring/crds"


def test_the_operators_crds_are_those_of_the_stack_that_the_chart_depends_on(applications, stack_version):
    wanted = f"kube-prometheus-stack-{stack_version}"
    revisions = {source["targetRevision"] for source in applications[("Application", "sergas-crds")]["spec"]["sources"]}
    assert wanted in revisions
    repositories = {item["metadata"]["name"]: item["spec"] for item in read("flux", "sources.yaml")}
    assert repositories["prometheus-operator-crds"]["ref"] == {"tag": wanted}
    for item in read("argocd", "environments", "applicationset.yaml"):
        if item["metadata"]["name"] == "sergas-crds":
            sources = item["spec"]["template"]["spec"]["sources"]
            assert wanted in {source["targetRevision"] for source in sources}


def test_environments_deploy_what_one_cluster_deploys(applications):
    sets = {
        item["metadata"]["name"]: item["spec"]["template"]
        for item in read("argocd", "environments", "applicationset.yaml")
        if item["kind"] == "ApplicationSet"
    }
    for name, made in sets.items():
        one = applications[("Application", name)]
        assert sorted(made["spec"]["syncPolicy"]["syncOptions"]) == sorted(one["spec"]["syncPolicy"]["syncOptions"])
        assert made["spec"].get("ignoreDifferences") == one["spec"].get("ignoreDifferences")
        assert made["metadata"].get("finalizers") == one["metadata"].get("finalizers")
        assert compare(made) == compare(one)


def compare(item):
    return (item["metadata"].get("annotations") or {}).get("argocd.argoproj.io/compare-options")


def test_flux_gives_the_chart_the_values_that_argo_cd_gives_it(applications):
    [release] = read("flux", "release.yaml")
    argocd = applications[("Application", "sergas-chart")]["spec"]["source"]["helm"]
    assert release["spec"]["values"] == argocd["valuesObject"]
    assert release["spec"]["releaseName"] == argocd["releaseName"]
    assert release["spec"]["install"]["crds"] == release["spec"]["upgrade"]["crds"] == "Skip"
