"""Alerts of kube-prometheus-stack: of two on one thing only ours is left, and the page on them says so."""

import re
from pathlib import Path

import pytest
import yaml

from charts.helm import CHART, objects, template

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "stack-alerts.md"


@pytest.fixture(scope="module")
def rows():
    """Alert of the stack: (our alerts, what happens), as the page says."""
    cells = re.findall(
        r"^\| (\w+) \| ([\w, ]*)\| (switched off|muted) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )
    return {stack: (re.findall(r"\w+", own), what) for stack, own, what in cells}


def test_the_chart_switches_off_what_the_page_says(rows):
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    disabled = values["kube-prometheus-stack"]["defaultRules"]["disabled"]
    assert disabled == {stack: True for stack, (_, what) in rows.items() if what == "switched off"}


def test_every_alert_that_replaces_one_of_the_stack_is_shipped(rows, groups):
    shipped = {rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule}
    assert {name for own, _ in rows.values() for name in own} <= shipped


def test_pairs_of_the_review_are_settled(rows):
    pairs = {"PrometheusRuleFailures", "PrometheusBadConfig", "TargetDown", "KubePodCrashLooping"}
    assert pairs | {"Watchdog", "InfoInhibitor"} <= rows.keys()


@pytest.mark.parametrize("name", ["prometheus", "alertmanager"])
def test_a_monitor_scrapes_the_config_reloader_too(name):
    found = [item for item in objects(template()) if item["kind"] == "ServiceMonitor"]
    [monitor] = [item for item in found if item["metadata"]["name"] == f"sergas-{name}"]
    assert [endpoint["port"] for endpoint in monitor["spec"]["endpoints"]] == ["http-web", "reloader-web"]
