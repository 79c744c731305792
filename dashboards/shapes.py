"""Gauges, pies, tables and heatmaps. Figures and graphs are in panels.py."""

from collections.abc import Mapping, Sequence

from dashboards.about import About, dressed
from dashboards.bands import Bands
from dashboards.panels import (
    FIGURE_HEIGHT,
    GRAPH_HEIGHT,
    JUDGED,
    MEANINGS,
    MISSING,
    STEP,
    fixed,
    last_value,
    missing,
)
from dashboards.query import HEATMAP, TABLE, Query, targets
from dashboards.sdk import (
    common,
    common_model,
    gauge,
    heatmap,
    heatmap_model,
    model,
    piechart,
    piechart_model,
    table,
)


def dial(about: About, query: Query, bands: Bands, *, width: int = 4, height: int = FIGURE_HEIGHT) -> gauge.Panel:
    """A share between nothing and all, with its bands around it."""
    panel = dressed(gauge.Panel(), about, width=width, height=height)
    panel.min(0).max(1).thresholds(bands.build()).no_value(MISSING).mappings([missing()])
    panel.show_threshold_markers(True).show_threshold_labels(False)
    return panel.reduce_options(last_value()).targets([*targets([query], instant=True)])


def pie(about: About, query: Query, *, width: int = 8) -> piechart.Panel:
    """Shares of a whole, with counts and shares in the legend."""
    panel = dressed(piechart.Panel(), about, width=width, height=GRAPH_HEIGHT)
    panel.pie_type(piechart_model.PieChartType.DONUT).decimals(0)
    if query.legend in JUDGED:
        for words, color in MEANINGS:
            panel.override_by_regexp(words, fixed(color))
    panel.reduce_options(last_value()).legend(
        piechart.PieChartLegendOptions()
        .display_mode(common_model.LegendDisplayMode.TABLE)
        .placement(common_model.LegendPlacement.RIGHT)
        .show_legend(True)
        .values([piechart_model.PieChartLegendValues.VALUE, piechart_model.PieChartLegendValues.PERCENT])
    )
    return panel.targets([*targets([query], instant=True)])


def sheet(
    about: About,
    columns: Mapping[str, str],
    queries: Sequence[Query],
    *,
    sort: str,
    greatest: bool = True,
    plain: Sequence[str] = (),
    words: Mapping[str, Sequence[model.ValueMapping]] | None = None,
    decimals: int | None = None,
    width: int = 12,
    height: int = GRAPH_HEIGHT,
) -> table.Panel:
    """A table: one row for each set of labels, one column of values for each query.

    `columns` is what Grafana calls a column (a label, or `Value`, or `Value #A` with several queries), and its title
    here, in order; others are not shown. `sort` is the title of the column that is sorted by, the greatest first or
    last. `plain` are titles of columns that are plain numbers whatever the panel's unit. `words` are the mappings of
    columns whose values are shown as words.
    """
    panel = dressed(table.Panel(), about, width=width, height=height)
    if decimals is not None:
        panel.decimals(decimals)
    for title in plain:
        panel.override_by_name(title, [model.DynamicConfigValue(id_val="unit", value="none")])
    for title, mappings in (words or {}).items():
        panel.override_by_name(title, [model.DynamicConfigValue(id_val="mappings", value=[*mappings])])
    if len(queries) > 1:
        panel.with_transformation(model.DataTransformerConfig(id_val="merge", options={}))
    panel.with_transformation(model.DataTransformerConfig(id_val="filterFieldsByName", options=_only(columns)))
    panel.with_transformation(model.DataTransformerConfig(id_val="organize", options=_renamed(columns)))
    panel.sort_by([common.TableSortByFieldState().display_name(sort).desc(greatest)])
    return panel.targets([*targets(queries, instant=True, shape=TABLE)])


def cloud(about: About, query: Query, *, width: int = 12) -> heatmap.Panel:
    """How values are spread: a column for each moment, a cell for each bucket, darker where there are more."""
    panel = dressed(heatmap.Panel(), about, width=width, height=GRAPH_HEIGHT)
    panel.calculate(False).cell_gap(1).interval(STEP)
    panel.color(
        heatmap.HeatmapColorOptions()
        .mode(heatmap_model.HeatmapColorMode.SCHEME)
        .scheme("Oranges")
        .scale(heatmap_model.HeatmapColorScale.EXPONENTIAL)
        .exponent(0.5)
        .steps(64)
    )
    panel.y_axis(heatmap.YAxisConfig().unit(about.unit).axis_placement(common_model.AxisPlacement.LEFT))
    panel.cell_values(heatmap.CellValues().unit("none").decimals(3))
    return panel.targets([*targets([query], shape=HEATMAP)])


def _only(columns: Mapping[str, str]) -> dict[str, object]:
    return {"include": {"names": list(columns)}}


def _renamed(columns: Mapping[str, str]) -> dict[str, object]:
    places = {name: place for place, name in enumerate(columns)}
    return {"indexByName": places, "renameByName": dict(columns), "excludeByName": {}}
