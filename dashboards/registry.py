"""Every dashboard we ship, by the name of its file in the chart."""

from collections.abc import Callable
from typing import Final

from dashboards import system_overview
from dashboards.sdk import model

ALL: Final[dict[str, Callable[[], model.Dashboard]]] = {
    "system-overview": system_overview.built,
}
