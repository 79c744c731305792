"""The cases are worth something: change an alert's comparison, threshold or duration, and its cases fail."""

from copy import deepcopy

import pytest

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


@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_a_moved_threshold_is_noticed(shipped, factor, groups, promtool):
    name, threshold = shipped["name"], shipped.get("threshold")
    expr = expression(groups, name)
    if threshold is None:
        assert "threshold" not in shipped
        return
    if threshold == int(threshold) and int(threshold * factor) == threshold:
        factor = 1.5 if factor > 1 else 0.5
    moved = shipped["expr"].replace("${threshold}", str(threshold * factor))
    moved = moved.replace("${window}", shipped.get("window", ""))
    assert moved != expr
    done = promtool(mutated(groups, name, expr=moved), name)
    assert done.returncode, f"no case of {name} notices the threshold {threshold} moved to {threshold * factor}"


@pytest.mark.parametrize("duration", ["0s", "30m"])
def test_another_duration_is_noticed(shipped, duration, groups, promtool):
    name = shipped["name"]
    if duration == shipped["for"]:
        duration = "1m"
    done = promtool(mutated(groups, name, **{"for": duration}), name)
    assert done.returncode, f"no case of {name} notices for: {duration}"
