"""Everything that can be changed in a PromQL expression, one thing at a time, as Prometheus would parse it.

What no series can show is not changed: a value of which only the series matter, such as the right-hand side of `and`
and what `group` and `count` are given.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import promql_parser as promql

from charts.expressions import counts_first_value
from charts.mutants import leaves, operators
from charts.mutants.pieces import Change, Piece, join, separated, texts
from charts.promql import TARGET_LABELS, is_scalar

# Characters of either side of an operator in the name of a change.
SHOWN = 40
# Names of the labels that the series of an expression can have.
LabelsOf = Callable[[str], frozenset[str]]


@dataclass(frozen=True)
class Read:
    """What is read of a part of an expression: its values, and its labels beyond those that are matched by name."""

    values: bool
    labels: bool


def changes(expr: str, labels_of: LabelsOf, *, read: bool = True, whole: bool = False) -> tuple[Change, ...]:
    """Every change of `expr`, each with the whole expression changed.

    Args:
        expr: PromQL.
        labels_of: Names of the labels that the series of an expression can have.
        read: Whether anybody reads the value; if not, only the series matter.
        whole: Whether what the chart expands full_rate and full_increase to is changed in each of its parts. If not, it
            is changed as the chart's source shows it: its series, its window, and whether it is a plain rate.
    """
    return _Writer(labels_of, whole).piece(promql.parse(expr), Read(read, labels=True)).changes


class _Writer:
    """Writes an expression again, and notes what can be changed in each part of it."""

    def __init__(self, labels_of: LabelsOf, whole: bool) -> None:
        self.labels_of = labels_of
        self.whole = whole

    def piece(self, node: Any, read: Read) -> Piece:
        match node:
            case promql.SubqueryExpr():
                found = self._subquery(node, read)
            case promql.ParenExpr():
                found = join("(", self.piece(node.expr, read), ")")
            case promql.UnaryExpr():
                found = join("-(", self.piece(node.expr, read), ")")
            case promql.AggregateExpr():
                found = self._aggregated(node, read)
            case promql.Call():
                found = self._called(node, read)
            case promql.BinaryExpr() if not self.whole and counts_first_value(node):
                found = self._full_count(node)
            case promql.BinaryExpr():
                found = self._binary(node, read)
            case _:
                found = leaves.leaf(node, read=read.values)
        return found

    def _subquery(self, node: Any, read: Read) -> Piece:
        step = [":", leaves.duration(node.step)] if node.step else [":"]
        over = leaves.duration(node.range)
        return join("(", self.piece(node.expr, read), ")[", over, *step, "]", leaves.offset(node.offset))

    def _aggregated(self, node: Any, read: Read) -> Piece:
        name = str(node.op)
        grouping = self._grouping(node, read)
        parameter = [self.piece(node.param, read), ", "] if node.param is not None else []
        inside = Read(read.values and name not in operators.COUNTING_SERIES, labels=True)
        inner: list[str | Piece] = [*parameter, self.piece(node.expr, inside)]
        others = operators.AGGREGATIONS.get(name, ()) if read.values else ()
        changed = [
            (f"{name}{grouping.text}".strip() + f" -> {other}", texts(other, grouping, "(", *inner, ")"))
            for other in others
        ]
        return join(name, grouping, "(", *inner, ")").plus("aggregation", changed)

    def _grouping(self, node: Any, read: Read) -> Piece:
        if node.modifier is None:
            return Piece(" ")
        word = "by" if node.modifier.type == promql.AggModifierType.By else "without"
        names = list(node.modifier.labels)
        others = [(f"without {name}", [one for one in names if one != name]) for name in names]
        there = self.labels_of(str(node.expr)) - {*names, "__name__"}
        if read != Read(values=False, labels=False):
            others += [(f"with {more}", [*names, more]) for more in sorted(there, key=_usual)[:1]]
        return Piece(f" {word} ({', '.join(names)}) ").plus(
            "grouping",
            [(f"{word} ({', '.join(names)}) -> {how}", f" {word} ({', '.join(other)}) ") for how, other in others],
        )

    def _called(self, node: Any, read: Read) -> Piece:
        name = node.func.name
        inside = replace(read, values=read.values and name not in operators.COUNTING_SERIES)
        arguments = [self.piece(argument, inside) for argument in node.args]
        if name == "histogram_quantile":
            arguments[0] = leaves.quantile(node.args[0])
        given = separated(", ", arguments)
        call = join(name, "(", given, ")")
        if name == "label_replace":
            return call.plus("function", [(f"label_replace {node.args[1].val} -> none", f"({arguments[0].text})")])
        others = operators.FUNCTIONS.get(name, ()) if read.values else ()
        return call.plus("function", [(f"{name} -> {other}", texts(other, "(", given, ")")) for other in others])

    def _binary(self, node: Any, read: Read) -> Piece:
        operator = str(node.op)
        modifier = self._modifier(node)
        if operator in operators.COMPARISONS:
            return self._compared(node, modifier, read)
        if operator in operators.SET_OPERATORS:
            return self._set_operator(node, modifier, read)
        # Which series meet depends on all labels, unless one side is a number.
        both = read if is_scalar(node.lhs) or is_scalar(node.rhs) else replace(read, labels=True)
        left = join("(", self.piece(node.lhs, _with(operator, node.rhs, both)), ")")
        right = join("(", self.piece(node.rhs, _with(operator, node.lhs, both)), ")")
        other = operators.ARITHMETIC[operator]
        changed = [(_beside(left, operator, right, other), texts(left, f" {other}", modifier, right))]
        return join(left, f" {operator}", modifier, right).plus("arithmetic", changed if read.values else [])

    def _set_operator(self, node: Any, modifier: Piece, read: Read) -> Piece:
        operator = str(node.op)
        on = _matching_word(node.modifier) == "on"
        left = join("(", self.piece(node.lhs, replace(read, labels=read.labels or not on)), ")")
        of_right = (
            replace(read, labels=read.labels or not on) if operator == "or" else Read(values=False, labels=not on)
        )
        right = join("(", self.piece(node.rhs, of_right), ")")
        other = operators.SET_OPERATORS[operator]
        swapped = (_beside(left, operator, right, other), texts(left, f" {other}", modifier, right))
        sides = [(_beside(left, operator, right, "left"), left.text)]
        if operator == "or":
            sides.append((_beside(left, operator, right, "right"), right.text))
        whole = join(left, f" {operator}", modifier, right)
        return whole.plus("set operator", [swapped]).plus("operand", sides)

    def _compared(self, node: Any, modifier: Piece, read: Read) -> Piece:
        operator = str(node.op)
        both = Read(values=True, labels=read.labels or not is_scalar(node.rhs))
        left = join("(", self.piece(node.lhs, both), ")")
        limit = node.rhs.val if isinstance(node.rhs, promql.NumberLiteral) else None
        right = Piece(operators.number(limit)) if limit is not None else join("(", self.piece(node.rhs, both), ")")
        if not _matching_word(node.modifier) and all(
            isinstance(one, promql.VectorSelector) for one in (node.lhs, node.rhs)
        ):
            left = join("(", leaves.met_by_all_labels(node.lhs, node.rhs), ")")
            right = join("(", leaves.met_by_all_labels(node.rhs, node.lhs), ")")
        if limit is not None and operator not in {"==", "!="}:
            places = [(f"{operator} {right.text} -> {place}", place) for place in operators.moved(limit)]
            right = right.plus("threshold", places)
        whole = join(left, f" {operator}", modifier, right)
        for other in operators.COMPARISONS[operator]:
            what = _beside(left, operator, right, other)
            whole = whole.plus("comparison", [(what, texts(left, f" {other}", modifier, right))])
        if not is_scalar(node.lhs):
            whole = whole.plus("guard", [(_beside(left, operator, right, "none"), left.text)])
        return whole

    def _modifier(self, node: Any) -> Piece:
        """` bool on (a) group_left (b) `, whatever of it an operator has."""
        if node.modifier is None:
            return Piece(" ")
        bool_ = Piece(" bool").plus("guard", [("bool -> none", "")]) if node.modifier.return_bool else Piece("")
        return join(bool_, self._matching(node), " ")

    def _matching(self, node: Any) -> Piece:
        word = _matching_word(node.modifier)
        if not word:
            return Piece("")
        names = list(node.modifier.matching.labels)
        written = f"{word} ({', '.join(names)})"
        others = [(f"without {name}", f" {word} ({', '.join(one for one in names if one != name)})") for name in names]
        sides = {"ManyToOne": "group_left", "OneToMany": "group_right"}
        card = str(node.modifier.card).rpartition(".")[2]
        side = f" {sides[card]} ({', '.join(node.modifier.group_labels or ())})" if card in sides else ""
        # Without `on`, series meet by all their labels: no change where those of both sides are the ones named.
        if not side and {self.labels_of(str(one)) for one in (node.lhs, node.rhs)} != {frozenset(names)}:
            others.append(("none", ""))
        return join(
            Piece(f" {written}").plus("matching", [(f"{written} -> {how}", text) for how, text in others]), side
        )

    def _full_count(self, node: Any) -> Piece:
        """What full_rate or full_increase became, changed as a whole."""
        call, before = node.rhs, self._written(node)
        selector, window = leaves.selector(call.args[0].vector_selector), call.args[0].range
        name = call.func.name
        source = f"full_{name}"
        changed = [Change(one.kind, one.what, before.replace(selector.text, one.text)) for one in selector.changes]
        changed += [
            Change("range", f"{source} {one.what}", _over(before, selector.text, window, other))
            for one, other in zip(leaves.duration(window).changes, leaves.windows(window), strict=True)
        ]
        plain = [(f"{source} -> {name}", self._written(call))]
        plain += [
            (f"{source} -> {other}", before.replace(f"{name}(", f"{other}(")) for other in operators.FUNCTIONS[name]
        ]
        return Piece(before, tuple(changed)).plus("function", plain)

    def _written(self, node: Any) -> str:
        return f"({_Writer(self.labels_of, whole=True).piece(node, Read(True, True)).text})"


def _with(operator: str, other: Any, read: Read) -> Read:
    """What is read of one side of an operator: no values of what is multiplied by 0."""
    times_zero = operator == "*" and isinstance(other, promql.NumberLiteral) and other.val == 0
    return replace(read, values=read.values and not times_zero)


def _usual(label: str) -> tuple[int, str]:
    """Sorts first what series of one group differ in most often: the instance, then labels of the metric's own."""
    return (0 if label == "instance" else 1 if label not in TARGET_LABELS else 2 if label == "pod" else 3), label


def _over(text: str, selector: str, window: timedelta, other: timedelta) -> str:
    """What a full count became, over another window; a selector can hold anything, so it is kept out of it."""
    bare = text.replace(selector, "\0")
    bare = bare.replace(promql.display_duration(window), promql.display_duration(other))
    seconds = operators.number(window.total_seconds())
    return bare.replace(seconds, operators.number(other.total_seconds())).replace("\0", selector)


def _matching_word(modifier: Any) -> str:
    if modifier is None or modifier.matching is None:
        return ""
    return "on" if modifier.matching.type == promql.LabelModifierType.Include else "ignoring"


def _beside(left: Piece, operator: str, right: Piece, other: str) -> str:
    """`before -> after` of an operator, with as much of both sides as tells it from others."""
    return f"{_end(left.text)} {operator} {_begin(right.text)} -> {other}"


def _end(text: str) -> str:
    return text if len(text) <= SHOWN else f"…{text[-SHOWN:]}"


def _begin(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def numbered(found: Iterable[Change]) -> Iterator[Change]:
    """Changes of which no two are called the same: the second of a name ends in (2)."""
    seen: dict[tuple[str, str], int] = {}
    for change in found:
        times = seen[change.kind, change.what] = seen.get((change.kind, change.what), 0) + 1
        yield change if times == 1 else Change(change.kind, f"{change.what} ({times})", change.text)
