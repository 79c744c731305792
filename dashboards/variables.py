"""What a reader chooses at the top of a dashboard. Everything is chosen to begin with."""

from collections.abc import Callable
from typing import Final

from dashboards.query import APP, ENVIRONMENT, NAMESPACE, SERVICE, SOURCE
from dashboards.sdk import dashboard, model

WATCHED: Final = "namespace_job:sergas_target_up:max"
ALL: Final = model.VariableOption(selected=True, text="All", value="$__all")
DEFAULT: Final = model.VariableOption(selected=True, text="default", value="default")


def datasource() -> dashboard.DatasourceVariable:
    """Grafana's default data source, until another is chosen."""
    return dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus").current(DEFAULT)


def environment() -> dashboard.QueryVariable:
    """Empty but for All where a Prometheus is asked directly: see ENVIRONMENT in query.py."""
    return _values("environment", "Environment", f"label_values({WATCHED}, environment)")


def namespace() -> dashboard.QueryVariable:
    """Namespaces where the application runs, or has run within the time shown.

    It takes listed values only: a namespace without the application would leave every panel empty.
    """
    listed = _values("namespace", "Namespace", f"label_values({WATCHED}{{{ENVIRONMENT},{APP}}}, namespace)")
    return listed.allow_custom_value(False)


def watched_namespace() -> dashboard.QueryVariable:
    """Namespaces in which anything at all is scraped."""
    return _values("namespace", "Namespace", f"label_values({WATCHED}{{{ENVIRONMENT}}}, namespace)")


def service() -> dashboard.QueryVariable:
    return _values("service", "Service", f"label_values({WATCHED}{{{ENVIRONMENT},{NAMESPACE},{APP}}}, job)")


def agent() -> dashboard.QueryVariable:
    series = f"namespace_agent:sergas_agent_task_attempts:rate5m{{{ENVIRONMENT},{NAMESPACE}}}"
    return _values("agent", "Agent", f"label_values({series}, agent)")


def pod() -> dashboard.QueryVariable:
    """One pod, and never all: panels of a pod read its raw series."""
    series = f"up{{{ENVIRONMENT},{NAMESPACE},{SERVICE},{APP}}}"
    return _listed("pod", "Pod", f"label_values({series}, pod)").multi(False).include_all(False)


OFFERED: Final[dict[str, Callable[[], dashboard.QueryVariable]]] = {"service": service, "agent": agent, "pod": pod}


def _values(name: str, label: str, query: str) -> dashboard.QueryVariable:
    """Several may be chosen. All is `.*`, which series without the label meet too."""
    return _listed(name, label, query).multi(True).include_all(True).all_value(".*").current(ALL)


def _listed(name: str, label: str, query: str) -> dashboard.QueryVariable:
    """The sorted answer of `query`, read again with the time range. Others may be typed."""
    return (
        dashboard.QueryVariable(name)
        .label(label)
        .datasource(SOURCE)
        .query({"query": query, "refId": name})
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.ALPHABETICAL_ASC)
        .allow_custom_value(True)
    )
