"""What this process has recorded, as tables."""

from __future__ import annotations

import logging
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any, Final

from prometheus_client import GCCollector, Metric, PlatformCollector, ProcessCollector
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.registry import Collector

from .._family import Family
from .._private import mode_of_gauge
from .heads import foreign_head, head_of, mode_of
from .snapshot import Key, Table, names_of

_log = logging.getLogger("sergas_metrics")

PUBLISHED: Final = (MetricWrapperBase, ProcessCollector, PlatformCollector, GCCollector)
"""prometheus-client's own metrics and collectors. Any other collector is the application's: it may be slow to ask, and
what it says of a process it does not say."""

COUNTED: Final = (MetricWrapperBase, GCCollector)
"""Those of them that go on counting in a forked process, from where its parent was."""

_BY_NAME: Final = {"process_start_time_seconds": "livemin", "python_info": "livemax"}
_BY_TYPE: Final = {"counter": "sum", "histogram": "sum", "summary": "sum", "info": "livemax", "stateset": "livemax"}
_DECLARED: Final = {"all": "livesum", "liveall": "livesum", "mostrecent": "latest", "livemostrecent": "latest"}
"""What a gauge of prometheus-client was declared with, where that has another name here."""


@dataclass(frozen=True, slots=True)
class LocalSnapshot:
    """The tables of this process.

    Attributes:
        names: The names of each, as they are published.
        values: The values of all.
        tables: The tables themselves.
        heads: The heads of each collector's tables.
    """

    names: list[str]
    values: array[float]
    tables: list[Table]
    heads: dict[Collector, list[str]]

    def is_blank(self) -> bool:
        """Whether nothing was recorded: what describes the process itself does not count."""
        recorded = {h for c, heads in self.heads.items() if isinstance(c, (Family, MetricWrapperBase)) for h in heads}
        return not any(any(found.values) for found in self.tables if found.head in recorded)


class LocalTables:
    """Makes tables of a registry's metrics, and keeps what only a new series changes."""

    def __init__(self) -> None:
        self._heads: dict[int, tuple[Family[Any], str]] = {}
        self._shapes: dict[str, tuple[Table, str]] = {}
        self._moments: dict[tuple[str, Key], tuple[float, float]] = {}
        self._inherited: dict[tuple[str, Key], float] = {}

    def inherit(self, collectors: Iterable[Collector]) -> None:
        """What prometheus-client's metrics hold now was counted by the process that forked: leave it out."""
        counted = (found for c in collectors if isinstance(c, COUNTED) for found in self._raw(c) if found.mode == "sum")
        self._inherited = {
            (found.head, key): value for found in counted for key, value in zip(found.keys, found.values, strict=True)
        }

    def read(self, collectors: Iterable[Collector]) -> LocalSnapshot:
        """The tables of all collectors that are published."""
        own = LocalSnapshot([], array("d"), [], {})
        for collector in collectors:
            heads = own.heads[collector] = []
            try:
                for found in self._raw(collector):
                    self._add(own, found)
                    heads.append(found.head)
            except Exception:
                _log.exception("collector %s failed; this process publishes nothing of it", type(collector).__name__)
        return own

    def _add(self, own: LocalSnapshot, found: Table) -> None:
        known = self._shapes.get(found.head)
        if known is None or known[0].keys != found.keys:
            shape = replace(found, values=())
            known = self._shapes[found.head] = (shape, names_of(shape))
        shape, names = known
        own.names.append(names)
        own.values.extend(found.values)
        own.tables.append(replace(shape, values=found.values))

    def _raw(self, collector: Collector) -> Iterator[Table]:
        """A collector's tables."""
        if isinstance(collector, Family):
            series = collector.series()
            keys = [values for values, _ in series]
            values = array("d", collector.numbers(series))
            yield Table(self._head(collector), mode_of(collector), collector.width, keys, values)
        elif isinstance(collector, PUBLISHED):
            for metric in collector.collect():
                yield self._foreign(metric, _mode(collector, metric))

    def _head(self, family: Family[Any]) -> str:
        known = self._heads.get(id(family))
        if known is None:
            known = self._heads[id(family)] = (family, head_of(family))
        return known[1]

    def _foreign(self, metric: Metric, mode: str) -> Table:
        head = foreign_head(metric)
        samples = [sample for sample in metric.samples if not sample.name.endswith("_created")]
        keys: list[Key] = [(s.name, *(text for pair in s.labels.items() for text in pair)) for s in samples]
        values = [float(s.value) - self._inherited.get((head, key), 0.0) for s, key in zip(samples, keys, strict=True)]
        if mode == "latest":
            moments = [self._moment(head, key, value) for key, value in zip(keys, values, strict=True)]
            values = [number for pair in zip(values, moments, strict=True) for number in pair]
        return Table(head, mode, 2 if mode == "latest" else 1, keys, array("d", values))

    def _moment(self, head: str, key: Key, value: float) -> float:
        """When a foreign gauge was seen to change, for it does not say itself."""
        known = self._moments.get((head, key))
        if known is None or known[0] != value:
            known = self._moments[head, key] = (value, monotonic() if value or known else 0.0)
        return known[1]


def _mode(collector: Collector, metric: Metric) -> str:
    declared = mode_of_gauge(collector)
    return _BY_NAME.get(metric.name) or _BY_TYPE.get(metric.type) or _DECLARED.get(declared, declared)
