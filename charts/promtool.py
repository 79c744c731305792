"""Unit tests of rules and queries with `promtool test rules`."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from charts.helm import tool


def run_cases(
    folder: Path,
    groups: Sequence[Mapping[str, Any]],
    cases: Sequence[Mapping[str, Any]],
    evaluation_interval: str = "1m",
) -> subprocess.CompletedProcess[str]:
    """Run cases in promtool's format against rule groups; the return code is 0 when all hold.

    Args:
        folder: Where the rules and the cases are written.
        groups: Rule groups of a PrometheusRule.
        cases: Entries of `tests` in promtool's file of unit tests.
        evaluation_interval: Of groups without an interval of their own.
    """
    document = {"rule_files": ["rules.yaml"], "evaluation_interval": evaluation_interval, "tests": cases}
    command = [tool("promtool"), "test", "rules", str(write_cases(folder, groups, document))]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def write_cases(folder: Path, groups: Sequence[Mapping[str, Any]], document: Mapping[str, Any]) -> Path:
    """Write rule groups, and cases in promtool's format that read them from rules.yaml; the path of the cases."""
    # JSON is YAML, and is written much faster.
    (folder / "rules.yaml").write_text(json.dumps({"groups": groups}), encoding="utf-8")
    file = folder / "cases.yaml"
    file.write_text(json.dumps(document), encoding="utf-8")
    return file
