"""What was measured, kept until `make prove-alerts` writes it into the documentation."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from drills.drill import Outcome

FOLDER = Path(__file__).parents[3] / "build" / "e2e" / "alerts"


def keep(name: str, outcomes: Sequence[Outcome], overrides: Mapping[str, Mapping[str, object]]) -> None:
    """Write what came of some drills to build/e2e/alerts/<name>.json.

    Args:
        name: Of the file; each module of drills has its own.
        outcomes: In the order of the table.
        overrides: Values `alerts` of the chart, by which alerts were hurried.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    rows = [outcome.row() | {"overrides": overrides.get(outcome.drill.alert, {})} for outcome in outcomes]
    (FOLDER / f"{name}.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
