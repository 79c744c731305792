"""What one process has recorded: tables of values, and the bytes in which they are published."""

from __future__ import annotations

import json
import logging
import struct
from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from time import monotonic
from typing import Any, Final, NamedTuple
from zlib import crc32

from prometheus_client import GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.registry import Collector

from .._family import Family
from .._private import mode_of_gauge
from ..catalogue import MetricSpec

_log = logging.getLogger("sergas_metrics")

PUBLISHED: Final = (Family, MetricWrapperBase, ProcessCollector, PlatformCollector, GCCollector)
"""The library's metrics, and prometheus-client's. Any other collector is the application's: it may be slow to ask, and
what it says of a process it does not say."""

_INHERITED: Final = (MetricWrapperBase, GCCollector)
"""Those that go on counting in a forked process, from where its parent was."""

_RECORDED: Final = (Family, MetricWrapperBase)
"""Those that say more than what the process itself is."""

MODES: Final = frozenset({"sum", "livesum", "max", "livemax", "min", "livemin", "latest"})
"""How the values of several processes become one. Those that begin with ``live`` leave dead processes out."""

_BY_NAME: Final = {"process_start_time_seconds": "livemin", "python_info": "livemax"}
_BY_TYPE: Final = {"counter": "sum", "histogram": "sum", "summary": "sum", "info": "livemax", "stateset": "livemax"}
_DECLARED: Final = {"all": "livesum", "liveall": "livesum", "mostrecent": "latest", "livemostrecent": "latest"}
"""What a gauge of prometheus-client was declared with, where that has another name here."""

_MARK: Final = b"sergasm3"
_HEAD: Final = struct.Struct("<8sII")
"""The mark, the names' length in bytes, and a checksum of the names and the values, which follow."""

Key = tuple[str, ...]
"""A row's name: label values of a family's series; of a foreign metric the sample's name and its labels."""


class UnreadableError(ValueError):
    """A file is not one that a process of this library has published, or is damaged."""


class Head(NamedTuple):
    """What a metric is. Only tables of equal heads belong together: a change of code may give a name another.

    Attributes:
        own: Whether it is the library's, and not prometheus-client's.
        mode: One of ``MODES``.
    """

    own: bool
    name: str
    kind: str
    help: str
    unit: str
    labels: tuple[str, ...]
    buckets: tuple[float, ...]
    mode: str

    @property
    def width(self) -> int:
        """Numbers in a row: of a histogram its counts and its sum, of gauges with a moment also when they were set."""
        if self.own:
            return {"counter": 1, "gauge": 2}.get(self.kind, len(self.buckets) + 2)
        return 2 if self.mode == "latest" else 1

    @property
    def spec(self) -> MetricSpec:
        """The metric, where it is the library's."""
        across: Any = self.mode.removeprefix("live")
        kind: Any = self.kind
        return MetricSpec(self.name, kind, self.help, self.labels, self.unit, self.buckets, across=across)


def head_of(spec: MetricSpec) -> Head:
    """The head of a metric of the library."""
    mode = "livesum" if spec.kind == "gauge" and spec.across == "sum" else spec.across
    return Head(True, spec.name, spec.kind, spec.help, spec.unit, spec.labels, spec.buckets, mode)


class Table(NamedTuple):
    """The values of one metric: a row for each series.

    Attributes:
        head: What the metric is.
        keys: The name of each row.
        values: All rows, one after the other.
    """

    head: Head
    keys: Sequence[Key]
    values: Sequence[float]

    def rows(self) -> Iterator[tuple[Key, Sequence[float]]]:
        """The name and the numbers of each row."""
        width, values = self.head.width, self.values
        for number, key in enumerate(self.keys):
            yield key, values[number * width : (number + 1) * width]


Local = dict[Collector, list[Table]]
"""The tables of each collector of this process that is published."""


def is_blank(local: Local) -> bool:
    """Whether nothing was recorded: what describes the process itself does not count."""
    recorded = (found for collector, tables in local.items() if isinstance(collector, _RECORDED) for found in tables)
    return not any(any(found.values) for found in recorded)


class LocalReader:
    """Makes tables of this process's metrics."""

    def __init__(self) -> None:
        self._moments: dict[tuple[Head, Key], tuple[float, float]] = {}
        self._inherited: dict[tuple[Head, Key], float] = {}

    def inherit(self, collectors: Iterable[Collector]) -> None:
        """What prometheus-client's metrics hold now was counted by the process that forked: leave it out."""
        tables = chain.from_iterable(self._foreign(found) for found in collectors if isinstance(found, _INHERITED))
        counts = [found for found in tables if found.head.mode == "sum"]
        self._inherited = {(found.head, key): value for found in counts for key, (value,) in found.rows()}

    def read(self, collectors: Iterable[Collector]) -> Local:
        """The tables of all collectors that are published."""
        local: Local = {}
        for collector in collectors:
            local[collector] = []
            try:
                local[collector] += _own(collector) if isinstance(collector, Family) else self._foreign(collector)
            except Exception:
                _log.exception("collector %s failed; this process publishes nothing of it", type(collector).__name__)
        return local

    def _foreign(self, collector: Collector) -> Iterator[Table]:
        declared = mode_of_gauge(collector)
        for metric in collector.collect():
            mode = _BY_NAME.get(metric.name) or _BY_TYPE.get(metric.type) or _DECLARED.get(declared, declared)
            head = Head(False, metric.name, metric.type, metric.documentation, metric.unit, (), (), mode)
            samples = [sample for sample in metric.samples if not sample.name.endswith("_created")]
            keys: list[Key] = [(s.name, *chain.from_iterable(s.labels.items())) for s in samples]
            values = [float(s.value) - self._inherited.get((head, k), 0.0) for s, k in zip(samples, keys, strict=True)]
            if mode == "latest":
                moments = [self._moment(head, key, value) for key, value in zip(keys, values, strict=True)]
                values = [*chain.from_iterable(zip(values, moments, strict=True))]
            yield Table(head, keys, values)

    def _moment(self, head: Head, key: Key, value: float) -> float:
        """When a foreign gauge was seen to change, for it does not say itself."""
        known = self._moments.get((head, key))
        if known is None or known[0] != value:
            known = self._moments[head, key] = (value, monotonic() if value or known else 0.0)
        return known[1]


def _own(family: Family[Any]) -> Iterator[Table]:
    series = family.series()
    values = [*chain.from_iterable(cell.numbers() for _, cell in series)]
    yield Table(head_of(family.spec), [values for values, _ in series], values)


class Names(NamedTuple):
    """The part of a snapshot that changes with a new series alone, and is kept from one reading to the next.

    Attributes:
        text: As JSON.
        about: Further facts.
        tables: The head and the keys of each table.
    """

    text: bytes
    about: dict[str, Any]
    tables: Sequence[tuple[Head, Sequence[Key]]]


def encoded(
    tables: Iterable[Table], about: dict[str, Any] | None = None, known: Names | None = None
) -> tuple[Names, bytes]:
    """Tables as bytes.

    Args:
        tables: The tables.
        about: Further facts, as JSON takes them.
        known: What the names of the same process were before.
    """
    tables = list(tables)
    names = [(found.head, found.keys) for found in tables]
    if known is None or known.tables != names:
        text = json.dumps({"about": about or {}, "tables": names}, separators=(",", ":")).encode()
        known = Names(text, about or {}, names)
    body = known.text + array("d", chain.from_iterable(found.values for found in tables)).tobytes()
    return known, _HEAD.pack(_MARK, len(known.text), crc32(body)) + body


def decoded(data: bytes, known: Names | None = None) -> tuple[Names, list[Table]]:
    """A snapshot from its bytes.

    Args:
        data: The bytes.
        known: What its names were when it was read before.

    Raises:
        UnreadableError: The bytes are not those of a snapshot, or not all of them.
    """
    if len(data) < _HEAD.size or not data.startswith(_MARK):
        raise UnreadableError("it does not begin as such a file does")
    _, length, checksum = _HEAD.unpack_from(data)
    body = data[_HEAD.size :]
    if crc32(body) != checksum:
        raise UnreadableError("its checksum is wrong")
    text, values = body[:length], array("d")
    values.frombytes(body[length:])
    names = known if known is not None and known.text == text else _parsed(text)
    tables, start = [], 0
    for head, keys in names.tables:
        end = start + head.width * len(keys)
        tables.append(Table(head, keys, values[start:end]))
        start = end
    if start != len(values):
        raise UnreadableError(f"it holds {len(values)} values, not {start}")
    return names, tables


def _parsed(text: bytes) -> Names:
    try:
        found = json.loads(text)
        heads = [(Head(*head), [*map(tuple, keys)]) for head, keys in found["tables"]]
        tables = [(head._replace(labels=tuple(head.labels), buckets=tuple(head.buckets)), keys) for head, keys in heads]
        about = dict(found["about"])
    except (ValueError, TypeError, KeyError) as error:
        raise UnreadableError(f"its names cannot be read: {error}") from error
    if unknown := {head.mode for head, _ in tables} - MODES:
        raise UnreadableError(f"its names cannot be read: there is no mode {', '.join(unknown)}")
    return Names(text, about, tables)
