"""How a value looks in its panel: its text and its colour, by mappings, thresholds and overrides."""

import math
import re
from typing import Any

from dashboards.preview.answers import Line
from dashboards.preview.board import Json, Panel
from dashboards.preview.ink import color, series_color
from dashboards.preview.units import written

BASE = "green"


def value_text(panel: Panel, value: float | None, unit: str = "") -> str:
    """The value as the panel writes it: a mapped word, or the number in its unit."""
    mapped = mapping(panel, value)
    if value is None:
        return str(mapped.get("text") or panel.defaults.get("noValue") or "No data")
    if mapped.get("text"):
        return str(mapped["text"])
    return written(value, unit or panel.unit, panel.decimals)


def value_color(panel: Panel, value: float | None) -> str:
    """The colour of the value's mapping, else of its threshold. Missing data is below all thresholds in Grafana."""
    mapped = mapping(panel, value)
    return color(str(mapped.get("color") or threshold_color(panel, value)))


def threshold_color(panel: Panel, value: float | None) -> str:
    reached = [name for start, name in thresholds(panel) if (-math.inf if value is None else value) >= start]
    return reached[-1] if reached else BASE


def thresholds(panel: Panel) -> list[tuple[float, str]]:
    """(from, Grafana's colour) in rising order, the first from minus infinity. Percentages are of the panel's range."""
    config = panel.defaults.get("thresholds") or {}
    low, high = float(panel.defaults.get("min") or 0), float(panel.defaults.get("max") or 100)
    steps = [(step.get("value"), step["color"]) for step in config.get("steps") or []]
    if config.get("mode") == "percentage":
        steps = [(start if start is None else low + (high - low) * start / 100, name) for start, name in steps]
    return [(-math.inf if start is None else start, name) for start, name in steps]


def mapping(panel: Panel, value: float | None) -> Json:
    """The text and colour that a value, or missing data, is mapped to, if any."""
    for entry in panel.defaults.get("mappings") or []:
        options = entry["options"]
        if value is None:
            if entry["type"] == "special" and options["match"] in {"null", "nan", "null+nan"}:
                return dict(options["result"])
        elif entry["type"] == "value":
            found = options.get(str(value)) or options.get(str(int(value)) if value == int(value) else "")
            if found:
                return dict(found)
        elif entry["type"] == "range":
            low, high = options.get("from"), options.get("to")
            if (low is None or value >= low) and (high is None or value <= high):
                return dict(options["result"])
    return {}


def line_color(panel: Panel, line: Line, index: int) -> str:
    """The series' own colour: fixed by the panel or by an override, else its turn in the palette."""
    fixed = override(panel, line.name, "color") or panel.defaults.get("color") or {}
    if fixed.get("mode") == "fixed" and fixed.get("fixedColor"):
        return color(str(fixed["fixedColor"]))
    return series_color(index)


def override(panel: Panel, name: str, property_id: str) -> Any:
    """What an override says of one property of the field of that name; None without one."""
    for entry in panel.overrides:
        matcher = entry["matcher"]
        meant = matcher["id"] == "byName" and matcher.get("options") == name
        meant = meant or (matcher["id"] == "byRegexp" and bool(re.search(str(matcher["options"]).strip("/"), name)))
        found = next((item.get("value") for item in entry["properties"] if item["id"] == property_id), None)
        if meant and found is not None:
            return found
    return None
