"""What panels ask, and of which series: those of the environment, namespaces, services and agents that are chosen."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from dashboards.sdk import common_model, prometheus, prometheus_model

SOURCE: Final = common_model.DataSourceRef(type_val="prometheus", uid="${datasource}")
# The environment is an external label: it stands on series that were read through Thanos or another central store, and
# not on those of a Prometheus asked directly. "All" is `.*`, which matches both.
ENVIRONMENT: Final = 'environment=~"$environment"'
NAMESPACE: Final = 'namespace=~"$namespace"'
SERVICE: Final = 'job=~"$service"'
AGENT: Final = 'agent=~"$agent"'
APP: Final = 'job=~"sergas-(api|agents)"'
FIRING: Final = 'alertstate="firing"'
CRITICAL: Final = 'severity="critical"'
# As Alertmanager routes them: what has no severity that it knows is told as a warning.
WARNING: Final = 'severity!~"critical|info"'

TIME_SERIES: Final = prometheus_model.PromQueryFormat.TIME_SERIES
TABLE: Final = prometheus_model.PromQueryFormat.TABLE
HEATMAP: Final = prometheus_model.PromQueryFormat.HEATMAP


@dataclass(frozen=True, slots=True)
class Query:
    """One PromQL expression and how its series are named in the legend."""

    expr: str
    legend: str


def chosen(series: str, *matchers: str) -> str:
    """`series` of the chosen environment and namespaces that meet these matchers too."""
    return f"{series}{{{','.join((ENVIRONMENT, NAMESPACE, *matchers))}}}"


def anywhere(series: str, *matchers: str) -> str:
    """`series` of the chosen environment in any namespace: nodes have none, and servers have one of their own."""
    return f"{series}{{{','.join((ENVIRONMENT, *matchers))}}}"


def summed(series: str, *matchers: str, by: str) -> str:
    """The sum of what is chosen of `series`, for each value of these labels."""
    return f"sum by ({by}) ({chosen(series, *matchers)})"


def worst(series: str, *matchers: str, by: str) -> str:
    """The greatest of what is chosen of `series`, for each value of these labels."""
    return f"max by ({by}) ({chosen(series, *matchers)})"


def counted(rate: str, *matchers: str, span: str, by: str = "") -> str:
    """How many events a recorded rate stands for in the last `1h` or `1d`, by these labels or in all."""
    series = chosen(f"{rate.removesuffix(':rate5m')}:increase{span}", *matchers)
    return f"sum by ({by}) ({series})" if by else f"sum({series})"


def target(query: Query, ref: str, *, instant: bool, shape: prometheus_model.PromQueryFormat) -> prometheus.Dataquery:
    built = prometheus.Dataquery().expr(query.expr).legend_format(query.legend).ref_id(ref).datasource(SOURCE)
    built.format(shape)
    return built.instant() if instant else built.range()


def targets(
    queries: Sequence[Query], *, instant: bool = False, shape: prometheus_model.PromQueryFormat = TIME_SERIES
) -> list[prometheus.Dataquery]:
    """At most 26 queries, lettered A, B, C as Grafana does."""
    return [target(query, chr(ord("A") + index), instant=instant, shape=shape) for index, query in enumerate(queries)]
