"""The kinds of panel our dashboards are made of, all with the same manners."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from dashboards.sdk import common, common_model, dashboard, model, prometheus, stat, timeseries

Panel: TypeAlias = stat.Panel | timeseries.Panel
SOURCE: Final = common_model.DataSourceRef(type_val="prometheus", uid="${datasource}")

GREEN: Final = "green"
YELLOW: Final = "yellow"
RED: Final = "red"


@dataclass(frozen=True, slots=True)
class Query:
    """One PromQL expression and how its series are named in the legend."""

    expr: str
    legend: str


@dataclass(frozen=True, slots=True)
class Bands:
    """Colours by value: `steps` are (from, colour) in rising order, `base` is the colour below the first."""

    base: str = GREEN
    steps: tuple[tuple[float, str], ...] = ()
    drawn: bool = False

    def build(self) -> dashboard.ThresholdsConfig:
        first = model.Threshold(value=None, color=self.base)
        rest = [model.Threshold(value=value, color=color) for value, color in self.steps]
        return dashboard.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps([first, *rest])


def above(warn: float, critical: float) -> Bands:
    """Green, yellow from `warn`, red from `critical`, drawn as lines."""
    return Bands(steps=((warn, YELLOW), (critical, RED)), drawn=True)


def below(critical: float, target: float) -> Bands:
    """Red, yellow from `critical`, green from `target`, drawn as lines."""
    return Bands(base=RED, steps=((critical, YELLOW), (target, GREEN)), drawn=True)


def target(query: Query, ref: str, instant: bool) -> prometheus.Dataquery:
    built = prometheus.Dataquery().expr(query.expr).legend_format(query.legend).ref_id(ref).datasource(SOURCE)
    return built.instant() if instant else built.range()


def targets(queries: Sequence[Query], instant: bool = False) -> list[prometheus.Dataquery]:
    """At most 26 queries, lettered A, B, C as Grafana does."""
    return [target(query, chr(ord("A") + index), instant) for index, query in enumerate(queries)]


def number(
    title: str, description: str, unit: str, query: Query, bands: Bands, *, width: int, decimals: int | None = None
) -> stat.Panel:
    """The present value, large, on a ground of its band's colour."""
    panel = (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .unit(unit)
        .thresholds(bands.build())
        .color_mode(common_model.BigValueColorMode.BACKGROUND)
        .graph_mode(common_model.BigValueGraphMode.NONE)
        .text_mode(common_model.BigValueTextMode.VALUE_AND_NAME)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .no_value("no data")
        .height(4)
        .span(width)
    )
    if decimals is not None:
        panel.decimals(decimals)
    return panel.with_target(target(query, "A", instant=True))


def graph(
    title: str, description: str, unit: str, queries: Sequence[Query], bands: Bands | None = None, *, width: int = 12
) -> timeseries.Panel:
    """Values over time from zero up, with a legend that tells last and highest."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .unit(unit)
        .min(0)
        .line_width(1)
        .fill_opacity(10)
        .show_points(common_model.VisibilityMode.NEVER)
        .legend(legend())
        .tooltip(common.VizTooltipOptions().mode(common_model.TooltipDisplayMode.MULTI))
        .targets(list(targets(queries)))
        .height(8)
        .span(width)
    )
    if bands is not None:
        panel.thresholds(bands.build())
        if bands.drawn:
            style = common.GraphThresholdsStyleConfig().mode(common_model.GraphThresholdsStyleMode.DASHED)
            panel.thresholds_style(style)
    return panel


def legend() -> common.VizLegendOptions:
    return (
        common.VizLegendOptions()
        .display_mode(common_model.LegendDisplayMode.TABLE)
        .placement(common_model.LegendPlacement.BOTTOM)
        .show_legend(True)
        .calcs(["lastNotNull", "max"])
    )
