"""Every alert has a panel on its dashboard that shows its signal with its threshold.

The cases of an alert in tests/rules give situations in which it fires. There the real promtool evaluates all rules of
the chart and the queries of the panel, of which one must lie beyond the threshold.
"""

import re
from functools import cache
from pathlib import Path

import pytest
import yaml

from charts.alert_table import categories, levels
from charts.durations import in_seconds
from charts.panels import filled_in
from charts.promtool import run_cases

RULES = Path(__file__).parents[1] / "rules"
ALERTS = {alert["name"]: alert for file in categories() for alert in file["alerts"]}
# Panels of alerts without a threshold, and the comparison that holds while they fire.
STATES = {
    "ServiceDown": ("Services", "< 1"),
    "ServiceAbsent": ("Services", "< 0"),
    "ConfigReloadFailed": ("Configuration", "< 1"),
    "ProbeFailing": ("External checks", "< 1"),
    "Watchdog": ("Watchdog", "> 0"),
    "AlertInputMissing": ("Alert inputs", "== 0"),
    "AlertInputNeverSeen": ("Alert inputs", "== 0"),
}
# Panels that show the good share where the alert's threshold is one of the bad share, or the other way round.
COMPLEMENTS = {"AgentFailureRateHigh", "TargetsMissing"}
# Cases that give records as series, because their windows are longer than a case can be. The rules would replace them.
GIVEN = re.compile(r"^(namespace_slo|metric):")


def linked(panel):
    return {link["title"].removeprefix("Runbook: ") for link in panel.get("links") or []}


def steps(panel):
    return {step.get("value") for step in panel["fieldConfig"]["defaults"].get("thresholds", {}).get("steps", [])}


def thresholds(name):
    """The values that a panel must show as a step: one for each level of the alert."""
    found = set()
    for level in levels(ALERTS[name]):
        found |= {level[key] for key in ("threshold", "factor1", "factor2") if key in level}
    return {1 - value for value in found} if name in COMPLEMENTS else found


def shows(panel, value):
    # An increase is extrapolated, so that a panel begins to colour a little above 0.
    return any(step is not None and (step == value or (value == 0 and 0 < step <= 0.5)) for step in steps(panel))


def on_dashboard(name, dashboards, panels):
    board = next(board for board in dashboards.values() if board["uid"] == ALERTS[name]["dashboard"])
    return [panel for panel in panels(board) if name in linked(panel)]


@pytest.mark.parametrize("name", [name for name in ALERTS if name not in STATES])
def test_a_panel_of_the_dashboard_has_each_threshold_of_the_alert(name, dashboards, panels):
    wanted = thresholds(name)
    assert wanted, f"{name} has no threshold: name its panel in STATES"
    for value in wanted:
        assert any(shows(panel, value) for panel in on_dashboard(name, dashboards, panels)), value


@cache
def firing(name):
    """(case, time) of each moment at which the alert fires in its cases."""
    # As strings: values such as 0x10, ten times 0, are no hexadecimal numbers.
    document = yaml.load((RULES / f"{name}.yaml").read_text("utf-8"), yaml.BaseLoader)  # noqa: S506 -- makes strings
    return [
        (case, at["eval_time"])
        for case in document["tests"]
        for at in case.get("alert_rule_test", ())
        if at["exp_alerts"]
    ]


def beyond(name, panel):
    """Expressions that have a value while a query of the panel is beyond the threshold of the alert."""
    queries = [filled_in(target["expr"], step=panel.get("interval") or "1m") for target in panel["targets"]]
    if name in STATES:
        return [f"({query}) {STATES[name][1]}" for query in queries]
    below = bool(re.search(r"< \$\{threshold\}", ALERTS[name]["expr"])) != (name in COMPLEMENTS)
    values = [value for value in thresholds(name) if shows(panel, value)]
    return [f"({query}) {'<' if below else '>'} {value}" for query in queries for value in values]


def situation(case, at, exprs):
    """A case in which one of these expressions has a value at a time."""
    one = " or ".join(f"count by () ({expr}) ^ 0" for expr in exprs)
    wanted = {"expr": one, "eval_time": f"{in_seconds(at)}s", "exp_samples": [{"labels": "{}", "value": 1}]}
    kept = {key: case[key] for key in ("name", "interval", "input_series", "external_labels") if key in case}
    return kept | {"promql_expr_test": [wanted]}


def given(case):
    return {series["series"].partition("{")[0] for series in case["input_series"] if GIVEN.match(series["series"])}


@pytest.mark.parametrize("name", ALERTS)
def test_where_the_alert_fires_a_panel_of_its_dashboard_is_beyond_its_threshold(
    name, dashboards, panels, groups, tmp_path
):
    shown = on_dashboard(name, dashboards, panels)
    if name in STATES:
        shown = [panel for panel in shown if panel["title"] == STATES[name][0]]
    exprs = [expr for panel in shown for expr in beyond(name, panel)]
    assert exprs
    assert firing(name)
    for case, at in firing(name):
        own = [
            group | {"rules": [rule for rule in group["rules"] if rule.get("record") not in given(case)]}
            for group in groups
        ]
        done = run_cases(tmp_path, own, [situation(case, at, exprs)])
        if done.returncode:
            # Some records are evaluated once a minute, so a panel may be a minute later than its alert.
            done = run_cases(tmp_path, own, [situation(case, f"{in_seconds(at) + 60}s", exprs)])
        assert done.returncode == 0, done.stdout + done.stderr
