"""The cases are worth something: change an alert's comparison, threshold or duration, and its cases fail."""

from copy import deepcopy
from string import Template

import pytest
import yaml

from charts.helm import CHART

PROBE_ROUTES = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))["alerts"]["probeRoutes"]
FLIPPED = {" == ": " != ", " > ": " <= ", " < ": " >= ", "unless": "and"}


def mutated(groups, name, **changes):
    copy = deepcopy(groups)
    for group in copy:
        for rule in group["rules"]:
            if rule["alert"] == name:
                rule.update(changes)
    return copy


def expression(groups, name):
    return next(rule["expr"] for group in groups for rule in group["rules"] if rule["alert"] == name)


def test_a_flipped_comparison_is_noticed(shipped, groups, promtool):
    name, expr = shipped["name"], expression(groups, shipped["name"])
    flips = [(old, new) for old, new in FLIPPED.items() if old in expr]
    assert flips
    for old, new in flips:
        done = promtool(mutated(groups, name, expr=expr.replace(old, new)), name)
        assert done.returncode, f"no case of {name} notices {old!r} turned into {new!r}"


def moved(threshold, factor):
    """`threshold` times `factor`, or the next whole number where a count would otherwise mean the same."""
    value = threshold * factor
    return threshold + 1 if int(threshold) == threshold == int(value) else value


@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_a_moved_threshold_is_noticed(measured, factor, groups, promtool):
    name, threshold = measured["name"], moved(measured["threshold"], factor)
    slots = {"threshold": str(threshold), "window": measured.get("window", ""), "probeRoutes": PROBE_ROUTES}
    expr = Template(measured["expr"]).substitute(slots)
    assert expr != expression(groups, name)
    done = promtool(mutated(groups, name, expr=expr), name)
    assert done.returncode, f"no case of {name} notices the threshold {measured['threshold']} moved to {threshold}"


@pytest.mark.parametrize("duration", ["0s", "30m"])
def test_another_duration_is_noticed(shipped, duration, groups, promtool):
    name = shipped["name"]
    if duration == shipped["for"]:
        duration = "1m"
    done = promtool(mutated(groups, name, **{"for": duration}), name)
    assert done.returncode, f"no case of {name} notices for: {duration}"
