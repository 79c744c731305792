"""What an expression reads: for the checks of rules and of dashboards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import promql_parser

from charts.promql import metrics, nodes


def selectors(expr: str) -> list[tuple[str, set[str]]]:
    """(metric, names of its matchers' labels) for every selector."""
    found = [node for node in nodes(promql_parser.parse(expr)) if isinstance(node, promql_parser.VectorSelector)]
    return [(node.name, {matcher.name for matcher in node.matchers.matchers}) for node in found]


def raw_metrics(expr: str, records: Mapping[str, Sequence[str]]) -> set[str]:
    """Every exported series that `expr` is made from, through all records that it reads.

    `records` holds the expressions of each record.
    """
    found = metrics(expr)
    return found.union(*(raw_metrics(source, records) for metric in found for source in records.get(metric, ())))
