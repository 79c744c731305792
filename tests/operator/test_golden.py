"""The children and the configuration of example SergasMonitorings, byte by byte. A difference changes behaviour."""

from __future__ import annotations

import subprocess
from pathlib import Path

import golden
import pytest
import yaml
from controlplane import tool

from sergas_operator.cli import rendered
from sergas_operator.model.spec import read

CASES = golden.cases()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_children_and_configuration_equal_golden_files(case: Path) -> None:
    found = {name: (case / name).read_text() for name in ("children.yaml", "alertmanager.yaml")}
    assert found == golden.expected(case)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_amtool_accepts_configuration(case: Path) -> None:
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
        ("severity-channels", "severity=critical alertname=ServiceDown", "slack-critical,oncall,mail"),
        ("severity-channels", "severity=warning alertname=Slow", "slack-warnings,mail"),
        ("severity-channels", "severity=info alertname=Deployed", "_digest"),
        ("severity-channels", "alertname=NobodySetASeverity", "slack-warnings,mail"),
        ("severity-channels", "severity=info alertname=Watchdog", "_heartbeat"),
        ("full", "severity=info alertname=Watchdog team=web5", "_heartbeat"),
    ],
)
def test_amtool_routes_by_severity(case: str, labels: str, receivers: str) -> None:
    config = golden.FOLDER / case / "alertmanager.yaml"
    command = [tool("amtool"), "config", "routes", "test", f"--config.file={config}", *labels.split()]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == receivers


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_same_monitoring_gives_same_bytes(case: Path) -> None:
    body = yaml.safe_load((case / "cr.yaml").read_text())
    assert rendered(read(body)) == rendered(read(body))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_configuration_has_no_secret_value(case: Path) -> None:
    assert "placeholder" not in (case / "alertmanager.yaml").read_text()
