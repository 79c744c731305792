"""What happened, drawn over every graph: alerts that fire, and releases."""

from dashboards.query import APP, CRITICAL, FIRING, SOURCE, chosen
from dashboards.sdk import dashboard


def firing_alerts() -> dashboard.AnnotationQuery:
    """From begin to end of each critical alert."""
    return (
        _events("Firing alerts", "red", chosen("ALERTS", FIRING, CRITICAL))
        .title_format("{{alertname}}")
        .text_format("{{job}} {{instance}}")
    )


def starts() -> dashboard.AnnotationQuery:
    """When processes of the application began: each release shows, and so does each restart.

    Nothing else tells a release from a restart on every cluster: kube-state-metrics does, where it is installed.
    """
    return (
        _events(
            "Releases and restarts",
            "blue",
            f"{chosen('namespace_job:sergas_process_start_time_seconds:max', APP)} * 1000",
        )
        .title_format("{{job}} started")
        .text_format("{{namespace}}")
        .use_value_for_time(True)
    )


def _events(name: str, color: str, expr: str) -> dashboard.AnnotationQuery:
    return (
        dashboard.AnnotationQuery().name(name).datasource(SOURCE).enable(True).icon_color(color).expr(expr).step("60s")
    )
