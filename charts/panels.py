"""The queries of the dashboards that the chart ships, with Grafana's variables filled in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from charts.helm import CHART

FOLDER: Final = CHART / "dashboards"
# What Grafana puts for a variable of which all values, or none that could be chosen, are chosen.
EVERYTHING: Final[Mapping[str, str]] = {
    "environment": ".*",
    "namespace": ".*",
    "service": ".*",
    "agent": ".*",
    "pod": ".*",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """One query of a panel.

    Attributes:
        dashboard: The dashboard's uid.
        panel: The panel's title.
        kind: The panel's kind, such as `stat` or `timeseries`.
        letter: The query's letter within its panel.
        expr: The query in PromQL.
        instant: Whether it asks for the present alone.
        closed: Whether it stands in a row that is closed to begin with.
    """

    dashboard: str
    panel: str
    kind: str
    letter: str
    expr: str
    instant: bool
    closed: bool


def filled_in(expr: str, choice: Mapping[str, str] = EVERYTHING, step: str = "1m") -> str:
    """`expr` with `$name` and `${name}` as chosen, and `step` for `$__interval`.

    Raises:
        KeyError: when it has a variable that `choice` does not name.
    """
    values = {"__interval": step, **choice}
    return re.sub(r"\$(?:\{([a-z_]+)\}|([a-z_]+))", lambda found: values[found[1] or found[2]], expr)


def asked(choice: Mapping[str, str] = EVERYTHING) -> list[Asked]:
    """Every query of every dashboard, in the order of the files and of their panels."""
    files = sorted(FOLDER.glob("*.json"))
    return [query for file in files for query in _of(json.loads(file.read_text(encoding="utf-8")), choice)]


def _of(dashboard: Mapping[str, Any], choice: Mapping[str, str]) -> Iterator[Asked]:
    for item in dashboard["panels"]:
        inside = item.get("panels") or []
        for panel in inside if item["type"] == "row" else [item]:
            for target in panel["targets"]:
                yield Asked(
                    dashboard=dashboard["uid"],
                    panel=panel["title"],
                    kind=panel["type"],
                    letter=target["refId"],
                    expr=filled_in(target["expr"], choice, panel.get("interval") or "1m"),
                    instant=bool(target.get("instant")),
                    closed=item["type"] == "row",
                )
