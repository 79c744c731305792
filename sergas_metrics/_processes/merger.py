"""The metrics of all processes, put together for a scrape."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from time import sleep
from typing import Any, Final

from prometheus_client.registry import Collector

from .._families import TracedFamily
from .._family import Family
from .heads import ForeignMetric, is_family, metric_of, name_of
from .local import LocalSnapshot
from .merging import has_room, home, merged
from .snapshot import Key, Snapshot, Table

_ONE_GO: Final = 640
"""What is put together without a pause: a row counts two and its numbers, so it is 40 rows of a usual histogram."""
_PAUSE_SECONDS: Final = 50e-6
"""Between two goes: other threads, an event loop's above all, get their turn."""

Known = list[tuple[Collector, list[str]]]
Combined = Family[Any] | ForeignMetric


class Merger:
    """Metrics with the values of all processes, filled anew for each scrape.

    They are kept from one scrape to the next, for with them stays the text around their values.

    Args:
        max_series: How many series the dead may have of each metric.
    """

    def __init__(self, max_series: int) -> None:
        self._max_series = max_series
        self._metrics: dict[str, Combined] = {}

    def collectors(self, known: Known, own: LocalSnapshot, dead: Snapshot | None, others: Iterable[Snapshot]) -> Known:
        """What a scrape asks: metrics of all processes where they are published, other collectors as they are.

        Args:
            known: The registry's collectors with the names of their metrics.
            own: What this process has recorded.
            dead: What dead processes had recorded.
            others: What other processes have published.
        """
        tables = _by_head(own, dead, others)
        answer: Known = []
        shown: set[str] = set()
        for collector, names in known:
            heads = own.heads.get(collector)
            if heads is None:
                answer.append((collector, names))
                continue
            for head in heads:
                shown.add(name_of(head))
                answer.append((self._filled(head, tables[head], dead, collector), names))
        answer += [(self._filled(head, tables[head], dead), []) for head in _unknown_here(tables, shown)]
        return answer

    def _filled(
        self, head: str, tables: Sequence[Table], dead: Snapshot | None, collector: Collector | None = None
    ) -> Combined:
        metric = self._metrics.get(head)
        if metric is None:
            metric = self._metrics[head] = _new(head, collector)
        rows = _rows(tables, self._full(head, dead))
        if isinstance(metric, ForeignMetric):
            metric.begin()
        else:
            metric.keep_only(rows)
        in_one_go = max(1, _ONE_GO // (2 + tables[0].width)) if tables else 1
        for number, (key, found) in enumerate(rows.items(), 1):
            metric.fill(key, merged(tables[0].mode, found))
            if number % in_one_go == 0:
                sleep(_PAUSE_SECONDS)
        if isinstance(metric, TracedFamily) and isinstance(collector, TracedFamily):
            metric.take_exemplars(collector)  # those of the process that answers
        return metric

    def _full(self, head: str, dead: Snapshot | None) -> Collection[Key] | None:
        """The series of the dead if there may be no others: what is not among them is counted as overflow.

        Else a series of a process that lives would fall when the dead's part of it is counted elsewhere.
        """
        if dead is None or not is_family(head):
            return None
        table = dead.tables.get(head)
        keys = set(table.keys) if table else set()
        return None if has_room(keys, len(next(iter(keys), ())), self._max_series) else keys


def _by_head(own: LocalSnapshot, dead: Snapshot | None, others: Iterable[Snapshot]) -> dict[str, list[Table]]:
    tables: dict[str, list[Table]] = {}
    found = [*dead.tables.values()] if dead else []
    found += own.tables
    for snapshot in others:
        found += [t for t in snapshot.tables.values() if snapshot.live or not t.mode.startswith("live")]
    for table in found:
        tables.setdefault(table.head, []).append(table)
    return tables


def _unknown_here(tables: dict[str, list[Table]], shown: set[str]) -> Iterator[str]:
    """Heads of metrics that this process does not have, or not yet; of each name one alone."""
    for head, found in tables.items():
        name = name_of(head)
        if name not in shown and found:
            shown.add(name)
            yield head


def _rows(tables: Iterable[Table], full: Collection[Key] | None) -> dict[Key, list[Sequence[float]]]:
    rows: dict[Key, list[Sequence[float]]] = {}
    for table in tables:
        for key, row in table.items():
            rows.setdefault(key if full is None else home(key, full, 0), []).append(row)
    return rows


def _new(head: str, collector: Collector | None) -> Combined:
    if isinstance(collector, TracedFamily) and collector.trace is not None:
        return type(collector)(collector.spec, max_series=sys.maxsize, trace=collector.trace)
    return metric_of(head)
