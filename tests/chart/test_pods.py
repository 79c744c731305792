"""Pods of the chart and of its operator: resources, identity, privileges, place."""

import pytest

from charts.real_pods import PRIVILEGED, containers, named_pods, unlimited, violations
from sergas_operator.cli import rendered as children
from sergas_operator.model.spec import read

NO_IDS = "operator.assignIDs=false"
IDS = {"runAsUser", "runAsGroup", "fsGroup"}
MAIL = {"to": ["a@example.com"], "from": "b@example.com", "smarthost": "mail:25"}


@pytest.fixture(scope="session")
def made():
    """What the operator makes of a SergasMonitoring with a digest and nothing else set."""
    spec = {"receivers": [{"name": "mail", "email": MAIL}]}
    return children(read({"metadata": {"name": "sergas", "namespace": "monitoring"}, "spec": spec}))


def of_kind(items, kind):
    return [item for item in items if item["kind"] == kind]


def pod_of(items):
    [deployment] = of_kind(items, "Deployment")
    return deployment["spec"]["template"]["spec"]


def test_every_container_of_the_chart_has_requests_and_limits(default):
    found = [(name, container) for name, pod in named_pods(default) for container in containers(pod)]
    assert [name for name, _ in found] == ["Deployment sergas-operator", "Pod sergas-ready"]
    assert [unlimited(container["resources"]) for _, container in found] == [[], []]


def test_every_pod_of_the_chart_passes_restricted(default):
    assert [list(violations(pod)) for _, pod in named_pods(default)] == [[], []]
    assert PRIVILEGED not in str(list(named_pods(default)))


@pytest.mark.parametrize("kind", ["Prometheus", "Alertmanager"])
def test_prometheus_and_alertmanager_have_requests_and_limits_when_none_are_named(kind, made):
    [resource] = of_kind(made, kind)
    assert unlimited(resource["spec"]["resources"]) == []


def test_digest_has_requests_and_limits_and_passes_restricted(made):
    [digest] = of_kind(made, "StatefulSet")
    pod = digest["spec"]["template"]["spec"]
    assert [unlimited(container["resources"]) for container in containers(pod)] == [[]]
    assert list(violations(pod)) == []


def test_pods_get_no_ids_where_the_cluster_assigns_them(rendered):
    items = rendered(NO_IDS)
    pods = [pod for _, pod in named_pods(items)]
    assert [IDS & pod["securityContext"].keys() for pod in pods] == [set(), set()]
    assert [list(violations(pod)) for pod in pods] == [[], []]
    [env] = [entry for entry in pod_of(items)["containers"][0]["env"] if entry["name"] == "SERGAS_ASSIGN_IDS"]
    assert env["value"] == "false"


def test_operators_pod_is_spread_and_has_the_named_security_context(rendered):
    spread = '{"maxSkew":1,"topologyKey":"topology.kubernetes.io/zone","whenUnsatisfiable":"ScheduleAnyway"}'
    pod = pod_of(
        rendered(
            f"operator.topologySpreadConstraints=[{spread}]",
            "operator.podSecurityContext.runAsUser=20000",
            "operator.securityContext.readOnlyRootFilesystem=false",
        )
    )
    assert pod["topologySpreadConstraints"][0]["topologyKey"] == "topology.kubernetes.io/zone"
    assert pod["securityContext"]["runAsUser"] == 20000
    assert pod["containers"][0]["securityContext"]["readOnlyRootFilesystem"] is False


def test_grafana_reads_config_maps_alone(rendered, default):
    [role] = [item for item in of_kind(default, "Role") if item["metadata"]["name"] == "sergas-grafana-configmaps"]
    assert role["rules"] == [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list", "watch"]}]
    other = rendered('kube-prometheus-stack.grafana.rbac.useExistingRole="own"')
    assert "sergas-grafana-configmaps" not in {item["metadata"]["name"] for item in other}


def test_own_objects_are_installed_with_the_release(rendered):
    plain = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"plain"},"data":{"text":"{{ kept }}"}}'
    text = '"apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: {{ .Release.Name }}-text}"'
    found = {item["metadata"]["name"]: item for item in rendered(f"extraManifests=[{plain},{text}]")}
    assert found["plain"]["data"] == {"text": "{{ kept }}"}
    assert found["sergas-text"]["kind"] == "ConfigMap"


@pytest.mark.parametrize(
    ("settings", "address"),
    [
        ({}, "http://sergas-grafana.monitoring"),
        ({"fullnameOverride": '"charts"'}, "http://charts.monitoring"),
        ({"nameOverride": '"boards"'}, "http://sergas-boards.monitoring"),
        ({"nameOverride": '"erg"'}, "http://sergas.monitoring"),
        ({"fullnameOverride": f'"{"g" * 70}"'}, f"http://{'g' * 63}.monitoring"),
        ({"service.port": "3000"}, "http://sergas-grafana.monitoring:3000"),
    ],
    ids=["default", "fullname", "name", "name_in_release", "too_long", "port"],
)
def test_dashboard_links_name_the_service_of_grafanas_chart(settings, address, rendered):
    items = rendered(*(f"kube-prometheus-stack.grafana.{key}={value}" for key, value in settings.items()))
    links = {
        rule["annotations"]["dashboard_url"].partition("/d/")[0]
        for item in of_kind(items, "PrometheusRule")
        for group in item["spec"]["groups"]
        for rule in group["rules"]
        if "dashboard_url" in rule.get("annotations", {})
    }
    assert links == {address}
