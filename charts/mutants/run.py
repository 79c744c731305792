"""Runs mutants against the cases that can see them, many in one process of promtool."""

import json
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from itertools import count
from pathlib import Path
from typing import TypeVar

from charts.mutants.cases import Case, write
from charts.mutants.promtool import Verdict, accepts, test_rules
from charts.mutants.rules import Groups, Mutant

PROCESSES = 2
AT_ONCE = 40
CHECKED_AT_ONCE = 200
# Kinds of mutants that change what an alert shows.
TEXTS = {"annotation", "label", "for"}
Run = tuple[Case, Mutant | None]
Item = TypeVar("Item")


class Fate(Enum):
    """What became of a mutant."""

    KILLED = "killed"
    SURVIVES = "survives"
    # `promtool check rules` refuses it, as Prometheus would.
    INVALID = "invalid"


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant, and how: the case that killed it, or the error that kept cases from their assertions."""

    mutant: Mutant
    fate: Fate
    how: str = ""


class CasesFailError(Exception):
    """Cases fail with the rules as they are."""


class Runner:
    """Runs cases with the rules as they are, and with mutants.

    Args:
        groups: Rule groups as they are.
        cases: All cases.
        folder: For the files of a run, which go after it.
    """

    def __init__(self, groups: Groups, cases: Sequence[Case], folder: Path) -> None:
        self.groups = groups
        self.cases = sorted(cases, key=lambda case: case.price)
        self.folder = folder
        self.numbers = count()

    def require_passing(self) -> None:
        """Raises CasesFailError unless every case passes with the rules as they are."""
        found = zip(self.cases, self._verdicts([(case, None) for case in self.cases]), strict=True)
        failed = [f"{case.file}: {case.name}\n{text}" for case, (verdict, text) in found if verdict != Verdict.PASSED]
        if failed:
            raise CasesFailError("Cases fail before anything is changed. Correct them first.\n" + "\n".join(failed))

    def outcomes(self, mutants: Sequence[Mutant]) -> Iterator[Outcome]:
        """What became of each mutant, as soon as it is known. Cases run in the order of their price up to a kill."""
        alive = []
        for mutant, refused in self._checked(mutants):
            if refused:
                yield Outcome(mutant, Fate.INVALID, refused)
            else:
                alive.append(_Alive(mutant, self._cases_of(mutant)))
        while alive:
            yield from (Outcome(one.mutant, Fate.SURVIVES, one.errors) for one in alive if not one.cases)
            alive = [one for one in alive if one.cases]
            verdicts = self._verdicts([(one.cases[0], one.mutant) for one in alive])
            for one, (verdict, text) in zip(list(alive), verdicts, strict=True):
                if verdict == Verdict.FAILED:
                    yield Outcome(one.mutant, Fate.KILLED, f"{one.cases[0].file}: {one.cases[0].name}")
                    alive.remove(one)
                one.passed(text)

    def _cases_of(self, mutant: Mutant) -> list[Case]:
        seen = [case for case in self.cases if mutant.place in case.sees]
        return sorted(seen, key=lambda case: not case.shows_texts) if mutant.kind in TEXTS else seen

    def _checked(self, mutants: Sequence[Mutant]) -> Iterator[tuple[Mutant, str | None]]:
        """Each mutant with what promtool has against it: first many together, then each where one is wrong."""
        for batch in _batches(mutants, CHECKED_AT_ONCE):
            together = self._refused(batch)
            for mutant in batch:
                yield mutant, self._refused([mutant]) if together else None

    def _refused(self, mutants: Sequence[Mutant]) -> str | None:
        file = self.folder / f"check-{next(self.numbers)}.yaml"
        groups = [{"name": str(number), "rules": [mutant.rule]} for number, mutant in enumerate(mutants)]
        file.write_text(json.dumps({"groups": groups}), encoding="utf-8")
        return accepts(file)

    def _verdicts(self, runs: Sequence[Run]) -> Iterator[tuple[Verdict, str]]:
        with ThreadPoolExecutor(PROCESSES) as pool:
            for found in pool.map(self._batch, _batches(runs, AT_ONCE)):
                yield from found

    def _batch(self, runs: Sequence[Run]) -> list[tuple[Verdict, str]]:
        folders = [self.folder / f"run-{next(self.numbers)}" for _ in runs]
        files = [write(folder, self.groups, *run) for folder, run in zip(folders, runs, strict=True)]
        found = test_rules(files)
        for folder in folders:
            shutil.rmtree(folder)
        return found


class _Alive:
    """A mutant that no case has killed yet, and the cases that have not run."""

    def __init__(self, mutant: Mutant, cases: list[Case]) -> None:
        self.mutant = mutant
        self.cases = cases
        self.errors = ""

    def passed(self, error: str) -> None:
        """The first case is done; `error` says what kept it from its assertions, if anything."""
        self.cases = self.cases[1:]
        self.errors = self.errors or error


def _batches(items: Sequence[Item], size: int) -> list[Sequence[Item]]:
    return [items[begin : begin + size] for begin in range(0, len(items), size)]
