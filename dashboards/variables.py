"""What a reader chooses at the top of a dashboard. Everything is chosen to begin with."""

from collections.abc import Callable
from typing import Final

from dashboards.query import APP, ENVIRONMENT, NAMESPACE, SOURCE
from dashboards.sdk import dashboard, model

WATCHED: Final = "namespace_job:sergas_target_up:max"
ALL: Final = model.VariableOption(selected=True, text="All", value="$__all")


def datasource() -> dashboard.DatasourceVariable:
    return dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus")


def environment() -> dashboard.QueryVariable:
    """Empty but for All where a Prometheus is asked directly: see ENVIRONMENT in query.py."""
    return _values("environment", "Environment", f"label_values({WATCHED}, environment)")


def namespace() -> dashboard.QueryVariable:
    """Namespaces where the application runs, or has run within the time shown."""
    return _values("namespace", "Namespace", f"label_values({WATCHED}{{{ENVIRONMENT},{APP}}}, namespace)")


def watched_namespace() -> dashboard.QueryVariable:
    """Namespaces in which anything at all is scraped."""
    return _values("namespace", "Namespace", f"label_values({WATCHED}{{{ENVIRONMENT}}}, namespace)")


def service() -> dashboard.QueryVariable:
    return _values("service", "Service", f"label_values({WATCHED}{{{ENVIRONMENT},{NAMESPACE},{APP}}}, job)")


def agent() -> dashboard.QueryVariable:
    series = f"namespace_agent:sergas_agent_task_attempts:rate5m{{{ENVIRONMENT},{NAMESPACE}}}"
    return _values("agent", "Agent", f"label_values({series}, agent)")


OFFERED: Final[dict[str, Callable[[], dashboard.QueryVariable]]] = {"service": service, "agent": agent}


def _values(name: str, label: str, query: str) -> dashboard.QueryVariable:
    """Several may be chosen, also by typing. All is `.*`, which series without the label meet too."""
    return (
        dashboard.QueryVariable(name)
        .label(label)
        .datasource(SOURCE)
        .query({"query": query, "refId": name})
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(".*")
        .allow_custom_value(True)
        .current(ALL)
    )
