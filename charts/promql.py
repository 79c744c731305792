"""What is wrong with a PromQL expression that Prometheus would accept: it reads series that nobody exports, by labels
they do not have, or over too short a range.

Prometheus answers such an expression with nothing, and an alert or a panel that shows nothing looks like good news.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import promql_parser as promql

# Given by service discovery, not by the program that exports; metrics_path tells the kubelet's endpoints apart.
TARGET_LABELS = frozenset({"job", "namespace", "instance", "pod", "service", "container", "endpoint", "metrics_path"})
OF_COUNTERS = {"rate", "increase", "irate", "resets"}
OF_GAUGES = {"delta", "idelta", "deriv", "predict_linear"}
SCRAPES_IN_A_RANGE = 4
ONE_SIDED = {"and", "unless"}


@dataclass(frozen=True)
class Series:
    """What is known of a series.

    Attributes:
        kind: `counter`, `gauge`, `summary`, or `histogram` for a histogram's parts.
        labels: Names of its labels, those of the target included.
        every_seconds: How often it gets a sample: the scrape interval of its job, or that of its rule's group.
    """

    kind: str
    labels: frozenset[str]
    every_seconds: float


def problems(expr: str, known: Mapping[str, Series]) -> list[str]:
    """A sentence for everything that is wrong with `expr`, given the series there are; none when all is well.

    Raises:
        ValueError: it is not PromQL.
    """
    reader = _Reader(known)
    reader.labels(promql.parse(expr))
    return reader.found


def labels(expr: str, known: Mapping[str, Series]) -> frozenset[str]:
    """Labels that the series of `expr` can have."""
    return _Reader(known).labels(promql.parse(expr))


def metrics(expr: str) -> set[str]:
    """Names of the series that `expr` reads."""
    return {node.name for node in nodes(promql.parse(expr)) if isinstance(node, promql.VectorSelector)}


def nodes(node: Any) -> Iterator[Any]:
    """`node` and all below it."""
    yield node
    below = [getattr(node, name, None) for name in ("expr", "lhs", "rhs", "vector_selector", "param")]
    for child in [*below, *getattr(node, "args", [])]:
        if child is not None:
            yield from nodes(child)


def is_scalar(node: Any) -> bool:
    """Whether `node` is a number and no vector."""
    match node:
        case promql.NumberLiteral():
            return True
        case promql.ParenExpr() | promql.UnaryExpr():
            return is_scalar(node.expr)
        case promql.BinaryExpr():
            return is_scalar(node.lhs) and is_scalar(node.rhs)
        case promql.Call():
            return bool(node.func.return_type == promql.ValueType.Scalar)
    return False


class _Reader:
    """Goes through an expression and tells which labels each part of it can have, noting what is wrong on the way."""

    def __init__(self, known: Mapping[str, Series]) -> None:
        self.known = known
        self.found: list[str] = []

    def labels(self, node: Any) -> frozenset[str]:
        """Labels that the series of `node` can have."""
        match node:
            case promql.VectorSelector():
                return self._selected(node)
            case promql.MatrixSelector():
                return self.labels(node.vector_selector)
            case promql.AggregateExpr():
                return self._aggregated(node)
            case promql.BinaryExpr():
                return self._combined(node)
            case promql.Call():
                return self._called(node)
        return self.labels(node.expr) if hasattr(node, "expr") else frozenset()

    def _selected(self, node: Any) -> frozenset[str]:
        series = self.known.get(node.name)
        if series is None:
            self.found.append(f"nobody exports or records {node.name}")
            return TARGET_LABELS
        asked = {matcher.name for matcher in node.matchers.matchers} - {"__name__"}
        self._check_labels(asked, series.labels, f"{node.name} is selected by")
        return series.labels

    def _aggregated(self, node: Any) -> frozenset[str]:
        inner = self.labels(node.expr)
        names = frozenset(node.modifier.labels) if node.modifier else frozenset()
        if node.modifier and node.modifier.type == promql.AggModifierType.Without:
            self._check_labels(names, inner, f"{node.op} without")
            return inner - names
        self._check_labels(names, inner, f"{node.op} by")
        return inner if str(node.op) in {"topk", "bottomk", "limitk", "limit_ratio"} and not names else names

    def _combined(self, node: Any) -> frozenset[str]:
        left, right = self.labels(node.lhs), self.labels(node.rhs)
        if is_scalar(node.lhs) or is_scalar(node.rhs):
            return right if is_scalar(node.lhs) else left
        matching = getattr(node.modifier, "matching", None)
        names = frozenset(matching.labels) if matching else frozenset()
        by_name = matching is not None and matching.type == promql.LabelModifierType.Include
        there = left & right if by_name else left | right
        self._check_labels(names, there, f"{node.op} {'on' if by_name else 'ignoring'}")
        if str(node.op) == "or":
            return left | right
        if not by_name and left - names != right - names:
            self._tell_apart(str(node.op), left - names, right - names)
        if str(node.op) in ONE_SIDED or matching is None:
            return left
        return self._joined(node.modifier, left, right, names if by_name else left - names)

    def _tell_apart(self, operator: str, left: frozenset[str], right: frozenset[str]) -> None:
        """Series of two sides only meet when all their labels are the same."""
        apart = ", ".join(sorted(left ^ right))
        self.found.append(
            f"only one side of {operator} has {apart}, so nothing meets: aggregate both alike, or write on"
        )

    def _joined(
        self, modifier: Any, left: frozenset[str], right: frozenset[str], kept: frozenset[str]
    ) -> frozenset[str]:
        if modifier.card == promql.VectorMatchCardinality.ManyToOne:
            many, one = left, right
        elif modifier.card == promql.VectorMatchCardinality.OneToMany:
            many, one = right, left
        else:
            return kept
        group = frozenset(modifier.group_labels or ())
        self._check_labels(group, one, "group_left or group_right takes from the side of one")
        return many | group

    def _called(self, node: Any) -> frozenset[str]:
        name = node.func.name
        inner = frozenset().union(*(self.labels(argument) for argument in node.args))
        if name == "histogram_quantile":
            if "le" not in inner:
                self.found.append("histogram_quantile is given buckets without le: keep le in the aggregation below it")
            return inner - {"le"}
        if name in {"label_replace", "label_join"}:
            return inner | {node.args[1].val}
        ranges = [argument for argument in node.args if isinstance(argument, promql.MatrixSelector)]
        self._check_kind(name, ranges)
        # An aggregation over time is right with a single sample; rates and changes compare several.
        wanted = 1 if name.endswith("_over_time") else SCRAPES_IN_A_RANGE
        for one in ranges:
            self._check_range(one.vector_selector.name, one.range.total_seconds(), wanted)
        return inner

    def _check_kind(self, function: str, ranges: Sequence[Any]) -> None:
        for metric in (one.vector_selector.name for one in ranges):
            kind = self.known[metric].kind if metric in self.known else None
            if kind and function in OF_COUNTERS and kind not in {"counter", "histogram"}:
                self.found.append(f"{function}() is taken of {metric}, which is a {kind} and no counter")
            if kind and function in OF_GAUGES and kind != "gauge":
                self.found.append(f"{function}() is taken of {metric}, which is a {kind} and no gauge")

    def _check_range(self, metric: str, seconds: float, wanted: int) -> None:
        every = self.known[metric].every_seconds if metric in self.known else 0
        if seconds < wanted * every:
            self.found.append(
                f"{metric} gets a sample every {every:g} s, and a range of {seconds:g} s holds fewer than"
                f" {wanted}: write {wanted * every:g} s or more"
            )

    def _check_labels(self, asked: frozenset[str] | set[str], there: frozenset[str], what: str) -> None:
        if wrong := sorted(asked - there):
            self.found.append(f"{what} {', '.join(wrong)}, of {', '.join(sorted(there)) or 'no label at all'}")
