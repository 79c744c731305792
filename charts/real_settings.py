"""What becomes of each setting of the stack's Prometheus and Alertmanager, which the Sergas operator runs instead.

Each setting is changed in the real chart. Either our chart refuses it, or it has an effect. What is refused because
nothing reads it must have none.
"""

import re
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, reduce
from itertools import groupby
from pathlib import Path
from typing import Any

import yaml

from charts.dependency_values import leaves
from charts.helm import CHART, RenderError, template
from charts.real import STACK
from charts.stack_defaults import SUBTREES

Path_ = tuple[str, ...]
MOVED = CHART / "files" / "moved-settings.yaml"
# As the advice names a setting; the rest of its line says what to do.
REFUSED = re.compile(rf"^- {STACK}\.((?:{'|'.join(SUBTREES)})\.\S+): (.*)$", re.MULTILINE)
REPLACED = re.compile(r"Remove it and (.*)\.$")
# `enabled` of both has advice of its own.
SWITCHES = {(name, "enabled") for name in SUBTREES}


@dataclass(frozen=True)
class Setting:
    """One setting, and what becomes of it.

    Attributes:
        path: its keys below the stack.
        kind: effective, breaking, replaced, refused, or ignored where nobody reads it and nobody says so.
        words: what it does, what goes wrong, or what to do instead.
    """

    path: Path_
    kind: str
    words: str = ""


def settings(chart: Path) -> list[Setting]:
    """Every setting, for our chart with its real dependencies in `chart`."""
    stack = chart / "charts" / STACK
    defaults = values_of(stack)
    moved = yaml.safe_load(MOVED.read_text(encoding="utf-8"))
    said = refusals(chart, defaults)
    unread = [path for path in defaults if path not in said and not matters(stack, path, defaults)]
    found = []
    for path in defaults:
        if path in said:
            replaced = REPLACED.search(said[path])
            kind = "breaking" if ".".join(path) in moved["breaking"] else "replaced" if replaced else "refused"
            words = said[path] if kind == "breaking" else replaced[1] if replaced else "no field replaces it"
            found.append(Setting(path, kind, words))
        elif path in unread:
            found.append(Setting(path, "ignored"))
        else:
            found.append(Setting(path, "effective", effect(path, moved["effective"])))
    return found


def problems(chart: Path, found: list[Setting]) -> Iterator[str]:
    """A sentence for each setting that our advice has wrong."""
    stack = chart / "charts" / STACK
    defaults = values_of(stack)
    for setting in found:
        if setting.kind == "ignored":
            yield f"{'.'.join(setting.path)} has no effect, and nothing says so"
        elif setting.kind == "effective" and not setting.words:
            yield f"{'.'.join(setting.path)} has an effect that {MOVED.name} does not name"
    ineffective = {item.path: defaults[item.path] for item in found if item.kind in {"replaced", "refused"}}
    # All switches at once in a render of their own: with another kind of policy or route they would switch on nothing.
    switches = {path: value for path, value in ineffective.items() if isinstance(value, bool)}
    rest = {path: value for path, value in ineffective.items() if path not in switches}
    for group in (switches, rest):
        for path in effective(stack, group):
            yield f"{'.'.join(path)} has an effect, and our advice says that nothing reads it"


def values_of(stack: Path) -> dict[Path_, Any]:
    """Every setting with its value in our chart, else its default; a mapping that is empty is one setting."""
    values = yaml.safe_load((stack / "values.yaml").read_text(encoding="utf-8"))
    ours = handed_on()
    found = {}
    for name in SUBTREES:
        for path in leaves(values[name], (name,)):
            if path not in SWITCHES:
                given = reduce(lambda value, key: value.get(key, {}), path[:-1], ours)
                default = reduce(lambda value, key: value[key], path, values)
                found[path] = given.get(path[-1], default)
    return found


def handed_on() -> dict[str, Any]:
    """The values that our chart hands on to the stack."""
    found: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))[STACK]
    return found


def refusals(chart: Path, defaults: dict[Path_, Any]) -> dict[Path_, str]:
    """What our chart says of each setting when all are changed at once."""
    try:
        rendered(chart, {STACK: changed(defaults)})
    except RenderError as refused:
        return {tuple(path.split(".")): words for path, words in REFUSED.findall(str(refused))}
    return {}


def effective(stack: Path, defaults: dict[Path_, Any]) -> list[Path_]:
    """Those that change what the stack renders, found by halves."""
    if not defaults or not differs(stack, defaults):
        return []
    paths = list(defaults)
    if len(paths) == 1:
        return paths
    half = len(paths) // 2
    parts = ({path: defaults[path] for path in part} for part in (paths[:half], paths[half:]))
    return [path for part in parts for path in effective(stack, part)]


def matters(stack: Path, path: Path_, defaults: dict[Path_, Any]) -> bool:
    """Whether a setting has an effect, alone or with those beside it, such as the data of a Secret."""
    if differs(stack, {path: defaults[path]}):
        return True
    beside = {other: value for other, value in defaults.items() if other[:-1] == path[:-1] != path[:1]}
    without = {other: value for other, value in beside.items() if other != path}
    return rendered(stack, changed(beside)) != rendered(stack, changed(without))


def differs(stack: Path, defaults: dict[Path_, Any]) -> bool:
    """Whether the stack alone, without its Prometheus and Alertmanager, renders something else with these changed."""
    before = unchanged(stack)
    try:
        return rendered(stack, changed(defaults)) != before
    except RenderError:
        return True


@cache
def unchanged(stack: Path) -> str:
    """What the stack alone renders with the values that our chart hands on to it."""
    return rendered(stack, {})


def rendered(chart: Path, values: dict[str, Any]) -> str:
    """What Helm renders with these values; the stack alone with those that our chart hands on to it."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as base, tempfile.NamedTemporaryFile("w") as file:
        yaml.safe_dump(handed_on() if chart.name == STACK else {}, base)
        yaml.safe_dump(values, file)
        base.flush()
        file.flush()
        return template([Path(base.name), Path(file.name)], chart=chart)


def changed(defaults: dict[Path_, Any]) -> dict[str, Any]:
    """Values in which each of these settings is another than its default."""
    whole: dict[str, Any] = {}
    for path, value in defaults.items():
        place = whole
        for key in path[:-1]:
            place = place.setdefault(key, {})
        place[path[-1]] = another(value)
    return whole


def another(value: Any) -> Any:
    """Something of the same kind that is not `value`."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, list):
        return [{"name": "changed", "key": "changed"}]
    return {"changed": "changed"} if isinstance(value, dict) else f"{value or ''}changed"


def effect(path: Path_, effects: dict[str, str]) -> str:
    """What moved-settings.yaml says of a path or of what is above it."""
    names = [".".join(path[:length]) for length in range(len(path), 0, -1)]
    return next((effects[name] for name in names if name in effects), "")


def table(found: list[Setting]) -> str:
    """A line for each setting; those that agree and lie below one key share a line."""
    lines = []
    for kind in ("effective", "breaking", "replaced", "refused", "ignored"):
        chosen = [setting for setting in found if setting.kind == kind]
        lines.append(f"{kind}: {len(chosen)}")
        for (place, words), group in groupby(chosen, key=lambda setting: (shared(setting, found), setting.words)):
            alike = list(group)
            name = f"{'.'.join(place)}.* ({len(alike)})" if len(alike) > 1 else ".".join(alike[0].path)
            lines.append(f"  {name}{f': {words}' if words and kind != 'refused' else ''}")
    return "\n".join(lines)


def shared(setting: Setting, found: Iterable[Setting]) -> Path_:
    """The shortest path below a subtree of which all settings become the same; else the setting's own."""
    for length in range(2, len(setting.path)):
        place = setting.path[:length]
        if all((one.kind, one.words) == (setting.kind, setting.words) for one in found if one.path[:length] == place):
            return place
    return setting.path
