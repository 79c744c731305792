"""What a run of mutants comes to: problems, and a table by kind."""

from collections import Counter
from collections.abc import Iterable, Iterator

from charts.mutants.rules import Mutant
from charts.mutants.run import Fate, Outcome
from charts.mutants.waivers import Waiver

COLUMNS = ("made", "killed", "waived", "invalid", "survive")


def line(outcome: Outcome, waivers: Iterable[Waiver]) -> str:
    """A sentence about a mutant that is invalid, or survives without a waiver; empty for all others."""
    mutant, fate = outcome.mutant, outcome.fate
    if fate == Fate.KILLED or (fate == Fate.SURVIVES and mutant.key in {waiver.key for waiver in waivers}):
        return ""
    return f"{fate.value}: {mutant}" + (f"\n    {outcome.how}" if outcome.how else "")


def stale(outcomes: Iterable[Outcome], waivers: Iterable[Waiver], mutants: Iterable[Mutant]) -> Iterator[str]:
    """A sentence for each waiver that waives nothing. `mutants` are all there are, also those that did not run."""
    there = {mutant.key for mutant in mutants}
    fates = {outcome.mutant.key: outcome.fate for outcome in outcomes}
    for waiver in waivers:
        if waiver.key not in there:
            yield f"waiver without a mutant: {waiver}. Remove it from waivers.yaml."
        elif fates.get(waiver.key, Fate.SURVIVES) != Fate.SURVIVES:
            yield f"waiver of a mutant that is {fates[waiver.key].value}: {waiver}. Remove it from waivers.yaml."


def table(outcomes: Iterable[Outcome], waivers: Iterable[Waiver]) -> str:
    """How many mutants of each kind there were, and what became of them."""
    waived = {waiver.key for waiver in waivers}
    counted: dict[str, Counter[str]] = {}
    for outcome in outcomes:
        fate = outcome.fate.value
        if outcome.fate == Fate.SURVIVES:
            fate = "waived" if outcome.mutant.key in waived else "survive"
        for kind in (outcome.mutant.kind, "total"):
            counted.setdefault(kind, Counter()).update(["made", fate])
    kinds = sorted(counted, key=lambda kind: (kind == "total", kind))
    lines = [f"{'':14}" + "".join(f"{column:>9}" for column in COLUMNS)]
    lines += [f"{kind:14}" + "".join(f"{counted[kind][column]:9}" for column in COLUMNS) for kind in kinds]
    return "\n".join(lines)
