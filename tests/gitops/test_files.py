"""manifests/argocd and manifests/flux fit the chart they deploy. tests/argocd tries them on a cluster."""

import subprocess

import pytest
import yaml

from charts.helm import CHART, ROOT, objects, template, tool

ARGOCD = ROOT / "manifests" / "argocd"
FLUX = ROOT / "manifests" / "flux"
FOLDERS = [ARGOCD / "applications", ARGOCD / "bring-your-own-operator", FLUX]
USERS_REPOSITORY = "https://github.com/example/gitops"
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


def project(items, name):
    return items[("AppProject", name)]["spec"]


def kinds(entries):
    return {(entry["group"], entry["kind"]) for entry in entries}


def test_platform_project_allows_only_cluster_kinds_that_the_chart_renders(applications):
    allowed = kinds(project(applications, "sergas-platform")["clusterResourceWhitelist"])
    rendered = {item["kind"] for item in objects(template()) if "namespace" not in item["metadata"]}
    assert {kind for _, kind in allowed} == rendered | {"CustomResourceDefinition", "Namespace"} | STACK_ONLY
    assert not any("*" in entry for entry in allowed)


def test_platform_project_allows_the_namespaces_that_the_chart_renders_into(applications):
    allowed = {entry["namespace"] for entry in project(applications, "sergas-platform")["destinations"]}
    rendered = {item["metadata"].get("namespace") for item in objects(template())} - {None}
    assert rendered <= allowed
    assert "*" not in allowed


def test_each_project_allows_exactly_the_sources_of_its_applications(applications):
    used = {"sergas-platform": set(), "sergas-configuration": set()}
    for (kind, _), item in applications.items():
        if kind == "Application":
            spec = item["spec"]
            used[spec["project"]] |= {source["repoURL"] for source in spec.get("sources") or [spec["source"]]}
    used["sergas-platform"] |= {
        entry["repository"] for entry in yaml.safe_load((CHART / "Chart.yaml").read_text())["dependencies"]
    }
    for name, sources in used.items():
        assert set(project(applications, name)["sourceRepos"]) == sources


@pytest.mark.parametrize("one_cluster", [True, False], ids=["applications", "environments"])
def test_users_repository_may_create_listed_kinds_in_one_namespace_and_nothing_else(applications, one_cluster):
    if one_cluster:
        found = [item for (kind, _), item in applications.items() if kind == "AppProject"]
    else:
        items = read("argocd", "environments", "applicationset.yaml")
        found = [item for item in items if item["kind"] == "AppProject"]
    assert len(found) == 2
    [users] = [item["spec"] for item in found if USERS_REPOSITORY in item["spec"]["sourceRepos"]]
    assert users["sourceRepos"] == [USERS_REPOSITORY]
    assert users["clusterResourceWhitelist"] == []
    assert {entry["namespace"] for entry in users["destinations"]} == {"monitoring"}
    allowed = kinds(users["namespaceResourceWhitelist"])
    assert ("monitoring.sergas.com", "SergasMonitoring") in allowed
    # Whoever may create one of these can run code, read Secrets or gain rights.
    assert {group for group, _ in allowed} <= {
        "monitoring.sergas.com",
        "monitoring.coreos.com",
        "external-secrets.io",
        "bitnami.com",
    }
    assert {kind for group, kind in allowed if group == "monitoring.coreos.com"} == {
        "PrometheusRule",
        "ServiceMonitor",
        "PodMonitor",
        "Probe",
    }


def test_no_application_of_the_configuration_project_creates_a_namespace(applications):
    made = [item["spec"] for (kind, _), item in applications.items() if kind == "Application"]
    made += [
        item["spec"]["template"]["spec"]
        for item in read("argocd", "environments", "applicationset.yaml")
        if item["kind"] == "ApplicationSet"
    ]
    options = {
        (spec["project"].endswith("-configuration"), "CreateNamespace=true" in spec["syncPolicy"]["syncOptions"])
        for spec in made
        if "crds" not in str(spec)
    }
    assert options == {(True, False), (False, True)}


def test_environments_chart_takes_no_manifests_from_the_users_repository():
    sets = [item for item in read("argocd", "environments", "applicationset.yaml") if item["kind"] == "ApplicationSet"]
    for item in sets:
        spec = item["spec"]["template"]["spec"]
        if spec["project"].endswith("-platform"):
            assert USERS_REPOSITORY not in str(spec)


def test_crds_come_first_and_the_sergasmonitoring_last(applications):
    waves = {
        name: int(item["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"])
        for (_, name), item in applications.items()
        if item["kind"] == "Application"
    }
    assert sorted(waves, key=waves.__getitem__) == ["sergas-crds", "sergas-chart", "sergas-monitoring"]
    for name in ("sergas-platform", "sergas-configuration"):
        assert applications[("AppProject", name)]["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"] == "-3"


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
    files = [ARGOCD / "applications" / f"{name}.yaml" for name in ("projects", "crds", "chart", "monitoring")]
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
