"""Where a panel turns yellow or red: the thresholds of the alerts, read from the files that the chart renders."""

from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

CHART: Final = Path(__file__).parent.parent / "charts" / "sergas-monitoring"
ALERTS: Final = CHART / "alerts"

# Targets of the KPI table, for which no alert fires: 1 % of errors, p95 of 500 ms, 85 % of cache hits, five minutes of
# sync lag, 100 waiting tasks, 99.9 % of uptime.
ERROR_RATIO_TARGET: Final = 0.01
LATENCY_TARGET_SECONDS: Final = 0.5
CACHE_HIT_TARGET: Final = 0.85
SYNC_LAG_TARGET_SECONDS: Final = 300
QUEUE_TARGET: Final = 100
UPTIME_TARGET: Final = 0.999
# The KPI table's critical limit of the cache hit rate.
CACHE_HIT_LIMIT: Final = 0.70


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


def burn_factor(part: str, leg: int) -> float:
    """The factor of leg 1 or 2 of ErrorBudgetBurnFast (`part` is `fast`) or ErrorBudgetBurnSlow (`slow`).

    Raises:
        ValueError: when the objectives of slos.yaml do not share one factor, so that one line cannot show it.
    """
    factors = {float(slo[part][f"factor{leg}"]) for slo in _objectives()}
    if len(factors) != 1:
        raise ValueError(f"slos.yaml: {part}.factor{leg} differs between objectives; draw a panel for each factor")
    return factors.pop()


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


@cache
def _objectives() -> list[dict[str, Any]]:
    return list(yaml.safe_load((CHART / "slos.yaml").read_text(encoding="utf-8"))["slos"])
