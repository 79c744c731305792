"""Where a panel turns yellow or red: the alerts' own thresholds, so that picture and page agree."""

from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

CHART: Final = Path(__file__).parent.parent / "charts" / "sergas-monitoring"
ALERTS: Final = CHART / "alerts"

# Targets of the KPI table, for which no alert fires: 1 % of errors, p95 of 500 ms, 85 % of cache hits, five minutes of
# sync lag, 100 waiting tasks.
ERROR_RATIO_TARGET: Final = 0.01
LATENCY_TARGET_SECONDS: Final = 0.5
CACHE_HIT_TARGET: Final = 0.85
SYNC_LAG_TARGET_SECONDS: Final = 300
QUEUE_TARGET: Final = 100
# The KPI table's critical limit of the cache hit rate.
CACHE_HIT_LIMIT: Final = 0.70
# How many times faster than allowed an error budget is spent when somebody is paged, or told: alerts/slo.yaml.
BURN_FAST: Final = 14.4
BURN_SLOW: Final = 3.0


def alert_threshold(alert: str) -> float:
    """The shipped threshold of `alert`, in the unit its file states.

    Raises:
        KeyError: when no file holds an alert of that name with a threshold.
    """
    return float(_alert(alert)["threshold"])


def early_threshold(alert: str) -> float:
    """The threshold at which the milder level of `alert` fires.

    Raises:
        KeyError: when the alert has no such level.
    """
    return float(_alert(alert)["early"]["threshold"])


def runbook_base_url() -> str:
    """Where runbooks are by default. The chart writes the release's own address over it."""
    return str(yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))["alerts"]["runbookBaseURL"])


def _alert(name: str) -> dict[str, Any]:
    for entry in _alerts():
        if entry["name"] == name and "threshold" in entry:
            return entry
    raise KeyError(f"no alert {name} with a threshold in {ALERTS}")


@cache
def _alerts() -> list[dict[str, Any]]:
    files = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in sorted(ALERTS.glob("*.yaml"))]
    return [entry for file in files for entry in file["alerts"]]
