"""A dashboard as the chart ships it, read from Grafana's JSON: what a preview needs of it."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from charts.durations import in_seconds

Json = dict[str, Any]
COLUMNS: Final = 24
ROW_PIXELS: Final = 38
"""Height of one unit of Grafana's grid, its gap of 8 included."""


@dataclass(frozen=True, slots=True)
class Target:
    """One query of a panel.

    Attributes:
        letter: Its name within the panel: A, B and so on.
        expr: PromQL with Grafana's variables in it.
        legend: How its series are named, with {{label}} for a label's value; empty for all labels.
        instant: Whether it is asked for the end of the time shown alone.
        form: `time_series`, `table` or `heatmap`.
    """

    letter: str
    expr: str
    legend: str
    instant: bool
    form: str


@dataclass(frozen=True, slots=True)
class Place:
    """A rectangle of the grid of 24 columns."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel. What depends on its kind is left as Grafana's JSON in `options`, `defaults` and `custom`.

    Attributes:
        step: The shortest step of its range queries in seconds; 0 where the data source's applies.
        points: How many points its range queries have at most; 0 for one a pixel of its width.
    """

    kind: str
    title: str
    description: str
    place: Place
    targets: tuple[Target, ...]
    options: Json = field(default_factory=dict)
    defaults: Json = field(default_factory=dict)
    overrides: tuple[Json, ...] = ()
    step: int = 0
    points: int = 0
    transformations: tuple[Json, ...] = ()

    @property
    def unit(self) -> str:
        return str(self.defaults.get("unit") or "none")

    @property
    def decimals(self) -> int | None:
        found = self.defaults.get("decimals")
        return None if found is None else int(found)

    @property
    def custom(self) -> Json:
        return dict(self.defaults.get("custom") or {})


@dataclass(frozen=True, slots=True)
class Section:
    """Panels below one heading. Rows that Grafana shows closed are shown open here, and say so."""

    title: str
    closed: bool
    panels: tuple[Panel, ...]

    @property
    def rows(self) -> int:
        """Height in units of the grid, the heading left out."""
        return max((panel.place.y + panel.place.height for panel in self.panels), default=0)


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable that queries refer to.

    Attributes:
        name: Its name.
        everything: What replaces it in a query: the regular expression of All, or the value that is chosen.
        label: The label whose first value is chosen where there is no All; empty where there is.
        selector: Of which series that label is.
    """

    name: str
    everything: str
    label: str = ""
    selector: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """A query whose results are marked over every graph."""

    name: str
    expr: str
    color: str
    value_is_time: bool


@dataclass(frozen=True, slots=True)
class Board:
    uid: str
    title: str
    question: str
    seconds: int
    variables: tuple[Variable, ...]
    events: tuple[Event, ...]
    sections: tuple[Section, ...]

    @property
    def panels(self) -> Iterator[Panel]:
        return (panel for section in self.sections for panel in section.panels)


def read(file: Path) -> Board:
    """The dashboard in `file`.

    Raises:
        ValueError: when it is shown over a time that does not end now.
    """
    found = json.loads(file.read_text(encoding="utf-8"))
    return Board(
        uid=found["uid"],
        title=found["title"],
        question=str(found.get("description", "")).partition("\n")[0],
        seconds=_span(found["time"]),
        variables=tuple(_variables(found)),
        events=tuple(_events(found)),
        sections=tuple(_sections(found["panels"])),
    )


def _span(time: Json) -> int:
    """Seconds between `now-3h` and `now`."""
    match = re.fullmatch(r"now-(\d+)([smhdw])", time["from"])
    if match is None or time["to"] != "now":
        raise ValueError(f"time {time}: write from as now-3h or the like, and to as now")
    return int(match[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}[match[2]]


def _variables(board: Json) -> Iterator[Variable]:
    for variable in board.get("templating", {}).get("list", []):
        if variable["type"] == "datasource":
            continue
        label = selector = ""
        if not variable.get("includeAll"):
            found = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"])
            selector, label = found.groups() if found else ("", "")
        yield Variable(variable["name"], variable.get("allValue") or ".*", label, selector)


def _events(board: Json) -> Iterator[Event]:
    for event in board.get("annotations", {}).get("list", []):
        if event.get("enable") and event.get("expr"):
            yield Event(event["name"], event["expr"], event.get("iconColor", "red"), bool(event.get("useValueForTime")))


def _sections(panels: list[Json]) -> Iterator[Section]:
    title, closed, below = "", False, list[Json]()
    for panel in panels:
        if panel["type"] != "row":
            below.append(panel)
            continue
        if below:
            yield _section(title, closed, below)
        title, closed, below = panel.get("title", ""), bool(panel.get("collapsed")), list(panel.get("panels") or [])
    if below:
        yield _section(title, closed, below)


def _section(title: str, closed: bool, panels: list[Json]) -> Section:
    """Places count from the heading, also those of a closed row, which Grafana counts from wherever it stood."""
    top = min(panel["gridPos"]["y"] for panel in panels)
    return Section(title, closed, tuple(_panel(panel, top) for panel in panels))


def _panel(panel: Json, top: int) -> Panel:
    grid, field_config = panel["gridPos"], panel.get("fieldConfig") or {}
    return Panel(
        kind=panel["type"],
        title=panel.get("title", ""),
        description=panel.get("description", ""),
        place=Place(grid["x"], grid["y"] - top, grid["w"], grid["h"]),
        targets=tuple(_target(target) for target in panel.get("targets", []) if not target.get("hide")),
        options=panel.get("options") or {},
        defaults=field_config.get("defaults") or {},
        overrides=tuple(field_config.get("overrides") or ()),
        step=in_seconds(panel.get("interval") or ""),
        points=int(panel.get("maxDataPoints") or 0),
        transformations=tuple(panel.get("transformations") or ()),
    )


def _target(target: Json) -> Target:
    return Target(
        letter=target["refId"],
        expr=target["expr"],
        legend=target.get("legendFormat") or "",
        instant=bool(target.get("instant")) and not target.get("range"),
        form=target.get("format") or "time_series",
    )
