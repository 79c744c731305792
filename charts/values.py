"""What values.yaml says of each of its keys. README.md, values.schema.json and the tests read it from here."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from charts.helm import CHART

FILE = CHART / "values.yaml"
MARK = "-- "


@dataclass(frozen=True)
class Value:
    """One key of values.yaml.

    Attributes:
        path: its keys from the root.
        default: what it holds.
        comment: lines of the comment right above it, without `#` and `--`; none when there is none.
        parts: whether the keys below it are described one by one.
    """

    path: tuple[str, ...]
    default: Any
    comment: tuple[str, ...]
    parts: bool

    @property
    def name(self) -> str:
        """The path as `--set` takes it."""
        return ".".join(self.path)

    @property
    def description(self) -> str:
        """The comment as one text, up to its first example (an indented line)."""
        text = []
        for line in self.comment:
            if line.startswith("  "):
                break
            text.append(line)
        return " ".join(text)


@cache
def dependencies() -> frozenset[str]:
    """Names of the charts this one depends on; the values below these keys are theirs."""
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    return frozenset(entry["name"] for entry in chart["dependencies"])


def read(file: Path = FILE) -> list[Value]:
    """Every key of a values file, in its order; of a mapping whose keys have no comment, the mapping alone."""
    text = file.read_text(encoding="utf-8")
    return list(_below(yaml.compose(text, Loader=yaml.SafeLoader), yaml.safe_load(text), (), text.splitlines()))


def ours(values: list[Value]) -> list[Value]:
    """Those this chart reads itself: all but what lies below a dependency's name."""
    return [value for value in values if value.path[0] not in dependencies()]


def _below(node: yaml.Node | None, value: Any, path: tuple[str, ...], lines: list[str]) -> Iterator[Value]:
    if not isinstance(node, yaml.MappingNode):
        return
    for key, content in node.value:
        default, here = value[key.value], (*path, key.value)
        parts = isinstance(content, yaml.MappingNode) and _commented(content, lines)
        yield Value(here, default, _comment(lines, key), parts)
        if parts:
            yield from _below(content, default, here, lines)


def _commented(node: yaml.MappingNode, lines: list[str]) -> bool:
    return any(_comment(lines, key) or _holds_comment(content, lines) for key, content in node.value)


def _holds_comment(node: yaml.Node, lines: list[str]) -> bool:
    return isinstance(node, yaml.MappingNode) and _commented(node, lines)


def _comment(lines: list[str], key: yaml.Node) -> tuple[str, ...]:
    """The comment lines right above `key` that begin in its column."""
    found: list[str] = []
    column = key.start_mark.column
    for line in reversed(lines[: key.start_mark.line]):
        if line[:column].strip() or not line[column:].startswith("#"):
            break
        found.insert(0, line[column:].removeprefix("#").removeprefix(" ").rstrip())
    if found:
        found[0] = found[0].removeprefix(MARK)
    return tuple(found)
