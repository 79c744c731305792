"""What every panel has, whatever its kind: title, description, unit and links."""

from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from dashboards.links import panel_links
from dashboards.query import SOURCE
from dashboards.sdk import dashboard, gauge, heatmap, piechart, stat, table, timeseries

Panel: TypeAlias = stat.Panel | timeseries.Panel | gauge.Panel | piechart.Panel | table.Panel | heatmap.Panel
P = TypeVar("P", stat.Panel, timeseries.Panel, gauge.Panel, piechart.Panel, table.Panel, heatmap.Panel)


@dataclass(frozen=True, slots=True)
class About:
    """The texts and links of a panel.

    Attributes:
        title: What it shows.
        description: Which picture is bad, and what to do or read then.
        unit: A unit of Grafana's, such as `s` or `percentunit`.
        alerts: Alerts whose thresholds it shows or whose series it draws; it links to their runbooks.
        details: (uid, title) of dashboards with the details.
    """

    title: str
    description: str
    unit: str
    alerts: tuple[str, ...] = ()
    details: tuple[tuple[str, str], ...] = ()


def dressed(panel: P, about: About, *, width: int, height: int) -> P:
    """`panel` with its texts, links, data source and size on the grid of 24 columns."""
    panel.title(about.title).description(about.description).unit(about.unit)
    panel.datasource(SOURCE).height(height).span(width)
    links: list[dashboard.DashboardLink] = panel_links(about.alerts, about.details)
    if links:
        panel.links([*links])
    return panel
