"""Mutants that no case can kill, one by one with the reason: tests/rules/waivers.yaml."""

from dataclasses import dataclass
from pathlib import Path

import yaml


@dataclass(frozen=True)
class Waiver:
    """A mutant that may survive.

    Attributes:
        rule: Name of the rule, as the survivor is printed.
        mutant: `kind: before -> after`, as the survivor is printed.
        reason: Why no case can kill it.
    """

    rule: str
    mutant: str
    reason: str

    @property
    def key(self) -> tuple[str, str]:
        return self.rule, self.mutant

    def __str__(self) -> str:
        return ": ".join(self.key)


def read(file: Path) -> list[Waiver]:
    """The waivers in `file`.

    Raises:
        ValueError: an entry has no reason, or another has waived the same mutant.
    """
    found: list[Waiver] = []
    for entry in yaml.safe_load(file.read_text(encoding="utf-8"))["waivers"]:
        waiver = Waiver(entry["rule"], entry["mutant"], entry.get("reason", ""))
        if not waiver.reason.strip():
            raise ValueError(f"{file.name}: {waiver} has no reason. Say why no case can kill it.")
        if waiver.key in {other.key for other in found}:
            raise ValueError(f"{file.name}: {waiver} is waived twice. Keep one entry.")
        found.append(waiver)
    return found
