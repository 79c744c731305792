"""Ways from a panel to the details and the runbook, and from each dashboard to the others."""

from collections.abc import Sequence
from typing import Final

from dashboards import uids
from dashboards.limits import runbook_base_url
from dashboards.sdk import dashboard, model

# What the reader chose goes along. Variables that the other dashboard does not have are left unused there.
CHOICE: Final = "${datasource:queryparam}&${environment:queryparam}&${namespace:queryparam}&${__url_time_range}"


def runbook(alert: str) -> dashboard.DashboardLink:
    """What to do when `alert` fires."""
    return _address(f"Runbook: {alert}", f"{runbook_base_url()}/{alert}.md").target_blank(True)


def detail(uid: str, title: str) -> dashboard.DashboardLink:
    """Another dashboard, with the same choice and the same time."""
    return _address(title, f"/d/{uid}?{CHOICE}")


def panel_links(alerts: Sequence[str], details: Sequence[tuple[str, str]]) -> list[dashboard.DashboardLink]:
    """Of a panel: first where to look closer, then what to do."""
    return [detail(uid, title) for uid, title in details] + [runbook(alert) for alert in alerts]


def dashboard_links(uid: str) -> list[dashboard.DashboardLink]:
    """Of a dashboard: back to the overview, all others, the runbooks."""
    back = [] if uid == uids.OVERVIEW else [_address("System Overview", f"/d/{uids.OVERVIEW}").icon("dashboard")]
    return [
        *[link.include_vars(True).keep_time(True) for link in back],
        _siblings(),
        _address("Runbooks", runbook_base_url()).icon("doc").target_blank(True),
    ]


def _address(title: str, url: str) -> dashboard.DashboardLink:
    return dashboard.DashboardLink(title).type(model.DashboardLinkType.LINK).url(url)


def _siblings() -> dashboard.DashboardLink:
    return (
        dashboard.DashboardLink("Sergas dashboards")
        .type(model.DashboardLinkType.DASHBOARDS)
        .tags(["sergas"])
        .as_dropdown(True)
        .include_vars(True)
        .keep_time(True)
    )
