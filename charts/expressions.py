"""What an expression reads: for the checks of rules and of dashboards."""

from __future__ import annotations

import re
from typing import Any, Final

import promql_parser

from charts.exported import EXPORTED
from sergas_metrics.catalogue import CATALOGUE

# Given by service discovery, not by the program that exports.
TARGET_LABELS: Final = frozenset({"job", "namespace", "instance", "pod"})
# Labels that rules give to what they record, or that stand in the names of its levels alone.
RULE_LABELS: Final = frozenset({"slo", "le", "metric", "alerts"})
HISTOGRAM_PARTS: Final = ("sum", "count")

Groups = list[dict[str, Any]]


def parts(expr: str) -> list[Any]:
    """Every node of the expression's tree."""
    found, open_ones = [], [promql_parser.parse(expr)]
    while open_ones:
        node = open_ones.pop()
        found.append(node)
        children = [getattr(node, name, None) for name in ("expr", "lhs", "rhs", "vector_selector")]
        open_ones += [child for child in [*children, *getattr(node, "args", [])] if child is not None]
    return found


def selectors(expr: str) -> list[tuple[str, set[str]]]:
    """(metric, names of its matchers' labels) for every selector."""
    found = [part for part in parts(expr) if isinstance(part, promql_parser.VectorSelector)]
    return [(part.name, {matcher.name for matcher in part.matchers.matchers}) for part in found]


def exported_series() -> dict[str, set[str]]:
    """Every series that the application or another program exports, with its labels beside those of the target."""
    known = {name: set(labels) for name, (_, labels) in EXPORTED.items()}
    for spec in CATALOGUE:
        if spec.kind == "histogram":
            known |= {f"{spec.name}_{part}": set(spec.labels) for part in HISTOGRAM_PARTS}
            known[f"{spec.name}_bucket"] = {*spec.labels, "le"}
        else:
            known[spec.name] = set(spec.labels)
    return known


def recorded_series(groups: Groups) -> dict[str, set[str]]:
    """Every series that a rule records, with the labels that its name's level tells."""
    labels = TARGET_LABELS | RULE_LABELS | {label for found in exported_series().values() for label in found}
    names = {rule["record"] for group in groups for rule in group["rules"] if "record" in rule}
    return {name: level_labels(name.partition(":")[0], labels) for name in names}


def level_labels(level: str, labels: set[str] | frozenset[str]) -> set[str]:
    """The labels that a level such as `namespace_job_error_type` is made of.

    Raises:
        ValueError: when it is not made of `labels` alone.
    """
    longest_first = "|".join(sorted(labels, key=len, reverse=True))
    found = re.findall(longest_first, level)
    if "_".join(found) != level:
        raise ValueError(f"level {level}: write it as the labels that are kept, joined with _; found {found}")
    return set(found)


def raw_metrics(expr: str, records: dict[str, list[str]]) -> set[str]:
    """Every exported series that `expr` is made from, through all records that it reads.

    `records` holds the expressions of each record.
    """
    found: set[str] = set()
    for metric, _ in selectors(expr):
        found.add(metric)
        for source in records.get(metric, []):
            found |= raw_metrics(source, records)
    return found
