"""The dashboards' identities. One never changes once released: alerts, panels and people's bookmarks link to it."""

from typing import Final

OVERVIEW: Final = "sergas-system-overview"
AGENTS: Final = "sergas-agent-performance"
SYNC: Final = "sergas-sync-pipeline"
ERRORS: Final = "sergas-error-tracking"
BUSINESS: Final = "sergas-business-metrics"
SLOS: Final = "sergas-slos"
MONITORING: Final = "sergas-monitoring"
