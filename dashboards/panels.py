"""Figures and graphs, all with the same manners. Other kinds of panel are in shapes.py."""

from collections.abc import Sequence
from typing import Final

from dashboards.about import About, dressed
from dashboards.bands import DARK_RED, GREEN, ORANGE, PLAIN, RED, YELLOW, Bands
from dashboards.query import Query, targets
from dashboards.sdk import common, common_model, model, stat, timeseries

FIGURE_HEIGHT: Final = 4
GRAPH_HEIGHT: Final = 8
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
    about: About, query: Query, bands: Bands = PLAIN, *, width: int = 4, decimals: int | None = None
) -> stat.Panel:
    """The present value, large, on a ground of its band's colour."""
    panel = dressed(stat.Panel(), about, width=width, height=FIGURE_HEIGHT)
    panel.thresholds(bands.build()).no_value("no data")
    panel.color_mode(common_model.BigValueColorMode.BACKGROUND)
    panel.graph_mode(common_model.BigValueGraphMode.NONE)
    panel.text_mode(common_model.BigValueTextMode.AUTO)
    panel.reduce_options(last_value())
    if decimals is not None:
        panel.decimals(decimals)
    return panel.targets([*targets([query], instant=True)])


def graph(
    about: About,
    queries: Sequence[Query],
    bands: Bands | None = None,
    *,
    width: int = 12,
    stacked: bool = False,
    floor: float | None = 0,
) -> timeseries.Panel:
    """Values over time, from `floor` up or just around them, with a legend that tells last and highest."""
    panel = dressed(timeseries.Panel(), about, width=width, height=GRAPH_HEIGHT)
    panel.line_width(1).fill_opacity(40 if stacked else 10)
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


def fixed(color: str) -> list[model.DynamicConfigValue]:
    """What an override sets to draw a series in one colour."""
    return [model.DynamicConfigValue(id_val="color", value={"mode": "fixed", "fixedColor": color})]


def last_value() -> common.ReduceDataOptions:
    return common.ReduceDataOptions().calcs(["lastNotNull"])


def every_series() -> common.VizTooltipOptions:
    """A tooltip that names all series at the time pointed at, the highest first."""
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
