"""values.schema.json refuses what the chart would not read; values.yaml says what each key is for."""

import json
import re

import pytest
import yaml

from charts.helm import CHART, RenderError, template

SCHEMA = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
VALUES = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
DEPENDENCIES = {
    entry["name"] for entry in yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))["dependencies"]
}
# Settings of the alerts as a whole, beside one key for each alert.
ALERT_SETTINGS = {"enabled", "runbookBaseURL", "dashboardBaseURL", "probeRoutes", "databaseVolumes", "labels"}

REFUSED = {
    "operatr={}": "additional properties 'operatr' not allowed",
    "operator.replicas=2": "at '/operator': additional properties 'replicas' not allowed",
    "operator.image.tag=7": "at '/operator/image/tag': got number, want string",
    'operator.image.digest="sha256:12"': "at '/operator/image/digest': 'sha256:12' does not match pattern",
    'operator.namespaces=["Monitoring"]': "at '/operator/namespaces/0': 'Monitoring' does not match pattern",
    "operator.resyncSeconds=1": "at '/operator/resyncSeconds': minimum: got 1, want 10",
    'operator.logLevel="TRACE"': "at '/operator/logLevel': value must be one of 'DEBUG', 'INFO', 'WARNING', 'ERROR'",
    "app.serviceMonitors.worker={}": "at '/app/serviceMonitors': additional properties 'worker' not allowed",
    'app.serviceMonitors.api.interval="10"': "at '/app/serviceMonitors/api/interval': '10' does not match pattern",
    "alerts.ServiceDwn.enabled=false": "at '/alerts': additional properties 'ServiceDwn' not allowed",
    'alerts.ServiceDown.fro="2m"': "at '/alerts/ServiceDown': additional properties 'fro' not allowed",
    'alerts.HighErrorRate.threshold="5%"': "at '/alerts/HighErrorRate/threshold': got string, want number",
    'alerts.HighErrorRate.for="five minutes"': "at '/alerts/HighErrorRate/for': 'five minutes' does not match pattern",
    'alerts.HighErrorRate.severity="page"': "value must be one of 'critical', 'warning', 'info'",
    "alerts.SyncFailing.early.window=1": "at '/alerts/SyncFailing/early': additional properties 'window' not allowed",
    "slos.uptime={}": "at '/slos': additional properties 'uptime' not allowed",
    "slos.apiAvailability.objective=1": "at '/slos/apiAvailability/objective': exclusiveMaximum: got 1, want 1",
    "slos.apiLatency.limit=0.3": "at '/slos/apiLatency/limit': value must be one of 0.005, 0.01",
    'alerts.runbookBaseURL="wiki"': "at '/alerts/runbookBaseURL': 'wiki' does not match pattern",
    'kube-prometheus-stack.enabled="no"': "at '/kube-prometheus-stack/enabled': got string, want boolean",
}


@pytest.mark.parametrize("setting", REFUSED, ids=[setting.split("=")[0] for setting in REFUSED])
def test_the_schema_refuses(setting):
    with pytest.raises(RenderError) as caught:
        template(settings=[setting])
    assert REFUSED[setting] in str(caught.value)


def test_the_schema_knows_every_alert_and_no_other():
    shipped = {
        alert["name"]
        for file in (CHART / "alerts").glob("*.yaml")
        for alert in yaml.safe_load(file.read_text(encoding="utf-8"))["alerts"]
    }
    assert set(SCHEMA["properties"]["alerts"]["properties"]) - ALERT_SETTINGS == shipped


def test_the_schema_closes_every_object_of_ours():
    open_ones = []

    def walk(path, schema):
        if "properties" in schema:
            if schema.get("additionalProperties") is not False:
                open_ones.append(path)
            for name, field in schema["properties"].items():
                walk(f"{path}.{name}", field)

    walk("", SCHEMA)
    assert open_ones == [".global"]


def test_the_schema_knows_every_key_of_the_values_and_the_values_every_key_of_the_schema():
    def keys_of(values, schema, path):
        schema = SCHEMA["definitions"][schema["$ref"].split("/")[-1]] if "$ref" in schema else schema
        if "properties" not in schema or path in DEPENDENCIES | {"global"}:
            return
        optional = set(SCHEMA["properties"]["alerts"]["properties"]) - ALERT_SETTINGS if path == "alerts" else set()
        assert set(values) == set(schema["properties"]) - optional, path
        for key, value in values.items():
            if isinstance(value, dict):
                keys_of(value, schema["properties"][key], f"{path}.{key}".strip("."))

    keys_of(VALUES, SCHEMA, "")


def test_every_top_level_key_of_the_values_is_explained():
    text = (CHART / "values.yaml").read_text(encoding="utf-8")
    for key in VALUES:
        if key != "operator":
            assert re.search(rf"^#.*\n{re.escape(key)}:", text, re.MULTILINE), key


def test_every_dependency_can_be_switched_off_and_is_pinned():
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    for entry in chart["dependencies"]:
        assert entry["condition"] == f"{entry['name']}.enabled"
        assert re.fullmatch(r"\d+\.\d+\.\d+", entry["version"])
        assert isinstance(VALUES[entry["name"]]["enabled"], bool)


def test_the_stack_runs_neither_prometheus_nor_alertmanager_and_shares_the_operators_names():
    stack = VALUES["kube-prometheus-stack"]
    assert stack["prometheus"]["enabled"] is False
    assert stack["alertmanager"] == {"enabled": False, "forceDeployDashboards": True}
    assert stack["fullnameOverride"] == VALUES["sergasMonitoring"]["name"]
    assert stack["prometheusOperator"]["kubeletEndpointSliceEnabled"] is True
    assert stack["grafana"]["sidecar"]["datasources"] == {"defaultDatasourceScrapeInterval": "15s"}


def test_targets_are_scraped_as_often_as_the_requirements_say():
    stack = VALUES["kube-prometheus-stack"]
    assert stack["prometheus-node-exporter"]["prometheus"]["monitor"]["interval"] == "15s"
    assert stack["kubelet"]["serviceMonitor"] == {"interval": "", "cAdvisorInterval": "15s"}
    assert VALUES["prometheus-postgres-exporter"]["serviceMonitor"]["interval"] == "30s"
    assert VALUES["prometheus-redis-exporter"]["serviceMonitor"]["interval"] == "30s"
    assert {monitor["interval"] for monitor in VALUES["app"]["serviceMonitors"].values()} == {"10s"}
