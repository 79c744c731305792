"""What pages, dashboards and messages refer to: fields, values, commands and alerts, with where each is named."""

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from charts.helm import CHART, ROOT
from charts.values import dependencies
from charts.values_schema import Schema, resolved

# Written by hand or by a generator from what is written by hand. The API reference comes from the CRD itself.
PAGES = ("*.md", "docs/**/*.md", "charts/**/*.md", "manifests/**/*.md", "examples/**/*.md")
TEXTS = (
    "charts/sergas-monitoring/templates/*.tpl",
    "charts/sergas-monitoring/templates/NOTES.txt",
    "charts/sergas-monitoring/values.yaml",
    "charts/sergas-monitoring/files/moved-settings.yaml",
    "charts/sergas-monitoring/alerts/*.yaml",
    "charts/sergas-monitoring/recording/*.yaml",
    "charts/sergas-monitoring/slos.yaml",
    "charts/sergas-monitoring/dashboards/*.json",
)
CODE = ("operator/sergas_operator/**/*.py", "operator/sergas_digest/**/*.py")
LEFT_OUT = {"CHANGELOG.md"}

# A path, or the patch of an object's spec.
FIELD = re.compile(r"(?<![\w./-])(?:sergasMonitoring\.)?((?:spec|status)(?:\.[a-zA-Z]\w*(?:\[\d*\])?)+)")
PATCH = re.compile(r'"(spec|status)":\{"(\w+)"')
MAKE = re.compile(r"(?:`|^|&& )make ([a-z][a-z0-9-]*)")
MODULE = re.compile(r"\bpython -m ([a-z_]+(?:\.[a-z_]+)*)")
ALERT = re.compile(r"`([A-Z][a-z]+(?:[A-Z][A-Za-z]*)+)`|alertname(?:=~?|: )\"?([A-Z]\w+)|runbooks/([A-Z]\w+)\.md")
# What looks like a path of values and is a file, or a label's domain.
NO_VALUE = re.compile(r"\.(?:md|py|json|ya?ml|html|txt|sqlite|route|kubernetes)\b")


@dataclass(frozen=True)
class Reference:
    """Something that is named.

    Attributes:
        name: as it is written.
        place: file and line.
    """

    name: str
    place: str


def pages() -> list[Path]:
    """Every page of the repository."""
    found = {file for pattern in PAGES for file in ROOT.glob(pattern)}
    return sorted(file for file in found if file.name not in LEFT_OUT and "node_modules" not in file.parts)


def texts() -> list[Path]:
    """Files other than pages whose text people read."""
    return sorted({file for pattern in TEXTS for file in ROOT.glob(pattern)})


@cache
def lines() -> list[tuple[str, str]]:
    """Every line that people read, with its place. Of Python files, the text in strings."""
    found = []
    for file in [*pages(), *texts()]:
        name = str(file.relative_to(ROOT))
        text = readable(file)
        found += [(line, f"{name}:{number}") for number, line in enumerate(text.splitlines(), 1)]
    for pattern in CODE:
        for file in sorted(ROOT.glob(pattern)):
            tree = ast.parse(file.read_text(encoding="utf-8"))
            for node in ast.walk(tree):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.append((node.value, f"{file.relative_to(ROOT)}:{node.lineno}"))
    return found


def readable(file: Path) -> str:
    """The text of a file; of a dashboard, titles and descriptions alone."""
    text = file.read_text(encoding="utf-8")
    if file.suffix != ".json":
        return text
    return "\n".join(said(json.loads(text)))


def said(node: Any) -> Iterator[str]:
    """Titles, descriptions and texts anywhere in a dashboard."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in {"title", "description", "content"} and isinstance(value, str):
                yield " ".join(value.split())
            else:
                yield from said(value)
    elif isinstance(node, list):
        for part in node:
            yield from said(part)


def named(pattern: re.Pattern[str]) -> Iterator[Reference]:
    """Everything that matches in any line; the groups that match are the parts of its path."""
    for line, place in lines():
        for match in pattern.finditer(line):
            yield Reference(".".join(group for group in match.groups() if group), place)


def values() -> Iterator[Reference]:
    """Paths of the chart's own values: those that begin with a key of values.yaml, but for a dependency's."""
    known = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    roots = "|".join(sorted(known.keys() - dependencies()))
    for reference in named(re.compile(rf"(?<![\w./@-])((?:{roots})(?:\.[\w-]+)+)(?![\w/(-]|:\S)")):
        # Paths below the stack, as the advice has them.
        if not NO_VALUE.search(reference.name) and "moved-settings" not in reference.place:
            yield reference


@cache
def fields() -> Schema:
    """The schema of a SergasMonitoring."""
    crd = yaml.safe_load((CHART / "crds" / "sergasmonitorings.yaml").read_text(encoding="utf-8"))
    found: Schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return found


@cache
def value_schema() -> Schema:
    """The schema of the chart's values."""
    found: Schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
    return found


def exists(path: str, schema: Schema) -> bool:
    """Whether a schema has `path`; below a mapping of free keys everything exists."""
    place = schema
    for key in re.sub(r"\[\d*\]", "", path).split("."):
        place = resolved(schema, resolved(schema, place).get("items", place))
        known = place.get("properties")
        if known is None:
            return "object" in place.get("type", ())
        if key not in known:
            return False
        place = known[key]
    return True
