"""How the values of several processes become one."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Sequence
from itertools import chain
from math import fsum, inf, isfinite, nextafter

from .._family import OVERFLOW
from .snapshot import Key, Table


def merged(mode: str, rows: Sequence[Sequence[float]]) -> Sequence[float]:
    """One row from the rows of several processes, at least one.

    Sums are exact before they are rounded once: so a sum of values that only rise never falls by a rounding.
    """
    if len(rows) == 1:
        return rows[0]
    columns = zip(*rows, strict=True)
    match mode.removeprefix("live"):
        case "sum":
            return [*map(_sum, columns)]
        case "max":
            return [*map(max, columns)]
        case "min":
            return [*map(min, columns)]
        case _:
            return max(rows, key=lambda row: row[-1])  # of the mode ``latest``: when it was set


def _sum(column: Sequence[float]) -> float:
    try:
        return fsum(column)
    except (ValueError, OverflowError):  # infinities of both signs, or a sum beyond what a float holds
        return sum(column)


def sum_rounded_up(column: Sequence[float]) -> float:
    """The least float that is not below the exact sum.

    The sum of the dead takes the place of their values in later sums. Were it rounded down, a counter could fall by a
    rounding, which Prometheus takes for a restart: ``increase`` would then add the whole counter again.
    """
    total = _sum(column)
    return nextafter(total, inf) if isfinite(total) and _sum([*column, -total]) > 0 else total


def folded(tables: Sequence[Table], limit: int | None) -> list[Table]:
    """Tables of dead processes' one metric as one, or none of a metric of which only those that live count.

    Args:
        tables: The tables, those whose rows come first at the limit in front.
        limit: How many series the metric may have beside its overflow series; ``None`` for any number.
    """
    first = tables[0]
    if first.mode.startswith("live"):
        return []
    rows: dict[Key, list[Sequence[float]]] = {}
    for found in tables:
        for key, row in found.items():
            rows.setdefault(home(key, rows, limit), []).append(row)
    add = first.mode == "sum"
    sums = [map(sum_rounded_up, zip(*each, strict=True)) if add else merged(first.mode, each) for each in rows.values()]
    return [Table(first.head, first.mode, first.width, list(rows), array("d", chain.from_iterable(sums)))]


def has_room(rows: Collection[Key], labels: int, limit: int | None) -> bool:
    """Whether another series may be made, the overflow series not counted."""
    return limit is None or len(rows) - ((OVERFLOW,) * labels in rows) < limit


def home(key: Key, rows: Collection[Key], limit: int | None) -> Key:
    """The row in which a row of the dead is counted: its own, or the overflow series once the limit is reached."""
    return key if key in rows or has_room(rows, len(key), limit) else (OVERFLOW,) * len(key)
