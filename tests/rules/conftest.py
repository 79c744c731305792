"""The chart's rules as Prometheus reads them, and the real promtool to judge them with."""

import subprocess
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from charts.helm import CHART, rule_groups, template, tool

Groups = list[dict[str, Any]]
CASES = Path(__file__).parent


def shipped_alerts() -> list[dict[str, Any]]:
    """Every entry of every category file, with its category."""
    files = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted((CHART / "alerts").glob("*.yaml"))]
    return [alert | {"category": file["category"]} for file in files for alert in file["alerts"]]


def only(groups: Groups, alert: str) -> Groups:
    """A copy of `groups` in which no other rule costs time; all of them when `alert` is empty.

    Cases of an alert give the records it reads as series.
    """
    copy = deepcopy(groups)
    for group in copy:
        group["rules"] = [rule for rule in group["rules"] if not alert or rule.get("alert") == alert]
    return [group for group in copy if group["rules"]]


@pytest.fixture(scope="session")
def groups() -> Groups:
    return rule_groups(template())


@pytest.fixture
def promtool(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run one alert's case file against its rule in `groups`; check all rules when none is named."""

    def run(groups: Groups, alert: str, cases: Path | None = None) -> subprocess.CompletedProcess[str]:
        rules = tmp_path / "rules.yaml"
        rules.write_text(yaml.safe_dump({"groups": only(groups, alert)}), encoding="utf-8")
        command = [tool("promtool"), "check", "rules", "--lint=all", "--lint-fatal", str(rules)]
        if alert:
            copy = tmp_path / f"{alert}.yaml"
            copy.write_text((cases or CASES / f"{alert}.yaml").read_text(encoding="utf-8"), encoding="utf-8")
            command = [tool("promtool"), "test", "rules", str(copy)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    return run


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "shipped" in metafunc.fixturenames:
        alerts = shipped_alerts()
        metafunc.parametrize("shipped", alerts, ids=[alert["name"] for alert in alerts])
