"""Figures and graphs. Other kinds of panel are in shapes.py."""

from collections.abc import Sequence
from typing import Final

from dashboards.about import About, dressed
from dashboards.bands import DARK_RED, GREEN, NEUTRAL, ORANGE, PLAIN, RED, YELLOW, Bands
from dashboards.query import Query, alternatives, targets
from dashboards.sdk import common, common_model, model, stat, timeseries

FIGURE_HEIGHT: Final = 4
GRAPH_HEIGHT: Final = 8
MISSING: Final = "No data"
# Records are evaluated every 30 s or 1 min, so a step of 1 min holds a sample of each.
STEP: Final = "1m"
# A figure is as old as one step of its sparkline: 1 min over 24 hours, 5 min over 7 days, 20 min over 30 days.
SPARKLINE_POINTS: Final = 2000
# Series whose name says whether they are good have the colour of it, on every dashboard.
JUDGED: Final = frozenset({"{{status}}", "{{severity}}", "{{result}}"})
MEANINGS: Final = (
    ("/^(success|2..)$/", GREEN),
    ("/^(warning|404|499)$/", YELLOW),
    ("/^(error|429|timeout)$/", ORANGE),
    ("/^5..$/", DARK_RED),
    ("/^(critical|failure|500)$/", RED),
)


def number(
    about: About,
    query: Query,
    bands: Bands = PLAIN,
    *,
    width: int = 4,
    decimals: int | None = None,
    words: Sequence[model.ValueMapping] = (),
    sparkline: bool = True,
) -> stat.Panel:
    """The present value, large, on a ground of its band's colour, above a sparkline of the time range.

    A sparkline needs an expression with one value and no label: NaN stands where it has none, so that a value that is
    gone is not shown as the present one. Without a sparkline the expression may have a value for each label.
    """
    panel = dressed(stat.Panel(), about, width=width, height=FIGURE_HEIGHT)
    panel.thresholds(bands.build()).no_value(MISSING).mappings([*words, missing()])
    panel.color_mode(common_model.BigValueColorMode.BACKGROUND)
    panel.graph_mode(common_model.BigValueGraphMode.AREA if sparkline else common_model.BigValueGraphMode.NONE)
    panel.text_mode(common_model.BigValueTextMode.AUTO)
    panel.reduce_options(last_value())
    if decimals is not None:
        panel.decimals(decimals)
    if not sparkline:
        return panel.targets([*targets([query], instant=True)])
    panel.interval(STEP).max_data_points(SPARKLINE_POINTS)
    return panel.targets([*targets([Query(alternatives(query.expr), query.legend)])])


def graph(
    about: About,
    queries: Sequence[Query],
    bands: Bands | None = None,
    *,
    width: int = 12,
    stacked: bool = False,
    floor: float | None = 0,
    step: str = STEP,
) -> timeseries.Panel:
    """Values over time, from `floor` up or just around them, with a legend of the last and the highest value.

    `step` is the shortest time between two points. It must hold a sample of each series that is aggregated over it.
    """
    panel = dressed(timeseries.Panel(), about, width=width, height=GRAPH_HEIGHT)
    panel.line_width(1).fill_opacity(40 if stacked else 0).interval(step)
    if floor is not None:
        panel.min(floor)
    panel.show_points(common_model.VisibilityMode.AUTO)
    panel.legend(legend()).tooltip(every_series()).targets([*targets(queries)])
    if any(query.legend in JUDGED for query in queries):
        for words, color in MEANINGS:
            panel.override_by_regexp(words, fixed(color))
    if stacked:
        panel.stacking(common.StackingConfig().mode(common_model.StackingMode.NORMAL).group("A"))
    if bands is not None:
        panel.thresholds(bands.build())
        if bands.drawn:
            panel.thresholds_style(dashed())
    return panel


def worded(*words: tuple[str, str, str]) -> list[model.ValueMapping]:
    """Values shown as words: (value, word, colour)."""
    options = {value: model.ValueMappingResult(text=word, color=color) for value, word, color in words}
    return [model.ValueMap(options=options)]


def between(low: float, high: float, word: str, color: str) -> model.ValueMapping:
    """Values from `low` to `high`, both included, shown as a word."""
    result = model.ValueMappingResult(text=word, color=color)
    return model.RangeMap(options=model.DashboardRangeMapOptions(from_val=low, to=high, result=result))


def missing() -> model.ValueMapping:
    """Null and NaN in a neutral colour. Without it Grafana gives missing data the colour of the lowest threshold."""
    result = model.ValueMappingResult(text=MISSING, color=NEUTRAL)
    options = model.DashboardSpecialValueMapOptions(match=model.SpecialValueMatch.NULL_AND_NAN, result=result)
    return model.SpecialValueMap(options=options)


def fixed(color: str) -> list[model.DynamicConfigValue]:
    """What an override sets to draw a series in one colour."""
    return [model.DynamicConfigValue(id_val="color", value={"mode": "fixed", "fixedColor": color})]


def last_value() -> common.ReduceDataOptions:
    """The last value, also where it is no number: the last number of the time range may be hours old."""
    return common.ReduceDataOptions().calcs(["last"])


def every_series() -> common.VizTooltipOptions:
    """A tooltip with all series at the time under the pointer, the highest first."""
    return (
        common.VizTooltipOptions().mode(common_model.TooltipDisplayMode.MULTI).sort(common_model.SortOrder.DESCENDING)
    )


def dashed() -> common.GraphThresholdsStyleConfig:
    return common.GraphThresholdsStyleConfig().mode(common_model.GraphThresholdsStyleMode.DASHED)


def legend() -> common.VizLegendOptions:
    return (
        common.VizLegendOptions()
        .display_mode(common_model.LegendDisplayMode.TABLE)
        .placement(common_model.LegendPlacement.BOTTOM)
        .show_legend(True)
        .calcs(["lastNotNull", "max"])
    )
