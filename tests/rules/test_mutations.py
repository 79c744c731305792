"""What `make mutants` changes in the alerts, to see that their cases notice."""

from charts.mutants import EQUIVALENT, alerting_rules, mutants


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
