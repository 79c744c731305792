"""values.schema.json refuses what the chart would not read; values.yaml says what each key is for."""

import json
import re

import pytest
import yaml

from charts import values_schema
from charts.helm import CHART, RenderError, template
from charts.schemas import strict
from charts.values import FILE, Value, dependencies, ours, read
from charts.values_schema import UnknownValueError, field_of, resolved

SCHEMA = json.loads(values_schema.FILE.read_text(encoding="utf-8"))
VALUES = yaml.safe_load(FILE.read_text(encoding="utf-8"))
OURS = ours(read())
IDS = [value.name for value in OURS]
# Not closed: the dependencies read keys of their own there.
OPEN = {"global"}

# Helm tells all problems at once, so one run takes them all: no setting here is below another one.
REFUSED = {
    "operatr={}": "at '': additional properties 'operatr' not allowed",
    "operator.replicas=2": "at '/operator': additional properties 'replicas' not allowed",
    "operator.image.tag=7": "at '/operator/image/tag': got number, want string",
    'operator.image.digest="sha256:12"': "at '/operator/image/digest': 'sha256:12' does not match pattern",
    'operator.image.registry="https://r.example.com"': (
        "at '/operator/image/registry': 'https://r.example.com' does not match"
    ),
    'operator.image.repository="sergas/operator:v1"': (
        "at '/operator/image/repository': 'sergas/operator:v1' does not match pattern"
    ),
    'prometheus.image.tag="latest"': "at '/prometheus/image/tag': 'latest' does not match pattern",
    'global.imageRegistry="r.example.com/"': "at '/global/imageRegistry': 'r.example.com/' does not match pattern",
    'operator.imagePullSecrets=["registry"]': "at '/operator/imagePullSecrets/0': got string, want object",
    'operator.namespaces=["Monitoring"]': "at '/operator/namespaces/0': 'Monitoring' does not match pattern",
    'app.namespaces=["crm","crm"]': "at '/app/namespaces': items at 0 and 1 are equal",
    "operator.resyncSeconds=1": "at '/operator/resyncSeconds': minimum: got 1, want 10",
    "operator.workers=0": "at '/operator/workers': minimum: got 0, want 1",
    'operator.logLevel="TRACE"': "at '/operator/logLevel': value must be one of 'DEBUG', 'INFO', 'WARNING', 'ERROR'",
    'operator.resources.limits.memory="256 MB"': (
        "at '/operator/resources/limits/memory': '256 MB' does not match pattern"
    ),
    "operator.resources.limit={}": "at '/operator/resources': additional properties 'limit' not allowed",
    'operator.podLabels={"team":"a b"}': "at '/operator/podLabels/team': 'a b' does not match pattern",
    'operator.podAnnotations={"a key":"x"}': "at '/operator/podAnnotations': additional properties 'a key' not allowed",
    'operator.extraEnv=[{"value":"x"}]': "at '/operator/extraEnv/0': missing property 'name'",
    'operator.affinity={"nodeAfinity":{}}': "at '/operator/affinity': additional properties 'nodeAfinity' not allowed",
    'operator.tolerations=[{"effect":"Never"}]': (
        "at '/operator/tolerations/0/effect': value must be one of 'NoSchedule', 'PreferNoSchedule', 'NoExecute'"
    ),
    'sergasMonitoring.name="a.b"': "at '/sergasMonitoring/name': 'a.b' does not match pattern",
    "sergasMonitoring.spec.prometheus.replicaz=2": (
        "at '/sergasMonitoring/spec/prometheus': additional properties 'replicaz' not allowed"
    ),
    'sergasMonitoring.spec.mode="Aply"': "at '/sergasMonitoring/spec/mode': value must be one of 'Apply', 'Plan'",
    "app.serviceMonitors.worker={}": "at '/app/serviceMonitors': additional properties 'worker' not allowed",
    'app.serviceMonitors.api.interval="10"': "at '/app/serviceMonitors/api/interval': '10' does not match pattern",
    'app.serviceMonitors.api.path="metrics"': "at '/app/serviceMonitors/api/path': 'metrics' does not match pattern",
    "alerts.ServiceDwn.enabled=false": "at '/alerts': additional properties 'ServiceDwn' not allowed",
    'alerts.ServiceDown.fro="2m"': "at '/alerts/ServiceDown': additional properties 'fro' not allowed",
    'alerts.HighErrorRate.threshold="5%"': "at '/alerts/HighErrorRate/threshold': got string, want number",
    'alerts.HighErrorRate.for="five minutes"': "at '/alerts/HighErrorRate/for': 'five minutes' does not match pattern",
    'alerts.HighErrorRate.severity="page"': "value must be one of 'critical', 'warning', 'info'",
    'alerts.HighErrorRate.labels={"a-b":"x"}': (
        "at '/alerts/HighErrorRate/labels': additional properties 'a-b' not allowed"
    ),
    "alerts.SyncFailing.early.window=1": "at '/alerts/SyncFailing/early': additional properties 'window' not allowed",
    'probes.checks=[{"name":"crm","targets":[],"modul":"x"}]': "at '/probes/checks/0/targets': minItems: got 0, want 1",
    'probes.prober="http://blackbox:9115"': "at '/probes/prober': 'http://blackbox:9115' does not match pattern",
    "slos.uptime={}": "at '/slos': additional properties 'uptime' not allowed",
    "slos.apiAvailability.objective=1": "at '/slos/apiAvailability/objective': exclusiveMaximum: got 1, want 1",
    "slos.apiLatency.limit=0.3": "at '/slos/apiLatency/limit': value must be one of 0.005, 0.01",
    'alerts.runbookBaseURL="wiki"': "at '/alerts/runbookBaseURL': 'wiki' does not match pattern",
    'kube-prometheus-stack.enabled="no"': "at '/kube-prometheus-stack/enabled': got string, want boolean",
}


def refusal(*settings, program="helm"):
    with pytest.raises(RenderError) as caught:
        template(settings=settings, program=program)
    return str(caught.value)


def setting(path, value):
    return f"{'.'.join(path)}={json.dumps(value)}"


def wrong(value):
    """A value of a type that the key's default is not of."""
    return 7 if isinstance(value.default, str | dict | list) else "many"


@pytest.fixture(scope="module", params=["helm", "helm4"])
def refused(request):
    return refusal(*REFUSED, program=request.param)


@pytest.fixture(scope="module")
def wrong_types():
    """What Helm says when every value at once has a wrong type."""
    return refusal(*[setting(value.path, wrong(value)) for value in OURS if not value.parts])


@pytest.fixture(scope="module")
def unknown_keys():
    """What Helm says when there is an unknown key beside every known one."""
    return refusal(*[setting((*value.path, "misspelt"), 1) for value in OURS if value.parts])


@pytest.mark.parametrize("deviation", REFUSED, ids=[text.partition("=")[0] for text in REFUSED])
def test_the_schema_refuses(deviation, refused):
    assert REFUSED[deviation] in refused


@pytest.mark.parametrize("value", [value for value in OURS if not value.parts], ids=lambda value: value.name)
def test_no_value_may_have_another_type(value, wrong_types):
    assert f"at '/{'/'.join(value.path)}': " in wrong_types, (
        f"values.schema.json takes {wrong(value)!r} for {value.name}: give it a type there"
    )


@pytest.mark.parametrize("value", [value for value in OURS if value.parts], ids=lambda value: value.name)
def test_no_unknown_key_may_stand_beside_the_known_ones(value, unknown_keys):
    told = f"at '/{'/'.join(value.path)}': additional properties 'misspelt' not allowed" in unknown_keys
    assert told == (value.name not in OPEN), (
        f'values.schema.json lets any key stand below {value.name}: write "additionalProperties": false there'
    )


@pytest.mark.parametrize("value", OURS, ids=IDS)
def test_the_values_file_says_what_the_key_is_for(value):
    assert value.description.endswith((".", ":")), (
        f"values.yaml: write a comment `# -- ...` right above {value.name}, a sentence that says what it is for;"
        " the chart's README.md and values.schema.json take it from there (`make generate`)"
    )


@pytest.mark.parametrize("value", OURS, ids=IDS)
def test_the_schema_gives_the_key_a_type(value):
    found = resolved(SCHEMA, field_of(SCHEMA, value))
    assert {"type", "enum", "anyOf", "allOf"} & found.keys(), f"values.schema.json: {value.name} needs a type"
    assert found.get("type") != "object" or value.parts or len(found) > 1, (
        f"values.schema.json: {value.name} may hold anything; say with additionalProperties what its values are"
    )


def test_the_schema_knows_no_key_that_the_values_lack():
    known = {value.path for value in OURS}

    def walk(path, schema):
        for key, field in resolved(SCHEMA, schema).get("properties", {}).items():
            here = (*path, key)
            alert = path == ("alerts",) and key[0].isupper()
            if (path and path[0] in dependencies()) or alert or here == ("sergasMonitoring", "spec"):
                continue
            if here[:-1] in known and not next(value for value in OURS if value.path == here[:-1]).parts:
                continue
            assert here in known or key in dependencies(), (
                f"values.yaml has no {'.'.join(here)}: add it with its default and a comment, or take it out of"
                " values.schema.json"
            )
            walk(here, field)

    walk((), SCHEMA)


def test_a_key_that_the_schema_lacks_is_told_with_where_to_add_it():
    with pytest.raises(UnknownValueError) as caught:
        field_of(SCHEMA, Value(("operator", "image", "flavour"), "", (), parts=False))
    assert str(caught.value) == (
        "values.schema.json knows no operator.image.flavour: add 'flavour' with its type and bounds under"
        " properties.operator.properties.image.properties, then run `make generate`"
    )


def test_the_schema_takes_the_spec_from_the_crd_and_leaves_its_defaults_to_the_api_server():
    assert SCHEMA["definitions"]["sergasMonitoringSpec"] == values_schema.monitoring_spec()
    written = json.dumps(SCHEMA["definitions"]["sergasMonitoringSpec"])
    assert "x-kubernetes" not in written
    assert '"default"' not in written


def test_only_keywords_of_json_schema_are_kept_of_a_crd():
    crd = {
        "type": "object",
        "default": {},
        "x-kubernetes-validations": [{"rule": "true"}],
        "properties": {"default": {"type": "string", "default": "a"}, "size": {"x-kubernetes-int-or-string": True}},
    }
    assert values_schema.plain(strict(crd)) == {
        "type": "object",
        "additionalProperties": False,
        "properties": {"default": {"type": "string"}, "size": {"type": ["string", "integer"]}},
    }


def test_the_schema_is_what_make_generate_writes():
    assert values_schema.FILE.read_text(encoding="utf-8") == values_schema.text(), "Run `make generate`."


def test_every_dependency_can_be_switched_off_and_is_pinned():
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    for entry in chart["dependencies"]:
        assert entry["condition"] == f"{entry['name']}.enabled"
        assert re.fullmatch(r"\d+\.\d+\.\d+", entry["version"])
        assert isinstance(VALUES[entry["name"]]["enabled"], bool)


@pytest.mark.parametrize("name", sorted(dependencies()))
def test_the_values_below_a_dependency_are_its_own_to_check(name):
    assert template(settings=[f"{name}.a-key-only-its-own-chart-knows=1"])


def test_the_stack_runs_neither_prometheus_nor_alertmanager_and_shares_the_operators_names():
    stack = VALUES["kube-prometheus-stack"]
    assert stack["prometheus"]["enabled"] is False
    assert stack["alertmanager"] == {"enabled": False, "forceDeployDashboards": True}
    assert stack["fullnameOverride"] == VALUES["sergasMonitoring"]["name"]
    assert stack["prometheusOperator"]["kubeletEndpointSliceEnabled"] is True
    assert stack["grafana"]["sidecar"]["datasources"] == {
        "defaultDatasourceScrapeInterval": "15s",
        "resource": "configmap",
    }


def test_targets_are_scraped_as_often_as_the_requirements_say():
    stack = VALUES["kube-prometheus-stack"]
    assert stack["prometheus-node-exporter"]["prometheus"]["monitor"]["interval"] == "15s"
    assert VALUES["kubernetesMonitors"]["kubelet"]["cAdvisorInterval"] == "15s"
    assert VALUES["prometheus-postgres-exporter"]["serviceMonitor"]["interval"] == "30s"
    assert VALUES["prometheus-redis-exporter"]["serviceMonitor"]["interval"] == "30s"
    assert {monitor["interval"] for monitor in VALUES["app"]["serviceMonitors"].values()} == {"10s"}
