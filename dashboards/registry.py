"""Every dashboard we ship, by the name of its file in the chart."""

from collections.abc import Callable
from typing import Final

from dashboards import (
    agent_performance,
    business_metrics,
    error_tracking,
    monitoring,
    slos,
    sync_pipeline,
    system_overview,
)
from dashboards.sdk import model

ALL: Final[dict[str, Callable[[], model.Dashboard]]] = {
    "system-overview": system_overview.built,
    "agent-performance": agent_performance.built,
    "sync-pipeline": sync_pipeline.built,
    "error-tracking": error_tracking.built,
    "business-metrics": business_metrics.built,
    "slos": slos.built,
    "monitoring": monitoring.built,
}
