"""What an expression reads: for the checks of rules and of dashboards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import promql_parser

from charts.promql import metrics, nodes


def selectors(expr: str) -> list[tuple[str, set[str]]]:
    """(metric, names of its matchers' labels) for every selector."""
    found = [node for node in nodes(promql_parser.parse(expr)) if isinstance(node, promql_parser.VectorSelector)]
    return [(node.name or "", {matcher.name for matcher in node.matchers.matchers}) for node in found]


def raw_metrics(expr: str, records: Mapping[str, Sequence[str]]) -> set[str]:
    """Every exported series that `expr` is made from, through all records that it reads.

    `records` holds the expressions of each record.
    """
    found = metrics(expr)
    return found.union(*(raw_metrics(source, records) for metric in found for source in records.get(metric, ())))


# Counters of other programs that are 0 before they count, so that rate and increase miss nothing.
START_AT_ZERO = {
    "alertmanager_notifications_failed_total": "Alertmanager makes its series when it loads its configuration",
    "alertmanager_notifications_total": "Alertmanager makes its series when it loads its configuration",
    "container_cpu_cfs_periods_total": "a container that has just begun has used no CPU yet",
    "container_cpu_cfs_throttled_periods_total": "a container that has just begun has used no CPU yet",
    "container_cpu_usage_seconds_total": "a container that has just begun has used no CPU yet",
    "container_network_receive_bytes_total": "a pod that has just begun has received nothing yet",
    "container_network_transmit_bytes_total": "a pod that has just begun has sent nothing yet",
    "node_cpu_seconds_total": "a node's CPUs are there from its start",
    "process_cpu_seconds_total": "a process that has just begun has used no CPU yet",
    "prometheus_rule_evaluation_failures_total": "Prometheus makes a series for each rule group when it loads it",
    "sergas_digest_rejections_total": "the digest makes the series of every reason when it starts",
    "sergas_metrics_overflow_total": "it counts updates beyond a limit: one more or less says nothing",
    "sergas_metrics_collector_failures_total": "a collector that raises does so at every scrape",
}
COUNTING = {"rate", "increase", "irate"}


def first_values_missed(expr: str) -> set[str]:
    """Counters in `expr` whose first value a rate or an increase misses, although it may be an event.

    full_rate and full_increase, as rendered, count it: `(x unless x offset 5m ...) / 300 or rate(x[5m])`. Buckets of
    histograms are left out: quantiles and shares miss an observation on both of their sides. So is what an earlier
    window held (an offset): it is a floor there, which one event more or less does not move.
    """
    every = list(nodes(promql_parser.parse(expr)))
    ranges = Counter(found for node in every if (found := _counted(node)))
    ranges -= Counter(found for node in every if (found := _with_first_value(node)))
    names = {series.partition("{")[0] for series, _ in ranges}
    return {name for name in names if not name.endswith("_bucket") and name not in START_AT_ZERO}


def counts_first_value(node: Any) -> bool:
    """Whether `node` is what full_rate or full_increase became."""
    return _with_first_value(node) is not None


def _counted(node: Any) -> tuple[str, timedelta] | None:
    """(series, window) where `node` is a rate or an increase."""
    if not isinstance(node, promql_parser.Call) or node.func.name not in COUNTING:
        return None
    selector = node.args[0]
    if not isinstance(selector, promql_parser.MatrixSelector) or selector.vector_selector.offset:
        return None
    return str(selector.vector_selector), selector.range


def _with_first_value(node: Any) -> tuple[str, timedelta] | None:
    """(series, window) where `node` is a rate or an increase beside `series unless series offset window`."""
    found = _counted(node.rhs) if isinstance(node, promql_parser.BinaryExpr) and str(node.op) == "or" else None
    return found if found and any(_is_new(part, *found) for part in nodes(node.lhs)) else None


def _is_new(node: Any, series: str, window: timedelta) -> bool:
    return (
        isinstance(node, promql_parser.BinaryExpr)
        and str(node.op) == "unless"
        and str(node.lhs) == series
        and isinstance(node.rhs, promql_parser.VectorSelector)
        and str(node.rhs).startswith(f"{series} offset")
        and node.rhs.offset == window
    )
