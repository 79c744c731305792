"""What one process publishes: tables of values, and the bytes they travel in."""

from __future__ import annotations

import json
import struct
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from zlib import crc32

Key = tuple[str, ...]
"""A row's name: label values of a family's series; of a foreign metric the sample's name and its labels."""

MODES: Final = frozenset({"sum", "livesum", "max", "livemax", "min", "livemin", "latest"})
"""How the values of several processes become one. Those that begin with ``live`` leave dead processes out."""

_MAGIC: Final = b"sergasm1"
_HEAD: Final = struct.Struct("<8sIII")
"""The mark, a checksum of all that follows it, the names' length in bytes, and how many values there are."""
_CHECKED_FROM: Final = 12


class UnreadableError(ValueError):
    """A file is not one that a process of this library has published, or is damaged."""


@dataclass(frozen=True, slots=True)
class Table:
    """The values of one metric: a row for each series.

    Attributes:
        head: What the metric is, as JSON. Only tables of equal heads belong together.
        mode: One of ``MODES``.
        width: Numbers in a row.
        keys: The name of each row.
        values: All rows, one after the other.
        rows: Where each row is among the keys.
    """

    head: str
    mode: str
    width: int
    keys: Sequence[Key]
    values: Sequence[float]
    rows: dict[Key, int]

    def row(self, key: Key) -> Sequence[float] | None:
        """The numbers of one row, if there is one of that name."""
        number = self.rows.get(key)
        return None if number is None else self.values[number * self.width : (number + 1) * self.width]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All tables of one process, or of all that are dead.

    Attributes:
        tables: The tables by their heads. The dead have several of one head: their exact sum, see ``exact_parts``.
        about: Further facts.
        live: Whether the process lives.
    """

    tables: dict[str, list[Table]]
    about: dict[str, Any] = field(default_factory=dict)
    live: bool = False


def table(head: str, mode: str, width: int, keys: Sequence[Key], values: Sequence[float]) -> Table:
    """A table, with its rows numbered."""
    return Table(head, mode, width, keys, values, {key: number for number, key in enumerate(keys)})


def names_of(found: Table) -> str:
    """The part of a table that stays while its values change, as JSON."""
    return json.dumps([found.head, found.mode, found.width, found.keys], separators=(",", ":"))


def encoded(names: Iterable[str], values: array[float], about: dict[str, Any] | None = None) -> bytes:
    """A snapshot's bytes.

    Args:
        names: ``names_of`` each table.
        values: The values of all tables, in the same order.
        about: Further facts, as JSON takes them.
    """
    text = f'{{"about":{json.dumps(about or {})},"tables":[{",".join(names)}]}}'.encode()
    checked = struct.pack("<II", len(text), len(values)) + text + values.tobytes()
    return _MAGIC + struct.pack("<I", crc32(checked)) + checked


class Reader:
    """Reads snapshots, and remembers each one's names: they change when a series is made, the values all the time."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[bytes, dict[str, Any], list[Table]]] = {}

    def read(self, source: str, data: bytes, *, live: bool = False) -> Snapshot:
        """A snapshot from its bytes.

        Args:
            source: Whose it is, to remember its names by.
            data: The bytes.
            live: Whether the process lives.

        Raises:
            UnreadableError: The bytes are not those of a snapshot, or not all of them.
        """
        text, values = _checked(data)
        known = self._known.get(source)
        if known is None or known[0] != text:
            known = self._known[source] = (text, *_parsed(text))
        _, about, shapes = known
        if sum(shape.width * len(shape.keys) for shape in shapes) != len(values):
            raise UnreadableError("it does not hold as many values as it names")
        return Snapshot(_filled(shapes, values), about, live)

    def forget_all_but(self, sources: Iterable[str]) -> None:
        """Forget the names of processes that are gone."""
        kept = set(sources)
        self._known = {source: known for source, known in self._known.items() if source in kept}


def _filled(shapes: Iterable[Table], values: array[float]) -> dict[str, list[Table]]:
    tables: dict[str, list[Table]] = {}
    start = 0
    for shape in shapes:
        end = start + shape.width * len(shape.keys)
        filled = Table(shape.head, shape.mode, shape.width, shape.keys, values[start:end], shape.rows)
        tables.setdefault(shape.head, []).append(filled)
        start = end
    return tables


def _checked(data: bytes) -> tuple[bytes, array[float]]:
    if len(data) < _HEAD.size or not data.startswith(_MAGIC):
        raise UnreadableError("it does not begin as such a file does")
    _, checksum, length, count = _HEAD.unpack_from(data)
    end = _HEAD.size + length
    if len(data) != end + 8 * count:
        raise UnreadableError(f"it has {len(data)} bytes, not {end + 8 * count}")
    if crc32(memoryview(data)[_CHECKED_FROM:]) != checksum:
        raise UnreadableError("its checksum is wrong")
    values = array("d")
    values.frombytes(data[end:])
    return data[_HEAD.size : end], values


def _parsed(text: bytes) -> tuple[dict[str, Any], list[Table]]:
    try:
        found = json.loads(text)
        shapes = [_shape(*entry) for entry in found["tables"]]
        return dict(found["about"]), shapes
    except (ValueError, TypeError, KeyError) as error:
        raise UnreadableError(f"its names cannot be read: {error}") from error


def _shape(head: str, mode: str, width: int, keys: list[list[str]]) -> Table:
    if mode not in MODES:
        raise ValueError(f"there is no mode {mode!r}")
    return table(str(head), mode, int(width), [tuple(key) for key in keys], ())
