"""Where a panel turns yellow or red: the alerts' own thresholds, so that picture and page agree."""

from functools import cache
from pathlib import Path
from typing import Final

import yaml

ALERTS: Final = Path(__file__).parent.parent / "charts" / "sergas-monitoring" / "alerts"

# Targets of the KPI table, for which no alert fires: 1 % of errors, p95 of 500 ms, 85 % of cache hits.
ERROR_RATIO_TARGET: Final = 0.01
LATENCY_TARGET_SECONDS: Final = 0.5
CACHE_HIT_TARGET: Final = 0.85
# The KPI table's critical limit of the cache hit rate.
CACHE_HIT_LIMIT: Final = 0.70


@cache
def alert_threshold(alert: str) -> float:
    """The shipped threshold of `alert`, in the unit its file states.

    Raises:
        KeyError: when no file holds an alert of that name with a threshold.
    """
    for file in sorted(ALERTS.glob("*.yaml")):
        for entry in yaml.safe_load(file.read_text(encoding="utf-8"))["alerts"]:
            if entry["name"] == alert and "threshold" in entry:
                return float(entry["threshold"])
    raise KeyError(f"no alert {alert} with a threshold in {ALERTS}")
