"""Mutants of the operator and of the digest: what can be changed, by the mutation operators of mutmut."""

from __future__ import annotations

import difflib
import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import libcst as cst
import libcst.matchers as m
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.file_mutation import MutationVisitor
from mutmut.mutation.mutators import mutation_operators
from mutmut.mutation.pragma_handling import IgnoredCode

# A call that logs, or that makes an error, takes a text for people. Tests hold the meaning of such a text, its names
# and values, but not every word of it.
_TEXT_FOR_PEOPLE = m.Call(
    func=m.Attribute(attr=m.OneOf(*map(m.Name, ("debug", "info", "warning", "error", "exception"))))
)


@dataclass(frozen=True)
class Mutant:
    """One change of one file. `lines` are the lines of the original that the change touches, counted from 1."""

    path: Path
    lines: range
    source: str
    before: str
    after: str

    @property
    def key(self) -> str:
        """What a waiver names: it stays the same when the code around the change moves."""
        return f"{self.path.as_posix()}: {self.before} -> {self.after}"


@dataclass(frozen=True)
class Place:
    """A node of a module, and what mutation operators make of it."""

    path: Path
    module: cst.Module
    node: cst.CSTNode
    lines: range
    changes: list[cst.CSTNode]

    def mutants(self) -> Iterator[Mutant]:
        """Those changes that are Python."""
        for change in self.changes:
            text = self.module.deep_replace(self.node, change).code
            try:
                compile(text, self.path, "exec")
            except SyntaxError:
                continue
            yield Mutant(self.path, self.lines, text, *_changed_lines(self.module.code, text))


class _Visitor(MutationVisitor):
    """Finds the places of a module.

    mutmut leaves decorated functions out, because it puts its own function in their place. Here the change is made in
    the text of the file, so they are included, without their decorators.
    """

    def __init__(self) -> None:
        super().__init__(mutation_operators, IgnoredCode(set(), set(), set()))
        self.found: list[tuple[cst.CSTNode, range, list[cst.CSTNode]]] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        return not m.matches(node, _TEXT_FOR_PEOPLE) and bool(super().on_visit(node))

    def _skip_node_and_children(self, node: cst.CSTNode) -> bool:
        return not isinstance(node, cst.FunctionDef) and bool(super()._skip_node_and_children(node))

    def _create_mutations(self, node: cst.CSTNode) -> None:
        position = self.get_metadata(PositionProvider, node, None)
        changes = [change for kind, mutate in mutation_operators if isinstance(node, kind) for change in mutate(node)]
        if position and changes:
            self.found.append((node, range(position.start.line, position.end.line + 1), changes))


def places(path: Path, root: Path) -> list[Place]:
    """Every place of a file."""
    visitor = _Visitor()
    module = MetadataWrapper(cst.parse_module((root / path).read_text())).visit(visitor)
    return [Place(path, module, *found) for found in visitor.found]


def sample(root: Path, folders: tuple[str, ...], count: int, seed: int) -> list[Mutant]:
    """One mutant of each of `count` places drawn at random: the same for a seed and a source."""
    chance = random.Random(seed)
    files = sorted(file for folder in folders for file in (root / folder).rglob("*.py"))
    drawn = [place for file in files for place in places(file.relative_to(root), root)]
    chance.shuffle(drawn)
    found: list[Mutant] = []
    while drawn and len(found) < count:
        place = drawn.pop()
        chance.shuffle(place.changes)
        found.extend(itertools.islice(place.mutants(), 1))
    return sorted(found, key=lambda mutant: (mutant.path, mutant.lines.start))


def _changed_lines(source: str, text: str) -> tuple[str, str]:
    """The lines that differ, without indentation, joined to one line each."""
    removed, added = [], []
    for line in difflib.unified_diff(source.splitlines(), text.splitlines(), n=0, lineterm=""):
        if line.startswith("-") and not line.startswith("---"):
            removed.append(line[1:].strip())
        if line.startswith("+") and not line.startswith("+++"):
            added.append(line[1:].strip())
    return " ".join(removed), " ".join(added)
