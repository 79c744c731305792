"""What was measured, kept until `make prove-alerts` writes it into the documentation."""

import json
from collections.abc import Sequence
from pathlib import Path

from drills.drill import Outcome

FOLDER = Path(__file__).parents[3] / "build" / "e2e" / "alerts"


def keep(name: str, outcomes: Sequence[Outcome]) -> None:
    """Write what came of some drills to build/e2e/alerts/<name>.json."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    rows = [outcome.row() for outcome in outcomes]
    (FOLDER / f"{name}.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
