"""Results: rows of one shape, as a table for people and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """One figure.

    Attributes:
        name: What was measured.
        value: The figure.
        unit: Its unit; ``x`` for a ratio.
        peer: What it is compared with, empty for a figure of its own.
        target: What it should be, such as ``>= 5``; empty where nothing is asked.
    """

    name: str
    value: float
    unit: str
    peer: str = ""
    target: str = ""

    @property
    def ok(self) -> bool:
        """Whether the target is met; a figure without one always is."""
        if not self.target:
            return True
        sign, wanted = self.target.split()
        return self.value >= float(wanted) if sign == ">=" else self.value <= float(wanted)


def table(rows: Iterable[Row]) -> str:
    """The rows in columns."""
    lines = [f"{'measured':<52} {'value':>12} {'unit':<14} {'against':<40} {'target':<9} ok"]
    for row in rows:
        verdict = ("yes" if row.ok else "NO") if row.target else ""
        lines.append(f"{row.name:<52} {row.value:>12.3g} {row.unit:<14} {row.peer:<40} {row.target:<9} {verdict}")
    return "\n".join(lines)


def write(path: Path, rows: Iterable[Row]) -> None:
    """Write the rows as a JSON list of {name, value, unit, peer, target, ok}."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(row) | {"ok": row.ok} for row in rows], indent=1) + "\n")
