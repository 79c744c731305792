"""What a dependency's own chart reads of the values that we hand to it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True)
class Dependency:
    """An unpacked chart, and the charts below it.

    Attributes:
        version: its version.
        values: its values.yaml.
        templates: text of all its templates.
        below: its own dependencies, by name.
    """

    version: str
    values: dict[str, Any]
    templates: str
    below: dict[str, "Dependency"]

    @classmethod
    def read(cls, folder: Path) -> "Dependency":
        """The chart in `folder`."""
        files = [file for file in sorted((folder / "templates").rglob("*")) if file.is_file()]
        inner = [chart.parent for chart in sorted((folder / "charts").glob("*/Chart.yaml"))]
        values = folder / "values.yaml"
        return cls(
            str(yaml.safe_load((folder / "Chart.yaml").read_text(encoding="utf-8"))["version"]),
            (yaml.safe_load(values.read_text(encoding="utf-8")) or {}) if values.exists() else {},
            "\n".join(file.read_text(encoding="utf-8") for file in files),
            {chart.name: cls.read(chart) for chart in inner},
        )

    def reads(self, path: tuple[str, ...]) -> bool:
        """Whether `path` stands in values.yaml, in a template, or in a chart below.

        A mapping that is empty in values.yaml takes any key, and so does one that a template takes as a whole.
        """
        if path[0] in self.below and len(path) > 1 and self.below[path[0]].reads(path[1:]):
            return True
        return self.knows(path) or self._named(path) or self._taken_whole(path)

    def _taken_whole(self, path: tuple[str, ...]) -> bool:
        # `with .Values.serviceMonitor` says nothing of the keys below a first key; a template that writes it out does.
        first = re.escape(path[0])
        ways = rf'index \.Values "{first}"|toYaml \.Values\.{first}(?![\w.])|\.Values\.{first} \| toYaml'
        return bool(re.search(ways, self.templates)) or any(self._named(path[:count]) for count in range(2, len(path)))

    def _named(self, path: tuple[str, ...]) -> bool:
        return bool(re.search(rf"\.Values\.{re.escape('.'.join(path))}(?![\w.])", self.templates))

    def default(self, path: tuple[str, ...]) -> Any:
        """What values.yaml holds at `path`; None where it holds nothing."""
        value: Any = self.values
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        return value

    def knows(self, path: tuple[str, ...]) -> bool:
        """Whether values.yaml has it, or takes any key in its place."""
        value: Any = self.values
        for key in path:
            if isinstance(value, dict) and not value and value is not self.values:
                return True
            if not isinstance(value, dict) or key not in value:
                return False
            value = value[key]
        return True


def leaves(values: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Paths of everything that is no mapping of further keys."""
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key)
