"""docs/reference/metrics.md is what the catalogue says."""

import subprocess
import sys
from pathlib import Path

from sergas_metrics import CATALOGUE

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs/reference/metrics.md"


def test_the_reference_names_every_metric_with_its_help() -> None:
    text = REFERENCE.read_text()
    missing = [spec.name for spec in CATALOGUE if f"### `{spec.name}`\n" not in text or spec.help not in text]
    assert missing == []


def test_the_reference_is_what_the_generator_writes() -> None:
    before = REFERENCE.read_text()
    subprocess.run([sys.executable, ROOT / "docs/metrics_reference.py"], check=True)
    assert REFERENCE.read_text() == before
