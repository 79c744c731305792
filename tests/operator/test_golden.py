"""What a SergasMonitoring becomes, held word for word. A difference here is a change in behaviour."""

from __future__ import annotations

import subprocess
from pathlib import Path

import golden
import pytest
import yaml
from controlplane import tool

from sergas_operator.cli import rendered
from sergas_operator.spec import read

CASES = golden.cases()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_monitoring_becomes_what_its_golden_files_say(case: Path) -> None:
    found = {name: (case / name).read_text() for name in ("children.yaml", "alertmanager.yaml")}
    assert found == golden.expected(case)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_alertmanagers_own_tool_accepts_the_configuration(case: Path) -> None:
    command = [tool("amtool"), "check-config", str(case / "alertmanager.yaml")]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "SUCCESS" in checked.stdout, checked.stdout + checked.stderr


@pytest.mark.parametrize(
    ("case", "labels", "receivers"),
    [
        ("receivers", "severity=critical alertname=ServiceDown", "oncall,chat,mail,hook"),
        ("receivers", "severity=warning alertname=Slow", "mail,hook"),
        ("receivers", "severity=info alertname=Deployed", "_digest"),
        ("receivers", "alertname=NobodySetASeverity", "mail,hook"),
        ("receivers", "severity=none alertname=Noise", "_none"),
        ("receivers", "severity=critical alertname=Watchdog", "_none"),
        ("receivers", "severity=none alertname=InfoInhibitor", "_none"),
        ("letter", "severity=critical alertname=ServiceDown", "slack-critical,oncall,mail"),
        ("letter", "severity=warning alertname=Slow", "slack-warnings,mail"),
        ("letter", "severity=info alertname=Deployed", "_digest"),
        ("letter", "alertname=NobodySetASeverity", "slack-warnings,mail"),
        ("letter", "severity=info alertname=Watchdog", "_heartbeat"),
        ("full", "severity=info alertname=Watchdog team=web5", "_heartbeat"),
    ],
)
def test_alertmanagers_own_tool_routes_by_severity(case: str, labels: str, receivers: str) -> None:
    config = golden.FOLDER / case / "alertmanager.yaml"
    command = [tool("amtool"), "config", "routes", "test", f"--config.file={config}", *labels.split()]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == receivers


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_same_monitoring_gives_the_same_bytes(case: Path) -> None:
    body = yaml.safe_load((case / "cr.yaml").read_text())
    assert rendered(read(body)) == rendered(read(body))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_configuration_holds_no_secret_value(case: Path) -> None:
    assert "placeholder" not in (case / "alertmanager.yaml").read_text()
