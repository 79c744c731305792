"""Every shipped alert fires when it should, stays silent when it should, and says what to do."""

import re
from pathlib import Path

import yaml

RUNBOOKS = Path(__file__).parents[2] / "docs" / "runbooks"
CASES = Path(__file__).parent
SEVERITIES = {"critical", "warning", "info"}


def find(groups, name):
    return next(rule for group in groups for rule in group["rules"] if rule["alert"] == name)


def test_promtool_finds_nothing_wrong_with_the_rendered_rules(groups, promtool):
    done = promtool(groups, "")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_alert_behaves_as_its_cases_say(shipped, groups, promtool):
    done = promtool(groups, shipped["name"])
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
    assert silent


def test_the_alert_carries_what_routing_and_the_person_called_need(shipped, groups):
    rule = find(groups, shipped["name"])
    assert rule["labels"]["severity"] in SEVERITIES
    assert rule["labels"]["category"] == shipped["category"]
    assert set(rule["annotations"]) == {"summary", "description", "runbook_url", "dashboard_url"}


def test_the_alert_leaves_no_slot_unfilled(shipped, groups):
    rule = find(groups, shipped["name"])
    assert "${" not in rule["expr"] + "".join(rule["annotations"].values())


def test_a_threshold_names_its_unit_and_stands_in_the_expression(shipped):
    assert ("threshold" in shipped) == ("unit" in shipped) == ("${threshold}" in shipped["expr"])
    assert ("window" in shipped) == ("${window}" in shipped["expr"])


def test_the_description_gives_the_value_wherever_the_value_says_something(shipped):
    measured = "threshold" in shipped
    assert measured == ("$value" in shipped["description"])


def test_the_alert_has_a_runbook_with_every_section(shipped):
    runbook = (RUNBOOKS / f"{shipped['name']}.md").read_text(encoding="utf-8")
    assert runbook.startswith(f"# {shipped['name']}\n")
    assert re.findall(r"^## (.+)$", runbook, re.MULTILINE) == ["Meaning", "Impact", "Confirm", "Fix", "Escalate"]


def test_every_runbook_and_every_case_file_belongs_to_an_alert(groups):
    names = {rule["alert"] for group in groups for rule in group["rules"]}
    assert {path.stem for path in RUNBOOKS.glob("[A-Z]*.md")} == names
    assert {path.stem for path in CASES.glob("[A-Z]*.yaml")} == names


def test_an_alert_name_stands_for_one_alert(groups):
    names = [rule["alert"] for group in groups for rule in group["rules"]]
    assert len(names) == len(set(names))
