"""Mutants of alerting and recording rules: a rule with one thing changed, which looks right and is wrong."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from charts.durations import in_seconds
from charts.known import known_series
from charts.mutants import expressions
from charts.mutants.expressions import LabelsOf, numbered
from charts.mutants.pieces import Change
from charts.promql import labels

Rule = dict[str, Any]
Groups = list[dict[str, Any]]
# Rules in which the expansion of full_rate and full_increase is changed in each of its parts: one rule for each of
# them, as all expansions come from one template (templates/_alerts.tpl).
WHOLE = {"RecommendationsStalled", "namespace_job_error_type:sergas_unhandled_exceptions:rate5m"}
# The objective in the cases of alerts on objectives.
CASES_OBJECTIVE = "apiAvailability"
ACTION = re.compile(r"\{\{[^{}]*[$.][^{}]*\}\}")
CONTROL = re.compile(r"\{\{-? *(?:if|with|range|define|template|end|else)\b")


@dataclass(frozen=True)
class Place:
    """Where a rule stands: number of its group, and its number in the group."""

    group: int
    rule: int


@dataclass(frozen=True)
class Mutant:
    """A rule with one thing changed.

    Attributes:
        place: Where the rule stands.
        name: What the rule is called: `HighErrorRate (critical)` or `namespace:x:rate5m`.
        kind: What was changed, such as `aggregation`.
        what: `before -> after`.
        rule: The changed rule.
    """

    place: Place
    name: str
    kind: str
    what: str
    rule: Rule

    @property
    def key(self) -> tuple[str, str]:
        """What a waiver names: the rule, and the change."""
        return self.name, f"{self.kind}: {self.what}"

    def __str__(self) -> str:
        return ": ".join(self.key)


def name(rule: Rule) -> str:
    """What a rule is called: with its severity, objective or metric, by which rules of one name differ."""
    given = rule.get("labels", {})
    if "alert" in rule:
        return f"{rule['alert']} ({given['severity']})"
    which = [given[label] for label in ("slo", "metric") if label in given]
    return f"{rule['record']} ({which[0]})" if which else str(rule["record"])


def places(groups: Groups) -> Iterator[tuple[Place, Rule]]:
    for g, group in enumerate(groups):
        for r, rule in enumerate(group["rules"]):
            yield Place(g, r), rule


def mutants(groups: Groups) -> Iterator[Mutant]:
    """Every mutant of every rule, except of rules that another rule stands for."""
    known, names = known_series(groups), Counter[str]()
    for place, rule in places(groups):
        names.update([name(rule)])
        number = f" #{names[name(rule)]}" if names[name(rule)] > 1 else ""
        if not is_represented_by_another(rule):
            for change, changed in mutated(rule, lambda expr: labels(expr, known)):
                yield Mutant(place, name(rule) + number, change.kind, change.what, changed)


def is_represented_by_another(rule: Rule) -> bool:
    """Whether another rule of the alert, made from the same expression, has the cases.

    The rules of an alert on objectives differ in windows, factors and severity only. The cases are about the first
    objective; tests/rules/test_objectives.py has cases for the others.
    """
    return "alert" in rule and rule["labels"].get("slo", CASES_OBJECTIVE) != CASES_OBJECTIVE


def mutated(rule: Rule, labels_of: LabelsOf) -> Iterator[tuple[Change, Rule]]:
    """Every change of `rule`, with the changed rule."""
    # Prometheus writes 1 as the value of an alert; what its expression gave is only seen in a text.
    read = "record" in rule or any("$value" in text for text in rule["annotations"].values())
    whole = rule.get("alert", rule.get("record")) in WHOLE
    for change in numbered(expressions.changes(rule["expr"], labels_of, read=read, whole=whole)):
        yield change, rule | {"expr": change.text}
    for duration in _durations(rule["for"]) if "alert" in rule else ():
        yield Change("for", f"{rule['for']} -> {duration}", duration), rule | {"for": duration}
    for field in ("labels", "annotations"):
        for change in numbered(_without_parts(field, rule.get(field, {}))):
            key = change.what.partition(" ")[0]
            kept = {name: text for name, text in rule[field].items() if name != key}
            yield change, rule | {field: kept | ({key: change.text} if change.text else {})}


def _without_parts(field: str, written: dict[str, str]) -> Iterator[Change]:
    """Each label or annotation gone, and each value gone that the text of an annotation shows."""
    for key, text in written.items():
        yield Change(field[:-1], f"{key} -> none", "")
        for shown in ACTION.finditer(text) if field == "annotations" else ():
            if not CONTROL.match(shown[0]):
                what = f"{key} {shown[0]} -> none"
                yield Change("annotation", what, text[: shown.start()] + text[shown.end() :])


def _durations(duration: str) -> list[str]:
    seconds = in_seconds(duration)
    return [f"{seconds // 2}s", f"{seconds * 2}s", "0s"] if seconds else ["1m", "30m"]
