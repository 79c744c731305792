"""How the values of several processes become one."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import chain
from math import fsum, isfinite

from .._family import OVERFLOW
from .snapshot import Key, Table, table


def merged(mode: str, rows: Sequence[Sequence[float]]) -> Sequence[float]:
    """One row from the rows of several processes, at least one.

    Sums are exact before they are rounded once: so a sum of values that only rise never falls by a rounding.
    """
    if len(rows) == 1:
        return rows[0]
    match mode.removeprefix("live"):
        case "sum":
            return _sums(rows)
        case "max":
            return [max(column) for column in zip(*rows, strict=True)]
        case "min":
            return [min(column) for column in zip(*rows, strict=True)]
        case _:
            return max(rows, key=_moment)


def _sums(rows: Sequence[Sequence[float]]) -> list[float]:
    columns = list(zip(*rows, strict=True))
    try:
        return [*map(fsum, columns)]
    except (ValueError, OverflowError):  # infinities of both signs, or a sum beyond what a float holds
        return [*map(sum, columns)]


def _moment(row: Sequence[float]) -> float:
    """When a row of the mode ``latest`` was set."""
    return row[-1]


def exact_parts(column: Iterable[float]) -> list[float]:
    """Numbers that do not overlap and whose sum is exactly that of a column: the first is the sum, rounded.

    Infinities and what is no number swallow everything else, as in any sum.
    """
    values = list(column)
    rough = sum(values)
    if not isfinite(rough):
        return [rough]
    rest = sum(map(Fraction, values), Fraction())
    parts = []
    while rest:
        parts.append(float(rest))
        rest -= Fraction(parts[-1])
    return parts or [0.0]


def folded(tables: Sequence[Table], limit: int | None) -> list[Table]:
    """Tables of one metric as one, and where numbers need it more that add what rounding took.

    Args:
        tables: The tables, those whose rows come first at the limit in front.
        limit: How many series the metric may have beside its overflow series; ``None`` for any number.
    """
    first = tables[0]
    if first.mode.startswith("live"):
        return []
    rows: dict[Key, list[Sequence[float]]] = {}
    for found in tables:
        for key in found.keys:
            row = found.row(key)
            if row is not None:
                rows.setdefault(home(key, rows, limit), []).append(row)
    return list(_layers(first, rows))


def has_room(rows: Collection[Key], labels: int, limit: int | None) -> bool:
    """Whether another series may be made, the overflow series not counted."""
    return limit is None or len(rows) - ((OVERFLOW,) * labels in rows) < limit


def home(key: Key, rows: Collection[Key], limit: int | None) -> Key:
    """The row in which a row of the dead is counted: its own, or the overflow series once the limit is reached."""
    return key if key in rows or has_room(rows, len(key), limit) else (OVERFLOW,) * len(key)


def _layers(first: Table, rows: dict[Key, list[Sequence[float]]]) -> Iterator[Table]:
    if first.mode != "sum":
        yield _table_of(first, {key: merged(first.mode, found) for key, found in rows.items()})
        return
    parts = {key: [exact_parts(column) for column in zip(*found, strict=True)] for key, found in rows.items()}
    deepest = max((len(column) for columns in parts.values() for column in columns), default=0)
    for depth in range(deepest):
        wanted = {key: columns for key, columns in parts.items() if any(len(column) > depth for column in columns)}
        yield _table_of(first, {key: [_at(column, depth) for column in columns] for key, columns in wanted.items()})


def _at(parts: list[float], depth: int) -> float:
    return parts[depth] if depth < len(parts) else 0.0


def _table_of(first: Table, rows: dict[Key, Sequence[float]]) -> Table:
    values = array("d", chain.from_iterable(rows.values()))
    return table(first.head, first.mode, first.width, list(rows), values)
