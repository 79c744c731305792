"""Every shipped alert fires when it should, stays silent when it should, and says what to do."""

import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

from charts.helm import CHART

RUNBOOKS = Path(__file__).parents[2] / "docs" / "runbooks"
CASES = Path(__file__).parent
# Beyond the categories of the requirements: objectives, and the monitoring itself.
ABOUT_OURSELVES = {"slo", "monitoring"}
ALWAYS = "vector(1)"
SEVERITIES = {"critical", "warning", "info"}
NAMES_OF_OTHER_THINGS = {"PrometheusRule", "PersistentVolumeClaims"}


def shipped_alerts():
    files = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted((CHART / "alerts").glob("*.yaml"))]
    return [alert | {"category": file["category"]} for file in files for alert in file["alerts"]]


def levels(groups, name):
    """The rules of an alert: one, or two where it has an earlier level."""
    found = [rule for group in groups for rule in group["rules"] if rule.get("alert") == name]
    assert found
    return found


def test_promtool_finds_nothing_wrong_with_the_rendered_rules(groups, promtool):
    done = promtool(groups, "")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_alert_behaves_as_its_cases_say(shipped, groups, promtool):
    done = promtool(groups, shipped["name"])
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("cases", sorted(CASES.glob("seldom/*.yaml")), ids=lambda file: file.stem)
def test_the_alert_behaves_as_its_cases_that_are_evaluated_seldom_say(cases, groups, promtool):
    done = promtool(groups, cases.stem, cases)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_alert_has_a_firing_and_a_silent_case(shipped):
    cases = yaml.safe_load((CASES / f"{shipped['name']}.yaml").read_text(encoding="utf-8"))["tests"]
    fires = [case for case in cases if any(at["exp_alerts"] for at in case.get("alert_rule_test", []))]
    silent = [
        case
        for case in cases
        if "alert_rule_test" not in case and not any(at["exp_samples"] for at in case["promql_expr_test"])
    ]
    assert fires
    assert silent or shipped["expr"] == ALWAYS


def test_the_alert_carries_what_routing_and_the_person_called_need(shipped, groups):
    for rule in levels(groups, shipped["name"]):
        assert rule["labels"]["severity"] in SEVERITIES
        assert rule["labels"]["category"] == shipped["category"]
        assert set(rule["annotations"]) == {"summary", "description", "runbook_url", "dashboard_url"}


def test_the_alert_leaves_no_slot_unfilled(shipped, groups):
    for rule in levels(groups, shipped["name"]):
        assert "${" not in rule["expr"] + "".join(rule["annotations"].values())


def test_a_threshold_names_its_unit_and_stands_in_the_expression(shipped):
    assert ("threshold" in shipped) == ("unit" in shipped) == ("${threshold}" in shipped["expr"])
    assert ("minimum" in shipped or "objective" in shipped) == ("${minimum}" in shipped["expr"])
    assert ("minimum" in shipped) == ("minimumUnit" in shipped)
    assert ("window" in shipped) == ("${window}" in shipped["expr"])


def test_the_description_gives_the_value_wherever_the_value_says_something(shipped):
    measured = bool(re.search(r"[<>] (\$\{threshold\}|\$\{factor1\}|[1-9])", shipped["expr"]))
    assert measured == ("$value" in shipped["description"])


def test_the_alert_has_a_runbook_with_every_section(shipped):
    runbook = (RUNBOOKS / f"{shipped['name']}.md").read_text(encoding="utf-8")
    assert runbook.startswith(f"# {shipped['name']}\n")
    assert re.findall(r"^## (.+)$", runbook, re.MULTILINE) == ["Meaning", "Impact", "Confirm", "Fix", "Escalate"]


def test_every_runbook_and_every_case_file_belongs_to_an_alert(groups):
    names = {rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule}
    assert {path.stem for path in RUNBOOKS.glob("[A-Z]*.md")} == names
    assert {path.stem for path in CASES.glob("[A-Z]*.yaml")} == names
    assert {path.stem for path in CASES.glob("seldom/*.yaml")} <= names


def test_an_alert_name_stands_for_one_alert_at_each_severity_and_objective(groups):
    names = [
        (rule["alert"], rule["labels"]["severity"], "".join(re.findall(r'slo="(\w+)"', rule["expr"])[:1]))
        for group in groups
        for rule in group["rules"]
        if "alert" in rule
    ]
    assert len(names) == len(set(names))


def test_an_earlier_level_is_milder_and_begins_before(groups):
    severities = ["info", "warning", "critical"]
    for alert in (alert for alert in shipped_alerts() if "early" in alert):
        assert severities.index(alert["early"]["severity"]) < severities.index(alert["severity"])
        assert len(levels(groups, alert["name"])) == 2


def test_the_categories_hold_as_many_alerts_as_the_requirements_say():
    assert Counter(alert["category"] for alert in shipped_alerts() if alert["category"] not in ABOUT_OURSELVES) == {
        "critical-service": 8,
        "database": 3,
        "cache": 2,
        "business": 3,
        "infrastructure": 4,
        "agent": 2,
        "rate-limiting": 2,
    }


def test_every_alert_named_in_a_comment_of_rules_exists():
    known = {alert["name"] for alert in shipped_alerts()} | NAMES_OF_OTHER_THINGS
    files = [*(CHART / "alerts").glob("*.yaml"), *(CHART / "recording").glob("*.yaml"), CHART / "slos.yaml"]
    for file in files:
        comments = re.findall(r"^\s*#(.*)", file.read_text(encoding="utf-8"), re.MULTILINE)
        named = set(re.findall(r"\b(?:[A-Z][a-z]+|API|CPU){2,}\b", " ".join(comments)))
        assert named <= known, file.name
