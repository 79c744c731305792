"""The chart whole: what kube-prometheus-stack brings and what our operator makes meet under the names both expect."""

import json

import pytest
from sergas_demo import prometheus
from sergas_demo.places import CHART, NAME
from sergas_demo.waiting import expect, until

NAMESPACE = "monitoring"
DASHBOARDS = sorted((CHART / "dashboards").glob("*.json"))
JOBS = (
    "sergas-prometheus",
    "sergas-alertmanager",
    "sergas-monitoring-operator",
    "sergas-operator",
    "sergas-grafana",
    "apiserver",
    "kubelet",
    "kube-state-metrics",
    "node-exporter",
)


@pytest.fixture(scope="module")
def server(stack):
    """The one Prometheus."""
    [found] = prometheus.servers(stack.kube, NAMESPACE, NAME)
    return found


@pytest.mark.parametrize("job", JOBS)
def test_prometheus_scrapes_what_the_stacks_rules_read(server, job):
    def look():
        expect(prometheus.targets_up(server, job) > 0, f"no target of {job} is up")

    until(f"A target of {job}", look, seconds=180)


def test_every_rule_is_loaded_and_none_fails(stack, server):
    def look():
        groups = server.json("/api/v1/rules")["data"]["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        broken = [f"{rule['name']}: {rule.get('lastError', '')}" for rule in rules if rule["health"] == "err"]
        assert not broken
        expect(all(rule["health"] == "ok" for rule in rules), "not every rule has been evaluated")
        return {group["name"] for group in groups}

    names = until("An evaluation of every rule", look, seconds=180)
    assert any(name.startswith("kubernetes") for name in names), "kube-prometheus-stack's rules are missing"
    assert any("sergas" in name for name in names), "our rules are missing"


# Grafana asks a datasource's health on the server only where the datasource has a part there. Prometheus's has one;
# Alertmanager's runs in the browser alone, and its pages ask through Grafana's proxy.
@pytest.mark.parametrize(
    "question", ["uid/prometheus/health", "proxy/uid/alertmanager/api/v2/status"], ids=["prometheus", "alertmanager"]
)
def test_grafanas_datasources_reach_the_services_that_the_operator_made(stack, question):
    def look():
        answer = stack.grafana.get(f"/api/datasources/{question}")
        expect(answer.is_success, f"{question} says {answer.status_code} {answer.text}")
        found = answer.json()
        expect(found.get("status") == "OK" or found.get("versionInfo"), f"{question} says {answer.text}")

    until(f"An answer of {question}", look, seconds=120)


@pytest.mark.parametrize("file", DASHBOARDS, ids=lambda file: file.stem)
def test_grafana_has_loaded_the_dashboard(stack, file):
    wanted = json.loads(file.read_text(encoding="utf-8"))

    def look():
        answer = stack.grafana.get(f"/api/dashboards/uid/{wanted['uid']}")
        expect(answer.is_success, f"Grafana answers {answer.status_code} for {wanted['uid']}")
        return answer.json()

    found = until(f"The dashboard {wanted['uid']}", look, seconds=180)
    assert found["dashboard"]["title"] == wanted["title"]
    assert [panel["title"] for panel in found["dashboard"]["panels"]] == [panel["title"] for panel in wanted["panels"]]
    assert found["meta"]["folderTitle"] == "Sergas"
