"""How the values of several processes become one, and the metrics that a scrape shows of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import chain
from math import fsum, inf, isfinite, nextafter
from time import sleep
from typing import Any, Final

from prometheus_client import Metric
from prometheus_client.registry import Collector

from .._families import KINDS, Collected
from .._family import OVERFLOW, Family
from .snapshot import Head, Key, Local, Table

_ONE_GO: Final = 640
"""What is put together without a pause: a row counts two and its numbers, so it is 40 rows of a usual histogram."""
_PAUSE_SECONDS: Final = 50e-6
"""Between two goes: other threads, an event loop's above all, get their turn."""

Known = list[tuple[Any, list[str]]]
"""Collectors with the names of their metrics."""
Rows = dict[Key, list[Sequence[float]]]


def merged(mode: str, rows: Sequence[Sequence[float]]) -> Sequence[float]:
    """One row from the rows of several processes, at least one.

    Sums are exact before they are rounded once: so a sum of values that only rise never falls by a rounding.
    """
    if len(rows) == 1:
        return rows[0]
    if mode == "latest":
        return max(rows, key=lambda row: row[-1])  # when it was set
    together: Callable[[Sequence[float]], float] = _MERGED[mode.removeprefix("live")]
    return [*map(together, zip(*rows, strict=True))]


def _sum(column: Sequence[float]) -> float:
    try:
        return fsum(column)
    except (ValueError, OverflowError):  # infinities of both signs, or a sum beyond what a float holds
        return sum(column)


_MERGED: Final[dict[str, Any]] = {"sum": _sum, "max": max, "min": min}


def sum_rounded_up(column: Sequence[float]) -> float:
    """The least float that is not below the exact sum.

    The sum of the dead takes the place of their values in later sums. Were it rounded down, a counter could fall by a
    rounding, which Prometheus takes for a restart: ``increase`` would then add the whole counter again.
    """
    total = _sum(column)
    return nextafter(total, inf) if isfinite(total) and _sum([*column, -total]) > 0 else total


def by_head(tables: Iterable[Table]) -> dict[Head, list[Table]]:
    """Tables that belong together."""
    found: dict[Head, list[Table]] = {}
    for table in tables:
        found.setdefault(table.head, []).append(table)
    return found


def folded(tables: Iterable[Table], max_series: int) -> list[Table]:
    """Tables of dead processes with one for each metric, and none of a metric of which only those that live count.

    Args:
        tables: The tables, those whose rows come first at the limit in front.
        max_series: How many series each of the library's metrics may have beside its overflow series.
    """
    return [
        _folded(head, found, max_series) for head, found in by_head(tables).items() if not head.mode.startswith("live")
    ]


def _folded(head: Head, tables: Iterable[Table], max_series: int) -> Table:
    rows: Rows = {}
    for key, row in chain.from_iterable(found.rows() for found in tables):
        rows.setdefault(_place(head, key, rows, max_series), []).append(row)
    if head.mode == "sum":
        sums = [[*map(sum_rounded_up, zip(*found, strict=True))] for found in rows.values()]
    else:
        sums = [[*merged(head.mode, found)] for found in rows.values()]
    return Table(head, list(rows), [*chain.from_iterable(sums)])


def _has_room(head: Head, rows: Collection[Key], max_series: int) -> bool:
    """Whether another series may be made, the overflow series not counted."""
    return not head.own or len(rows) - ((OVERFLOW,) * len(head.labels) in rows) < max_series


def _place(head: Head, key: Key, rows: Collection[Key], max_series: int) -> Key:
    """The row in which a row is counted: its own, or the overflow series once the limit is reached."""
    return key if key in rows or _has_room(head, rows, max_series) else (OVERFLOW,) * len(key)


class Merger:
    """Metrics with the values of all processes, filled anew for each scrape.

    Families are kept from one scrape to the next, for with them stays the text around their values.

    Args:
        max_series: How many series the dead may have of each metric.
    """

    def __init__(self, max_series: int) -> None:
        self._max_series = max_series
        self._families: dict[Head, Family[Any]] = {}

    def collectors(self, known: Known, local: Local, dead: Sequence[Table], others: Iterable[Table]) -> Known:
        """What a scrape asks: metrics of all processes where they are published, other collectors as they are.

        Args:
            known: The registry's collectors with the names of their metrics.
            local: What this process has recorded.
            dead: What dead processes had recorded.
            others: What other processes have published.
        """
        tables = by_head(chain(dead, chain.from_iterable(local.values()), others))
        keys = {found.head: set(found.keys) for found in dead}
        answer: Known = []
        shown: set[str] = set()
        for collector, names in known:
            if collector not in local:
                answer.append((collector, names))
            for head in (found.head for found in local.get(collector, ())):
                shown.add(head.name)
                answer.append((self._merged(head, tables[head], keys.get(head, ()), collector), names))
        for head, found in tables.items():  # which this process does not have, or not yet; of each name one
            if head.name not in shown:
                shown.add(head.name)
                answer.append((self._merged(head, found, keys.get(head, ())), []))
        return answer

    def _merged(
        self, head: Head, tables: Iterable[Table], dead: Collection[Key], collector: Collector | None = None
    ) -> Family[Any] | Collected:
        rows: Rows = {}
        # When the dead may have no further series, there are none: what is not among them is counted as overflow.
        # Else a series of a process that lives would fall when the dead's part of it is counted elsewhere.
        full = not _has_room(head, dead, self._max_series)
        for key, row in chain.from_iterable(found.rows() for found in tables):
            rows.setdefault(_place(head, key, dead, 0) if full else key, []).append(row)
        if not head.own:
            return _foreign(head, rows)
        if head not in self._families:
            self._families[head] = KINDS[head.kind](head.spec, max_series=sys.maxsize)
        family = self._families[head]
        _fill(family, head, rows)
        if isinstance(collector, Family) and collector.note is not None:
            family.note = collector.note  # exemplars are those of the process that answers
            for values, cell in collector.series():
                family.labels(*values).extra = cell.extra
        return family


def _fill(family: Family[Any], head: Head, rows: Rows) -> None:
    for values, _ in family.series():
        if values not in rows:
            family.remove(*values)
    in_one_go = max(1, _ONE_GO // (2 + head.width))
    for number, (key, found) in enumerate(rows.items(), 1):
        family.labels(*key).fill(merged(head.mode, found))
        if number % in_one_go == 0:
            sleep(_PAUSE_SECONDS)


def _foreign(head: Head, rows: Rows) -> Collected:
    metric = Metric(head.name, head.help, head.kind, head.unit)
    for (name, *labels), found in rows.items():
        metric.add_sample(name, dict(zip(labels[::2], labels[1::2], strict=True)), merged(head.mode, found)[0])
    return Collected([metric])
