"""What pages, dashboards and messages name exists: fields, values, commands and alerts."""

import re

import pytest
import yaml

from charts.helm import CHART, ROOT
from docs import references

# Fields of other objects: Prometheus, Alertmanager, Service and PersistentVolumeClaim.
OF_OTHERS = {"spec.configSecret", "spec.ports", "spec.resources", "spec.retention"}
# Named before they exist. The entry must go when they do.
PROMISED_FIELDS = {"spec.testNotification"}
PROMISED_VALUES = {"prometheus.remoteWrite"}
# kube-prometheus-stack's own keys, and a field, without what is before them.
SHORTENED = {"prometheus.enabled", "alertmanager.enabled", "alertmanager.storage.whenDeleted"}
# Kinds, conditions, reasons and other words that are written like an alert.
NO_ALERTS = {
    "AlertmanagerConfig",
    "AllNamespaces",
    "ConfigLoaded",
    "DigestAvailable",
    "IfNotPresent",
    "NoExecute",
    "NoReceivers",
    "NoSchedule",
    "OwnNamespace",
    "PreferNoSchedule",
    "PrometheusOperator",
    "ReceiversReady",
    "RuntimeDefault",
    "SergasMonitoring",
    "StorageReady",
    "WithStack",
}
PACKAGES = (
    ROOT,
    ROOT / "operator",
    ROOT / "examples" / "demo",
    ROOT / "examples" / "demo" / "sink",
    ROOT / "examples" / "sergas-app",
)


def missing(found, exists):
    return sorted(f"{one.place}: {one.name}" for one in found if not exists(one.name))


def test_every_field_exists():
    known = OF_OTHERS | PROMISED_FIELDS
    named = [*references.named(references.FIELD), *references.named(references.PATCH)]
    assert len(named) > 200
    assert missing(named, lambda path: path in known or references.exists(path, references.fields())) == []


def test_every_value_exists():
    schema = references.value_schema()
    known = PROMISED_VALUES | SHORTENED
    named = list(references.values())
    assert len(named) > 100
    assert missing(named, lambda path: path in known or references.exists(path, schema)) == []


@pytest.mark.parametrize("path", sorted(PROMISED_FIELDS))
def test_promised_field_does_not_exist_yet(path):
    assert not references.exists(path, references.fields())


@pytest.mark.parametrize("path", sorted(PROMISED_VALUES))
def test_promised_value_does_not_exist_yet(path):
    assert not references.exists(f"sergasMonitoring.spec.{path}", references.value_schema())


def test_every_make_target_exists():
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = list(references.named(references.MAKE))
    assert len(named) > 50
    assert missing(named, targets.__contains__) == []


def test_every_module_that_is_run_exists():
    def runs(name):
        places = [folder.joinpath(*name.split(".")) for folder in PACKAGES]
        return any(place.with_suffix(".py").exists() or (place / "__main__.py").exists() for place in places)

    assert missing(references.named(references.MODULE), runs) == []


def test_every_alert_exists():
    files = sorted((CHART / "alerts").glob("*.yaml"))
    ours = {alert["name"] for file in files for alert in yaml.safe_load(file.read_text(encoding="utf-8"))["alerts"]}
    stack = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))["kube-prometheus-stack"]
    known = ours | stack["defaultRules"]["disabled"].keys() | NO_ALERTS
    named = list(references.named(references.ALERT))
    assert ours <= {one.name for one in named}
    assert missing(named, known.__contains__) == []


@pytest.mark.parametrize(
    ("line", "pattern", "name"),
    [
        ("set `sergasMonitoring.spec.prometheus.retntion`", references.FIELD, "spec.prometheus.retntion"),
        ("see spec.receivers[0].slak", references.FIELD, "spec.receivers[0].slak"),
        ('--patch \'{"spec":{"testNotification":{}}}\'', references.PATCH, "spec.testNotification"),
        ("run `make tset` now", references.MAKE, "tset"),
        ("python -m charts.mutant", references.MODULE, "charts.mutant"),
        ("like `HighErorRate`", references.ALERT, "HighErorRate"),
        ('up{alertname="ServicDown"}', references.ALERT, "ServicDown"),
    ],
)
def test_finds_what_a_line_names(line, pattern, name, monkeypatch):
    monkeypatch.setattr(references, "lines", lambda: [(line, "page.md:1")])
    assert [one.name for one in references.named(pattern)] == [name]


def test_finds_value_that_does_not_exist(monkeypatch):
    monkeypatch.setattr(references, "lines", lambda: [("set `operator.replicaz` in values.yaml", "page.md:1")])
    [found] = references.values()
    assert not references.exists(found.name, references.value_schema())


def test_a_path_is_followed_to_its_end():
    schema = references.fields()
    assert references.exists("spec.receivers[].slack.urlSecretRef.name", schema)
    assert references.exists("spec.prometheus.scheduling.nodeSelector.disk", schema)
    assert not references.exists("spec.prometheus.replicas.least", schema)
    assert not references.exists("spec.testNotification.requestID", schema)
