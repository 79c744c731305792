"""The cases in tests/rules, each with the rules that it can see, and no other: records cost time."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import promql_parser as promql
import yaml

from charts.durations import in_seconds
from charts.mutants.rules import Groups, Mutant, Place, Rule, places
from charts.promql import nodes
from charts.promtool import write_cases


class _Loader(yaml.SafeLoader):
    """Reads 0x40 as text: for promtool it is 41 samples of 0, and no number."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:int"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^[-+]?\d+$"), list("-+0123456789"))


@dataclass(frozen=True)
class Case:
    """One entry of `tests` in a file of cases.

    Attributes:
        file: Name of the file without its suffix.
        document: The file in promtool's format with this entry alone.
        sees: Where the rules stand that it can see: those it asks for, and what they read.
    """

    file: str
    document: dict[str, Any]
    sees: frozenset[Place]

    @property
    def name(self) -> str:
        return str(self.document["tests"][0].get("name", "?"))

    @property
    def shows_texts(self) -> bool:
        """Whether it compares labels and annotations of alerts that fire."""
        return any(one["exp_alerts"] for one in self.document["tests"][0].get("alert_rule_test", []))

    @property
    def price(self) -> float:
        """What a kill costs, in no unit. A case with many series tells most rules apart from others."""
        [test] = self.document["tests"]
        asked = [*test.get("alert_rule_test", []), *test.get("promql_expr_test", [])]
        steps = max(in_seconds(one["eval_time"]) for one in asked) / in_seconds(self.document["evaluation_interval"])
        return steps * len(self.sees) / len(test["input_series"]) ** 2


def cases(groups: Groups, folder: Path) -> list[Case]:
    """Every case in `folder`.

    Those of <alert>.yaml and seldom/<alert>.yaml see the alert alone, and give the records it reads as series. Those of
    recording/*.yaml see the records that they ask for, and those that these read.
    """
    found = []
    for file in sorted([*folder.glob("[A-Z]*.yaml"), *folder.glob("seldom/*.yaml")]):
        sees = frozenset(place for place, rule in places(groups) if rule.get("alert") == file.stem)
        found += [Case(file.stem, document, sees) for document in _documents(file)]
    records = _Records(groups)
    for file in sorted((folder / "recording").glob("*.yaml")):
        found += [Case(file.stem, document, records.seen_by(document)) for document in _documents(file)]
    return found


def _documents(file: Path) -> Iterator[dict[str, Any]]:
    document = yaml.load(file.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - it is a SafeLoader
    yield from (document | {"tests": [test]} for test in document["tests"])


class _Records:
    """What reads what, of the records in some groups."""

    def __init__(self, groups: Groups) -> None:
        self.by_name: dict[str, dict[Place, set[str]]] = {}
        self.names: set[str] = {rule["record"] for _, rule in places(groups) if "record" in rule}
        for place, rule in places(groups):
            if "record" in rule:
                self.by_name.setdefault(rule["record"], {})[place] = self.read_by(rule["expr"])

    def read_by(self, expr: str) -> set[str]:
        """Names of the records that `expr` reads."""
        selectors = [node for node in nodes(promql.parse(expr)) if isinstance(node, promql.VectorSelector)]
        return {name for name in self.names for selector in selectors if _selects(selector, name)}

    def seen_by(self, document: dict[str, Any]) -> frozenset[Place]:
        """Where the records stand that a case asks for, through all records that they read."""
        asked = [one["expr"] for test in document["tests"] for one in test["promql_expr_test"]]
        todo, done, found = set().union(*map(self.read_by, asked)), set[str](), set[Place]()
        while todo:
            name = todo.pop()
            done.add(name)
            found |= self.by_name[name].keys()
            todo |= set().union(*self.by_name[name].values()) - done
        return frozenset(found)


def _selects(selector: Any, name: str) -> bool:
    """Whether a selector can select series of this name; one without a name is written {__name__=~"..."}."""
    if selector.name:
        return bool(selector.name == name)
    patterns = [one.value for one in selector.matchers.matchers if one.name == "__name__"]
    return any(re.fullmatch(pattern, name) for pattern in patterns)


def write(folder: Path, groups: Groups, case: Case, mutant: Mutant | None) -> Path:
    """Write a case and the rules that it sees, with the mutant in the place of its rule; the path of the case."""
    folder.mkdir()
    kept = [group | {"rules": _seen(number, group["rules"], case, mutant)} for number, group in enumerate(groups)]
    return write_cases(folder, [group for group in kept if group["rules"]], case.document)


def _seen(group: int, rules: list[Rule], case: Case, mutant: Mutant | None) -> list[Rule]:
    there = [(Place(group, number), rule) for number, rule in enumerate(rules) if Place(group, number) in case.sees]
    return [mutant.rule if mutant and mutant.place == place else rule for place, rule in there]
