"""What `make mutants` changes in the alerts, to see that their cases notice."""

import pytest

from charts.mutants import EQUIVALENT, alerting_rules, killed, mutants, require_passing


def test_every_alert_has_its_comparison_and_duration_changed(groups):
    for _, _, rule in alerting_rules(groups):
        changes = [what for what, _ in mutants(rule)]
        assert any(what.startswith("for: ") for what in changes), rule["alert"]
        assert rule["expr"] == "vector(1)" or any(not what.startswith("for: ") for what in changes), rule["alert"]


def test_a_mutant_differs_from_its_rule_in_one_field(groups):
    for _, _, rule in alerting_rules(groups):
        for what, mutant in mutants(rule):
            assert sum(mutant[field] != rule[field] for field in ("expr", "for")) == 1, what


def test_every_mutant_that_is_let_off_exists(groups):
    found = {
        (rule["alert"], what.rpartition(": ")[2]) for _, _, rule in alerting_rules(groups) for what, _ in mutants(rule)
    }
    assert EQUIVALENT.keys() <= found


def of(groups, alert):
    own = [part | {"rules": [rule for rule in part["rules"] if rule.get("alert") == alert]} for part in groups]
    return [part for part in own if part["rules"]]


def changed(groups, **fields):
    return [part | {"rules": [rule | fields for rule in part["rules"]]} for part in groups]


def test_a_failed_assertion_kills_and_an_error_of_promtool_does_not(groups):
    rules = of(groups, "ProbeFailing")
    assert not killed(rules, "ProbeFailing")
    assert killed(changed(rules, **{"for": "30m"}), "ProbeFailing")
    assert not killed(changed(rules, expr="sum("), "ProbeFailing")


def test_cases_that_fail_without_any_change_are_refused(groups):
    require_passing(groups, "ProbeFailing")
    with pytest.raises(SystemExit, match="The cases of ProbeFailing fail before anything is changed"):
        require_passing(changed(of(groups, "ProbeFailing"), **{"for": "30m"}), "ProbeFailing")


def test_what_counts_new_series_is_left_alone(groups):
    [[rule]] = [part["rules"] for part in of(groups, "RecommendationsStalled")]
    assert rule["expr"].count(" offset ") == 4
    assert sum("unless" in what for what, _ in mutants(rule)) == 1
