"""Verdicts of promtool on many mutants at once."""

import os
import subprocess
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from enum import Enum
from pathlib import Path

from charts.helm import tool

# The text of a failed assertion contains what was expected and, after this word, what promtool found.
ASSERTION = "got:"


class Verdict(Enum):
    """What the cases of one file say."""

    PASSED = "passed"
    FAILED = "an assertion failed"
    BROKEN = "promtool met an error before or instead of an assertion"


def test_rules(files: Sequence[Path]) -> list[tuple[Verdict, str]]:
    """What promtool says of each file of cases, and its text. One process for all of them, which uses one CPU."""
    with tempfile.NamedTemporaryFile(suffix=".xml") as results:
        command = [tool("promtool"), "test", f"--junit={results.name}", "rules", *map(str, files)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=_one_cpu())
        try:
            suites = list(ET.parse(results.name).getroot())  # noqa: S314 - promtool wrote it
        except ET.ParseError as error:
            raise RuntimeError(f"promtool wrote no results.\n{done.stdout}{done.stderr}") from error
    return [_verdict(suite) for suite in suites]


def _verdict(suite: ET.Element) -> tuple[Verdict, str]:
    failures = [found.text or "" for found in suite.iter("failure")]
    errors = [found.text or "" for found in suite.iter("error")]
    text = "\n".join(failures + errors)
    if any(ASSERTION in failure for failure in failures):
        return Verdict.FAILED, text
    return (Verdict.BROKEN if failures or errors else Verdict.PASSED), text


def accepts(rules: Path) -> str | None:
    """None when promtool finds the rules valid; what it says otherwise."""
    command = [tool("promtool"), "check", "rules", "--lint=none", str(rules)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=_one_cpu())
    return None if done.returncode == 0 else done.stdout + done.stderr


def _one_cpu() -> dict[str, str]:
    return os.environ | {"GOMAXPROCS": "1", "GOGC": "400"}
