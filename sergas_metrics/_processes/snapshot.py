"""What one process publishes: tables of values, and the bytes they travel in."""

from __future__ import annotations

import json
import struct
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final
from zlib import crc32

Key = tuple[str, ...]
"""A row's name: label values of a family's series; of a foreign metric the sample's name and its labels."""

MODES: Final = frozenset({"sum", "livesum", "max", "livemax", "min", "livemin", "latest"})
"""How the values of several processes become one. Those that begin with ``live`` leave dead processes out."""

_MAGIC: Final = b"sergasm2"
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
    """

    head: str
    mode: str
    width: int
    keys: Sequence[Key]
    values: Sequence[float]

    def items(self) -> Iterator[tuple[Key, Sequence[float]]]:
        """The name and the numbers of each row."""
        width, values = self.width, self.values
        for number, key in enumerate(self.keys):
            yield key, values[number * width : (number + 1) * width]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All tables of one process, or of all that are dead.

    Attributes:
        tables: The tables by their heads.
        about: Further facts.
        live: Whether the process lives.
    """

    tables: dict[str, Table]
    about: dict[str, Any] = field(default_factory=dict)
    live: bool = False


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
        tables, start = {}, 0
        for shape in shapes:
            end = start + shape.width * len(shape.keys)
            tables[shape.head] = replace(shape, values=values[start:end])
            start = end
        if start != len(values):
            raise UnreadableError("it does not hold as many values as it names")
        return Snapshot(tables, about, live)

    def forget_all_but(self, sources: Iterable[str]) -> None:
        """Forget the names of processes that are gone."""
        kept = set(sources)
        self._known = {source: known for source, known in self._known.items() if source in kept}


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
        shapes = [Table(str(h), mode, int(w), [*map(tuple, keys)], ()) for h, mode, w, keys in found["tables"]]
        about = dict(found["about"])
    except (ValueError, TypeError, KeyError) as error:
        raise UnreadableError(f"its names cannot be read: {error}") from error
    if unknown := {shape.mode for shape in shapes} - MODES:
        raise UnreadableError(f"its names cannot be read: there is no mode {', '.join(unknown)}")
    return about, shapes
