"""What the chart renders is valid, complete, and no more than it must be."""

import subprocess
import tarfile
from copy import deepcopy
from pathlib import Path

import pytest

from charts.generate import example_output
from charts.helm import CHART, KUBE_VERSION, objects, stubbed, template, tool
from charts.schemas import LOCATION
from charts.schemas import main as write_schemas

EXAMPLES = sorted((CHART / "examples").iterdir())
HELMS = ["helm", "helm4"]
CLUSTER_KINDS = {"ClusterRole", "ClusterRoleBinding"}


@pytest.fixture(scope="session")
def kubeconform():
    write_schemas()

    def run(text):
        command = [tool("kubeconform"), "-strict", "-schema-location", LOCATION]
        return subprocess.run(command, input=text, capture_output=True, text=True, check=False)

    return run


def dig(item, path):
    """What lies at `path` in a PrometheusRule; nothing in any other object."""
    if item["kind"] != "PrometheusRule":
        return []
    for step in path:
        item = item[step]
    return item


def roles(items):
    return [item for item in items if item["kind"] == "Role"]


@pytest.mark.parametrize("helm", HELMS)
def test_helm_finds_nothing_to_complain_about(helm):
    command = [tool(helm), "lint", "--strict", "--kube-version", KUBE_VERSION, str(stubbed())]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_charts_own_unit_tests_pass():
    done = subprocess.run([tool("helm-unittest"), str(stubbed())], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.name for example in EXAMPLES])
def test_every_object_of_an_example_fits_its_schema(example, kubeconform):
    done = kubeconform(template([example / "values.yaml"]))
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.name for example in EXAMPLES])
def test_both_helms_render_the_same_objects_in_the_same_order(example):
    values = [example / "values.yaml"]
    assert objects(template(values)) == objects(template(values, program="helm4"))


@pytest.mark.parametrize(
    "change", [("replicas: 1", "replicaz: 1"), ("endpoints:", "endpointz:"), ("spec:\n  {}", "spec:\n  x: 1")]
)
def test_the_schemas_are_strict_enough_to_see_a_misspelt_field(change, kubeconform):
    rendered = template()
    assert change[0] in rendered
    assert kubeconform(rendered.replace(*change)).returncode


@pytest.mark.parametrize("helm", HELMS)
def test_a_kubernetes_too_old_for_the_rules_of_the_crd_is_refused(helm):
    command = [tool(helm), "template", "sergas", str(stubbed()), "--kube-version", "1.28.0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "chart requires kubeVersion: >=1.29.0-0 which is incompatible with Kubernetes v1.28.0" in done.stderr


def test_no_object_is_rendered_twice(default, identities):
    assert [identity for identity, count in identities(default).items() if count > 1] == []


def test_every_object_says_where_it_belongs(default):
    for item in default:
        labels = item["metadata"]["labels"]
        assert labels["app.kubernetes.io/part-of"] == "sergas-monitoring"
        assert labels["app.kubernetes.io/instance"] == labels["release"] == "sergas"
        assert ("namespace" in item["metadata"]) == (item["kind"] not in CLUSTER_KINDS)


def test_common_labels_reach_every_object_and_no_selector(rendered):
    items = rendered('commonLabels={"team":"crm"}')
    assert all(item["metadata"]["labels"]["team"] == "crm" for item in items)
    deployment = next(item for item in items if item["kind"] == "Deployment")
    assert "team" not in deployment["spec"]["selector"]["matchLabels"]


def test_operator_may_delete_optional_children_only_and_has_no_wildcard(default):
    rules = [rule for role in roles(default) for rule in role["rules"]]
    verbs = {verb for rule in rules for verb in rule["verbs"]}
    assert verbs == {"get", "list", "watch", "create", "patch", "update", "delete"}
    by_verb = {verb: {name for rule in rules if verb in rule["verbs"] for name in rule["resources"]} for verb in verbs}
    assert (by_verb["delete"], by_verb["update"]) == ({"services", "statefulsets"}, {"leases"})


def test_only_the_operators_namespaces_have_readable_secrets(rendered):
    items = rendered('operator.namespaces=["monitoring","crm"]')
    readers = [
        (item["kind"], item["metadata"].get("namespace"))
        for item in items
        for rule in item.get("rules") or []
        if {"secrets", "*"} & set(rule.get("resources", []))
    ]
    assert readers == [("Role", "monitoring"), ("Role", "crm")]


def test_the_only_cluster_wide_right_is_to_read_targets(default):
    (role,) = [item for item in default if item["kind"] == "ClusterRole"]
    assert {verb for rule in role["rules"] for verb in rule["verbs"]} == {"get", "list", "watch"}
    assert not any({"secrets", "configmaps", "*"} & set(rule.get("resources", [])) for rule in role["rules"])


def test_switching_the_stack_off_changes_only_what_serves_kubernetes_and_its_grafana(default, bring_your_own):
    links = ["spec", "groups", 0, "rules"]
    of_the_stack = {"sergas-prometheus-token", "sergas-kubelet", "sergas-apiserver", "sergas-grafana-configmaps"}

    def without_links(items):
        copies = [deepcopy(item) for item in items if item["metadata"]["name"] not in of_the_stack]
        for rule in (rule for item in copies for rule in dig(item, links)):
            rule.get("annotations", {}).pop("dashboard_url", None)
        return copies

    assert default != bring_your_own
    assert without_links(default) == without_links(bring_your_own)


def test_the_names_are_those_the_stacks_rules_and_datasources_look_for(default):
    """The stack asks for http://<fullname>-prometheus.<ns>:9090 and job="<fullname>-prometheus"."""
    monitoring = next(item for item in default if item["kind"] == "SergasMonitoring")
    assert (monitoring["metadata"]["name"], monitoring["metadata"]["namespace"]) == ("sergas", "monitoring")


def test_examples_are_what_their_values_render_now():
    for example in EXAMPLES:
        assert (example / "output.yaml").read_text(encoding="utf-8") == example_output(example), (
            f"{example.name}/output.yaml is not what its values.yaml renders. Run `make generate`."
        )


def test_every_example_is_explained():
    for example in EXAMPLES:
        assert (example / "README.md").read_text(encoding="utf-8").startswith("# ")
        assert (example / "values.yaml").exists()


@pytest.mark.parametrize("helm", HELMS)
def test_the_archive_holds_neither_tests_nor_examples(helm, tmp_path):
    command = [tool(helm), "package", str(stubbed()), "--destination", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with tarfile.open(next(tmp_path.glob("*.tgz"))) as archive:
        folders = {Path(name).parts[1] for name in archive.getnames()}
    assert folders.isdisjoint({"tests", "examples"})
    assert {"crds", "alerts", "dashboards", "files", "templates"} <= folders
