"""The chart's rules, as Helm renders them, in the order in which they can be worked out from what is stored."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from charts.durations import in_seconds
from charts.helm import rule_groups, template


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that records a series, or one that raises an alert.

    Attributes:
        name: The series recorded, or the alert.
        alert: Whether it raises an alert.
        expr: Its expression.
        labels: What it adds to each series.
        interval: Seconds between two evaluations.
        hold: Seconds for which an alert must hold before it fires.
        group: The name of its group.
    """

    name: str
    alert: bool
    expr: str
    labels: dict[str, str]
    interval: int
    hold: int
    group: str


@cache
def rendered() -> tuple[dict[str, Any], ...]:
    """Every group of rules of the chart with its default values."""
    return tuple(rule_groups(template()))


def rules() -> list[Rule]:
    return [_rule(group, rule) for group in rendered() for rule in group["rules"]]


def rule_file() -> str:
    """All groups as one file that Prometheus loads."""
    return yaml.safe_dump({"groups": list(rendered())}, sort_keys=False)


def layers(found: Iterable[Rule]) -> list[list[Rule]]:
    """`found`, which are records, such that each reads only what is stored or recorded by layers before its own."""
    left = list(found)
    done: list[list[Rule]] = []
    while left:
        open_names = {rule.name for rule in left}
        now = [rule for rule in left if not names(rule.expr) & open_names]
        if not now:
            raise ValueError(f"these records read each other in a circle: {', '.join(sorted(open_names))}")
        # A record that several rules make is there when the last of them is.
        late = {rule.name for rule in left if rule not in now}
        now = [rule for rule in now if rule.name not in late]
        done.append(now)
        left = [rule for rule in left if rule not in now]
    return done


def names(expr: str) -> set[str]:
    """Names of recorded series in an expression: those with a colon, which nothing else has."""
    return set(re.findall(r"(?<!\w)[a-zA-Z_]\w*(?::\w+)+", expr))


def longest_range(expr: str) -> int:
    """Seconds of the longest range that an expression reads."""
    return max((in_seconds(found) for found in re.findall(r"\[(\d+[smhd])\]", expr)), default=0)


def _rule(group: dict[str, Any], rule: dict[str, Any]) -> Rule:
    return Rule(
        name=rule.get("record") or rule["alert"],
        alert="alert" in rule,
        expr=rule["expr"],
        labels={key: str(value) for key, value in (rule.get("labels") or {}).items()},
        interval=in_seconds(group.get("interval", "1m")),
        hold=in_seconds(rule.get("for", "0s")),
        group=group["name"],
    )
