"""The leaves of an expression: numbers, durations and selectors, and what can be changed in each."""

import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import promql_parser as promql

from charts.mutants import operators
from charts.mutants.pieces import Piece, join

OPERATORS = {"MatchOp.Equal": "=", "MatchOp.NotEqual": "!=", "MatchOp.Re": "=~", "MatchOp.NotRe": "!~"}


def leaf(node: Any, *, read: bool) -> Piece:
    """A number, a string or a selector. `read` says whether somebody reads its value."""
    match node:
        case promql.NumberLiteral():
            return number(node.val, read=read)
        case promql.StringLiteral():
            return Piece(json.dumps(node.val, ensure_ascii=False))
        case promql.VectorSelector():
            return join(selector(node), offset(node.offset))
        case promql.MatrixSelector():
            inner = node.vector_selector
            return join(selector(inner), "[", duration(node.range), "]", offset(inner.offset))
    raise ValueError(f"no mutants are known for {type(node).__name__}: {node}")


def number(value: float, *, read: bool) -> Piece:
    text = operators.number(value)
    other = operators.moved(value)[-1] if value else "1"
    return Piece(text).plus("number", [(f"{text} -> {other}", other)] if read else [])


def quantile(node: Any) -> Piece:
    text = operators.number(node.val)
    return Piece(text).plus("quantile", [(f"{text} -> {other}", other) for other in operators.quantiles(node.val)])


def windows(value: timedelta) -> list[timedelta]:
    return [value / 2, value * 2]


def duration(value: timedelta) -> Piece:
    text = promql.display_duration(value)
    others = [promql.display_duration(other) for other in windows(value)]
    return Piece(text).plus("range", [(f"{text} -> {other}", other) for other in others])


def offset(value: timedelta | None) -> Piece:
    if not value:
        return Piece("")
    text, other = promql.display_duration(value), promql.display_duration(value * 2)
    changed = [(f"offset {text} -> none", ""), (f"offset {text} -> {other}", f" offset {other}")]
    return Piece(f" offset {text}").plus("offset", changed)


def selector(node: Any) -> Piece:
    name = node.name or ""
    matchers = _matchers(node)
    written = [_matcher(matcher, matcher.value) for matcher in matchers]
    changed = []
    for place, (matcher, text) in enumerate(zip(matchers, written, strict=True)):
        changed.append((f"{text} -> none", _braced(name, written[:place] + written[place + 1 :])))
        shorter = operators.narrowed(matcher.value) if "~" in text else None
        if shorter is not None:
            other = _matcher(matcher, shorter)
            changed.append((f"{text} -> {shorter}", _braced(name, [*written[:place], other, *written[place + 1 :]])))
    whole = _braced(name, written)
    return Piece(whole).plus("matcher", [(f"{name} {what}", text) for what, text in changed])


def met_by_all_labels(node: Any, other: Any) -> Piece:
    """A selector whose series meet those of another by all their labels.

    A matcher that both have can go from one of them, and nothing changes.
    """
    both = {_matcher(one, one.value) for one in _matchers(node)} & {
        _matcher(one, one.value) for one in _matchers(other)
    }
    harmless = {f"{node.name} {matcher} -> none" for matcher in both}
    piece = leaf(node, read=True)
    return Piece(piece.text, tuple(change for change in piece.changes if change.what not in harmless))


def _matchers(node: Any) -> list[Any]:
    return [matcher for matcher in node.matchers.matchers if not (node.name and matcher.name == "__name__")]


def _matcher(matcher: Any, value: str) -> str:
    return f"{matcher.name}{OPERATORS[str(matcher.op)]}{json.dumps(value, ensure_ascii=False)}"


def _braced(name: str, matchers: Iterable[str]) -> str:
    inside = ",".join(matchers)
    return f"{name}{{{inside}}}" if inside or not name else name
