"""The rows of a benchmark: values with their targets, as a table and as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Row:
    """One result.

    Attributes:
        name: what was measured.
        value: the result, in `unit`.
        unit: its unit.
        peer: what rhobs/observability-operator needs for the same, measured on 2 cores; None when it was not measured.
        target: the largest value that is acceptable; None when there is no target.
        ok: whether the value meets the target.
    """

    name: str
    value: float
    unit: str
    peer: float | None
    target: float | None
    ok: bool


def row(name: str, value: float, unit: str, target: float | None = None, peer: float | None = None) -> Row:
    """Return a row whose value must not exceed `target`."""
    return Row(name, round(value, 1), unit, peer, target, target is None or value <= target)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that `share` of all values do not exceed."""
    return sorted(values)[math.ceil(len(values) * share) - 1]


def show(rows: Sequence[Row], title: str) -> None:
    """Print the rows as a table."""
    table = Table(title=title)
    for column in ("", "value", "unit", "peer", "target", ""):
        table.add_column(column, justify="left" if column in ("", "unit") else "right")
    for found in rows:
        numbers = ("" if number is None else f"{number:g}" for number in (found.peer, found.target))
        table.add_row(found.name, f"{found.value:g}", found.unit, *numbers, "ok" if found.ok else "MISSED")
    Console().print(table)


def save(rows: Sequence[Row], path: Path) -> None:
    """Write the rows as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(found) for found in rows], indent=2) + "\n")


def exit_status(rows: Sequence[Row]) -> int:
    """Return 1 when a target is missed or nothing was measured, 0 otherwise."""
    return int(not rows or not all(found.ok for found in rows))
