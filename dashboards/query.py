"""What panels query: series of the environment, namespaces, services and agents that are chosen.

Graphs sample a query at the step of the time range, an hour over 30 days. `highest`, `lowest` and `average` aggregate
over that step, so that what happened between two points is not lost.
"""

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
POD: Final = 'pod=~"$pod"'
APP: Final = 'job=~"sergas-(api|agents)"'
API: Final = 'job="sergas-api"'
FIRING: Final = 'alertstate="firing"'
CRITICAL: Final = 'severity="critical"'
# As Alertmanager routes them: an alert without a severity that it knows is a warning.
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


def over_step(function: str, series: str) -> str:
    """`max`, `min`, `avg` or `last` of a selector over the step of the panel."""
    return f"{function}_over_time({series}[$__interval])"


def highest(series: str, *matchers: str) -> str:
    """The highest value within each step, for what is bad when it is high."""
    return over_step("max", chosen(series, *matchers))


def lowest(series: str, *matchers: str) -> str:
    """The lowest value within each step, for what is bad when it is low."""
    return over_step("min", chosen(series, *matchers))


def average(series: str, *matchers: str) -> str:
    """The average of each step, for rates whose area is a count."""
    return over_step("avg", chosen(series, *matchers))


def averaged(series: str, *matchers: str, by: str) -> str:
    """The sum of the averages of each step, for each value of these labels."""
    return f"sum by ({by}) ({average(series, *matchers)})"


def per_minute(rate: str) -> str:
    """A rate a second as events a minute: rare events are readable then."""
    return f"60 * {rate}"


def zero_while(expr: str, source: str) -> str:
    """`expr`, or 0 where it is empty while `source` exists. Where the source is gone as well there is no data."""
    return f"{expr} or 0 * {source}"


# Exists while a pod of the application answers its scrape.
RUNNING: Final = f"count({chosen('namespace_job:sergas_target_up:max', APP)} == 1)"
# Exists while the rules of the alerts are loaded.
ALERTS_LOADED: Final = f"max({anywhere('metric:sergas_alert_input:wanted')})"


def increase(rate: str, *matchers: str, span: str) -> str:
    """The recorded increase over the last `1h` or `1d` of what is chosen of a recorded rate."""
    return chosen(f"{rate.removesuffix(':rate5m')}:increase{span}", *matchers)


def counted(rate: str, *matchers: str, span: str, by: str = "") -> str:
    """How many events a recorded rate stands for in the last `1h` or `1d`, by these labels or in all."""
    series = increase(rate, *matchers, span=span)
    return f"sum by ({by}) ({series})" if by else f"sum({series})"


def alternatives(*exprs: str) -> str:
    """The first of these expressions that has a value, or NaN: a figure over time shows NaN where data is missing."""
    return " or ".join((*exprs, "vector(NaN)"))


def target(query: Query, ref: str, *, instant: bool, shape: prometheus_model.PromQueryFormat) -> prometheus.Dataquery:
    built = prometheus.Dataquery().expr(query.expr).legend_format(query.legend).ref_id(ref).datasource(SOURCE)
    built.format(shape)
    return built.instant() if instant else built.range()


def targets(
    queries: Sequence[Query], *, instant: bool = False, shape: prometheus_model.PromQueryFormat = TIME_SERIES
) -> list[prometheus.Dataquery]:
    """At most 26 queries, lettered A, B, C as Grafana does."""
    return [target(query, chr(ord("A") + index), instant=instant, shape=shape) for index, query in enumerate(queries)]
