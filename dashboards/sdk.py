"""The one import of Grafana's SDK.

Its classic dashboard builder warns on import that the v2 schema is to be preferred. Provisioning by ConfigMap reads the
classic schema, which every Grafana we support understands, so the warning is not for us.
"""

import json
import warnings
from typing import Any, Final

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from grafana_foundation_sdk.builders import (
        common,
        dashboard,
        gauge,
        heatmap,
        piechart,
        prometheus,
        stat,
        table,
        timeseries,
    )

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as common_model
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models import heatmap as heatmap_model
from grafana_foundation_sdk.models import piechart as piechart_model
from grafana_foundation_sdk.models import prometheus as prometheus_model

UNKNOWN: Final = frozenset({"footer", "auto", "auto_count", "auto_min"})
HIDDEN: Final = ("placement", "inControlsMenu")

__all__ = [
    "common",
    "common_model",
    "dashboard",
    "gauge",
    "heatmap",
    "heatmap_model",
    "model",
    "piechart",
    "piechart_model",
    "prometheus",
    "prometheus_model",
    "stat",
    "table",
    "text",
    "timeseries",
]


def text(built: model.Dashboard) -> str:
    """The dashboard as JSON, with keys in a stable order and a newline at the end."""
    plain = json.loads(json.dumps(built, cls=JSONEncoder))
    return json.dumps(_without_leftovers(plain), indent=2, sort_keys=True) + "\n"


def _without_leftovers(part: Any) -> Any:
    """`part` without defaults that the SDK writes unasked and that Grafana hides links for, or knows no more."""
    if isinstance(part, list):
        return [_without_leftovers(item) for item in part]
    if isinstance(part, dict):
        kept = {key: value for key, value in part.items() if key not in UNKNOWN and (key, value) != HIDDEN}
        return {key: _without_leftovers(value) for key, value in kept.items()}
    return part
