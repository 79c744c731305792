"""What is wrong with a rule and still looks right: `python -m charts.mutants` proves that tests/rules notice it.

Each mutant is a rule with one thing changed: a comparison turned round or moved over its boundary, a literal it is
compared with, a set operator, its duration. A mutant is killed when an assertion of the alert's cases fails with it; an
error of promtool kills nothing. The cases must pass with the rules as they are, before anything is changed. What the
chart expands full_rate and full_increase to is left alone: cases of RecommendationsStalled try each part of it.
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from charts.helm import ROOT, objects, template, tool

Rule = dict[str, Any]
CASES = ROOT / "tests" / "rules"
COMPARISONS = {">": ("<=", ">="), "<": (">=", "<="), "==": ("!=",)}
SET_OPERATORS = {"unless": "and", "and": "unless", "or": "unless"}
# (alert, change) that no series can tell from the original, and why.
EQUIVALENT = {
    ("ServiceUptimeLow", "< 0.99 -> <="): "6 h hold 720 steps, of which no whole number is exactly 99 %",
    ("CPUUsageHigh", "> 0.85 -> >="): "a rate of CPU seconds is never exactly 0.85",
    ("CacheHitRateLow", "> 0.1 -> >="): "an extrapolated rate is never exactly 0.1",
    ("HighErrorRate", "> 0.1 -> >="): "an extrapolated rate is never exactly 0.1",
    ("APILatencyCritical", "> 0.1 -> >="): "an extrapolated rate is never exactly 0.1",
    ("APIRateLimited", "> 0.1 -> >="): "an extrapolated rate is never exactly 0.1",
    ("DatabaseQueriesSlow", "> 0.1 -> >="): "an extrapolated rate is never exactly 0.1",
    ("AgentFailureRateHigh", "> 0.05 -> >="): "an extrapolated rate is never exactly 0.05",
    ("TrafficStopped", "> 0.1 -> >="): "an extrapolated rate is never exactly 0.1",
    ("TargetsMissing", "> 0.1 -> >="): "1 less a share of 0.9 is 0.09999999999999998, so no share is exactly 0.1",
}
# The part of full_rate and full_increase that counts a series that is new: templates/_alerts.tpl.
NEW_SERIES = re.compile(
    r" unless \w+(?:\{[^}]*\})? offset \w+ unless on \(namespace, job, instance\) \(process_start_time_seconds\{[^}]*\}"
    r" < time\(\) - \d+ unless on \(namespace, job, instance\) up offset \w+\)\)?(?: / \d+)? or"
)
# The objective in the cases of alerts on objectives.
CASES_OBJECTIVE = "apiAvailability"
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def mutants(rule: Rule) -> Iterator[tuple[str, Rule]]:
    """(what was changed, the changed rule), one change at a time."""
    for what, expr in mutated_expressions(rule["expr"]):
        yield what, rule | {"expr": expr}
    for duration in durations(rule.get("for", "0s")):
        yield f"for: {rule.get('for', '0s')} -> {duration}", rule | {"for": duration}


def mutated_expressions(expr: str) -> Iterator[tuple[str, str]]:
    """(what was changed, the changed expression), one change at a time."""
    left_alone = [found.span() for found in NEW_SERIES.finditer(expr)]
    for position, what, changed in _changed(expr):
        if not any(begin <= position < end for begin, end in left_alone):
            yield what, changed


def _changed(expr: str) -> Iterator[tuple[int, str, str]]:
    for found in re.finditer(r"(?<=\s)(==|[<>])(?= )( (\d+(?:\.\d+)?)\b)?", expr):
        for other in COMPARISONS[found[1]]:
            what = f"{place(expr, found.start())}: {found[0].strip()} -> {other}"
            yield found.start(), what, replaced(expr, found.span(1), other)
        if found[3] and found[1] != "==":
            for number in moved(found[3]):
                what = f"{place(expr, found.start())}: {found[3]} -> {number}"
                yield found.start(), what, replaced(expr, found.span(3), number)
    for found in re.finditer(r"\b(unless|and|or)\b(?=\s)", expr):
        other = SET_OPERATORS[found[1]]
        what = f"{place(expr, found.start())}: {found[1]} -> {other}"
        yield found.start(), what, replaced(expr, found.span(1), other)


def moved(number: str) -> list[str]:
    """`number` a tenth lower and higher, at least by one where it is a count; 0 only ever rises."""
    value = float(number)
    if value == 0:
        return []
    step = max(1, round(value / 10)) if value.is_integer() else value / 10
    return [f"{value - step:g}", f"{value + step:g}"]


def durations(duration: str) -> list[str]:
    seconds = in_seconds(duration)
    return [f"{seconds // 2}s", f"{seconds * 2}s", "0s"] if seconds else ["1m", "30m"]


def in_seconds(duration: str) -> int:
    return sum(int(number) * SECONDS[unit] for number, unit in re.findall(r"(\d+)([smhd])", duration))


def replaced(text: str, span: tuple[int, int], by: str) -> str:
    return text[: span[0]] + by + text[span[1] :]


def place(expr: str, position: int) -> str:
    """Where in `expr` a change stands, for a person: the line's number and the text before it."""
    before = expr[:position].splitlines() or [""]
    return f"line {len(before)} after {before[-1].strip()[-30:]!r}"


def alerting_rules(groups: list[dict[str, Any]]) -> list[tuple[int, int, Rule]]:
    """(group, place in it, rule) of every alert."""
    return [(g, r, rule) for g, group in enumerate(groups) for r, rule in enumerate(group["rules"]) if "alert" in rule]


def with_rule(groups: list[dict[str, Any]], group: int, place: int, rule: Rule) -> list[dict[str, Any]]:
    """`groups` with one rule in another's place, and no other rules than those of its name: records cost time."""
    changed = [part | {"rules": list(part["rules"])} for part in groups]
    changed[group]["rules"][place] = rule
    for part in changed:
        part["rules"] = [other for other in part["rules"] if other.get("alert") == rule["alert"]]
    return [part for part in changed if part["rules"]]


def judged(groups: list[dict[str, Any]], alert: str) -> subprocess.CompletedProcess[str]:
    """What promtool says of the cases of `alert` with these rules."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "rules.yaml").write_text(yaml.safe_dump({"groups": groups}), encoding="utf-8")
        cases = Path(folder) / "cases.yaml"
        cases.write_text((CASES / f"{alert}.yaml").read_text(encoding="utf-8"), encoding="utf-8")
        command = [tool("promtool"), "test", "rules", str(cases)]
        return subprocess.run(command, capture_output=True, text=True, check=False)


def killed(groups: list[dict[str, Any]], alert: str) -> bool:
    """Whether an assertion of a case of `alert` fails with these rules: promtool shows what it expected and got."""
    done = judged(groups, alert)
    return done.returncode != 0 and "got:" in done.stdout + done.stderr


def require_passing(groups: list[dict[str, Any]], alert: str) -> None:
    """Ends the program unless the cases of `alert` pass with the rules as they are."""
    own = [part | {"rules": [rule for rule in part["rules"] if rule.get("alert") == alert]} for part in groups]
    done = judged([part for part in own if part["rules"]], alert)
    if done.returncode:
        sys.exit(f"The cases of {alert} fail before anything is changed. Mend them first.\n{done.stdout}{done.stderr}")


def is_represented_by_another(rule: Rule) -> bool:
    """Whether another rule of the alert, made from the same expression, has the cases.

    The rules of an alert on objectives differ in windows, factors and severity only. The cases are about the first
    objective; tests/rules/test_objectives.py has cases for the others.
    """
    return rule["labels"].get("slo", CASES_OBJECTIVE) != CASES_OBJECTIVE


def survivors(groups: list[dict[str, Any]], wanted: set[str]) -> Iterator[tuple[str, str, bool]]:
    """(alert, mutant, killed) for every mutant of the alerts `wanted`; of all when that is empty."""
    for group, place_, rule in alerting_rules(groups):
        if (not wanted or rule["alert"] in wanted) and not is_represented_by_another(rule):
            require_passing(groups, rule["alert"])
            for what, mutant in mutants(rule):
                if (rule["alert"], what.rpartition(": ")[2]) in EQUIVALENT:
                    continue
                changed = with_rule(groups, group, place_, mutant)
                yield f"{rule['alert']} ({rule['labels']['severity']})", what, killed(changed, rule["alert"])


def main(wanted: set[str]) -> int:
    rules = [item for item in objects(template()) if item["kind"] == "PrometheusRule"]
    groups = [group for item in rules for group in item["spec"]["groups"]]
    total = dead = 0
    for alert, what, is_dead in survivors(groups, wanted):
        total, dead = total + 1, dead + is_dead
        if not is_dead:
            print(f"survives: {alert}: {what}", flush=True)
    print(f"mutants killed: {dead}/{total}")
    return 0 if dead == total else 1


if __name__ == "__main__":
    sys.exit(main(set(sys.argv[1:])))
