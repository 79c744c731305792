"""Monitoring: whether the other dashboards and the alerts can be trusted."""

from typing import Final

from dashboards import limits, uids
from dashboards.about import About, Panel
from dashboards.bands import BLUE, GREEN, ORANGE, RED, YELLOW, Bands, any_at_all, limit, warning
from dashboards.digest import digest
from dashboards.edges import edges
from dashboards.frame import Section, filled, frame
from dashboards.panels import graph, number, worded
from dashboards.query import FIRING, RUNNING, Query, anywhere, chosen, over_step, per_minute, zero_while
from dashboards.sdk import model
from dashboards.servers import NO_APP, alertmanager, operator, prometheus, state
from dashboards.shapes import sheet

WATCHDOG: Final = 'alertname="Watchdog"'
WANTED: Final = "metric:sergas_alert_input:wanted"
SEEN: Final = "metric:sergas_alert_input_series:count"
ANSWER: Final = "namespace_job:sergas_target_up:avg"
TARGETS: Final = "namespace_job:sergas_target_up:count"
RELOADED: Final = ("prometheus_config_last_reload_successful", "alertmanager_config_last_reload_successful")
RECONCILED: Final = "sergas_operator_last_successful_reconcile_timestamp_seconds"
SEVERITIES: Final = (("1", "critical", RED), ("2", "warning", ORANGE), ("3", "info", BLUE))


def built() -> model.Dashboard:
    question = "Can we trust what the dashboards show and the alerts say?"
    empty = frame(uids.MONITORING, "Monitoring", question, "monitoring", watch=True)
    return filled(
        empty,
        [
            Section("Can it scrape, evaluate and notify?", now()),
            Section("What does it report?", alerts()),
            Section("Prometheus", prometheus()),
            Section("Alertmanager", alertmanager(), closed=True),
            Section("Sergas operator", operator(), closed=True),
            Section("Instrumentation errors", library(), closed=True),
            Section("Remote write and external checks", edges(), closed=True),
            Section("Digest of info alerts", digest(), closed=True),
        ],
    )


def now() -> list[Panel]:
    return [
        number(
            About(
                "Targets up, worst job",
                "Share of targets that answer their scrape, of the worst job; 0 where a job lost all its targets"
                " within a day. Red: an alert fires. The table below names the job.",
                "percentunit",
                alerts=("TargetsMissing",),
            ),
            Query(f"min({answering()})", "targets"),
            Bands(base=RED, steps=((1 - limits.alert_threshold("TargetsMissing"), YELLOW), (1, GREEN))),
            decimals=1,
            sparkline=False,
        ),
        state(
            About(
                "Configuration",
                "Whether every Prometheus and Alertmanager runs with its newest configuration. OLD: its log names the"
                " line that it refused.",
                "none",
                alerts=("ConfigReloadFailed",),
            ),
            Query(f"min({' or '.join(map(chosen, RELOADED))})", "configuration"),
            bad="OLD",
            good="CURRENT",
        ),
        number(
            About(
                "Rule failures (5 min)",
                "Evaluations of rules that failed in five minutes. Alerts of those rules do not fire.",
                "none",
                alerts=("RulesFailing",),
            ),
            Query(f"sum(increase({chosen('prometheus_rule_evaluation_failures_total')}[5m]))", "failures"),
            any_at_all(RED),
            decimals=0,
        ),
        number(
            About(
                "Send failures (15 min)",
                "Share of notifications that failed over 15 minutes, of the worst integration. Red: alerts do not reach"
                " people this way.",
                "percentunit",
                alerts=("NotificationsFailing",),
            ),
            Query(zero_while(failed_notifications(), f"max({chosen(RELOADED[1])})"), "failing"),
            limit(limits.alert_threshold("NotificationsFailing")),
            decimals=1,
        ),
        number(
            About(
                "Time since last reconcile",
                "Of the operator that has not succeeded for longest: since it last reconciled a SergasMonitoring, or"
                " since its start where it has not succeeded yet. A full reconcile is due every five minutes.",
                "s",
                alerts=("OperatorNotReconciling",),
            ),
            Query(f"max(time() - ({reconciled()}))", "since success"),
            warning(limits.alert_threshold("OperatorNotReconciling")),
        ),
        state(
            About(
                "Watchdog",
                "The alert that always fires, so that a heartbeat receiver notices when no alert arrives. SILENT: rules"
                " are not evaluated.",
                "none",
                alerts=("Watchdog",),
            ),
            Query(
                zero_while(f"max({anywhere('ALERTS', FIRING, WATCHDOG)})", f"max({anywhere(RELOADED[0])})"), "watchdog"
            ),
            bad="SILENT",
            good="FIRES",
        ),
    ]


def answering() -> str:
    """Share of each job's targets that answer; 0 for a job that lost all its targets within a day."""
    return f"{chosen(ANSWER)} or 0 * max_over_time({chosen(ANSWER)}[1d])"


def failed_notifications() -> str:
    by, window = "namespace, job, integration", "15m"
    failed = f"sum by ({by}) (rate({chosen('alertmanager_notifications_failed_total')}[{window}]))"
    every = f"sum by ({by}) (rate({chosen('alertmanager_notifications_total')}[{window}]))"
    return f"max({failed} / ({every} > 0))"


def reconciled() -> str:
    """When each operator that has something to reconcile last succeeded, or when it started."""
    busy = f"{chosen('sergas_operator_monitorings')} > 0"
    started = f"{chosen('process_start_time_seconds', NO_APP)} and on (namespace, job, instance) {busy}"
    return (
        f"max by (namespace, job) ({chosen(RECONCILED)} > 0 and on (namespace, job) {busy})"
        f" or max by (namespace, job) ({started})"
    )


def alerts() -> list[Panel]:
    return [
        sheet(
            About(
                "Firing alerts",
                "Every alert that fires, in all namespaces, critical ones first. Watchdog always fires; any other has a"
                " runbook of its name.",
                "none",
            ),
            {"rank": "Severity", "alertname": "Alert", "namespace": "Namespace", "job": "Job", "Value": "Series"},
            [Query(ranked(), "{{alertname}}")],
            sort="Severity",
            greatest=False,
            words={"Severity": worded(*SEVERITIES)},
        ),
        sheet(
            About(
                "Targets",
                "Every job that is scraped, the worst first, and those that lost all their targets within a day.",
                "percentunit",
                alerts=("TargetsMissing",),
            ),
            {"namespace": "Namespace", "job": "Job", "Value #A": "Answering", "Value #B": "Targets"},
            [Query(answering(), "answering"), Query(chosen(TARGETS), "targets")],
            sort="Answering",
            greatest=False,
            plain=("Targets",),
        ),
        graph(
            About(
                "Alerts over time",
                "Alerts by severity and state. Many short ones in a row: a threshold is too tight.",
                "none",
            ),
            [
                Query(
                    f"count by (severity, alertstate) ({over_step('max', anywhere('ALERTS'))})",
                    "{{severity}} {{alertstate}}",
                )
            ],
            stacked=True,
        ),
        sheet(
            About(
                "Alert inputs",
                "Series of each metric that an alert reads, by namespace. 0: gone within a day, or never seen where no"
                " namespace stands. Those alerts cannot fire: install what exports it, or switch them off.",
                "none",
                alerts=("AlertInputMissing", "AlertInputNeverSeen"),
            ),
            {"metric": "Metric", "namespace": "Namespace", "Value": "Series", "alerts": "Alerts"},
            [Query(inputs(), "{{metric}}")],
            sort="Series",
            greatest=False,
        ),
    ]


def ranked() -> str:
    """Firing alerts with a label `rank` by which they can be sorted: 1 critical, 2 warning or unknown, 3 info."""
    found = f"count by (severity, alertname, namespace, job) ({anywhere('ALERTS', FIRING)})"
    for rank, severity in (("2", ".*"), ("1", "critical"), ("3", "info")):
        found = f'label_replace({found}, "rank", "{rank}", "severity", "{severity}")'
    return found


def inputs() -> str:
    by = "metric, namespace, alerts"
    lately = f"max_over_time({anywhere(SEEN)}[1d])"
    return (
        f"max by ({by}) ({anywhere(SEEN)}) or 0 * max by ({by}) ({lately})"
        f" or 0 * max by (metric, alerts) ({anywhere(WANTED)} unless on (metric) {lately})"
    )


def library() -> list[Panel]:
    overflow = chosen("namespace_job_metric:sergas_metrics_overflow:rate5m")
    failures = chosen("namespace_job_collector:sergas_metrics_collector_failures:rate5m")
    return [
        number(
            About(
                "Overflowing updates a minute",
                "Updates of the application's metrics that went to an overflow series, because a metric reached its"
                " limit of series. A label takes too many values.",
                "none",
            ),
            Query(zero_while(per_minute(f"sum({overflow})"), RUNNING), "updates"),
            any_at_all(YELLOW),
            width=12,
            decimals=1,
        ),
        number(
            About(
                "Failing collectors a minute",
                "Collectors that raised during a scrape of the application. Their metrics are missing from it.",
                "none",
            ),
            Query(zero_while(per_minute(f"sum({failures})"), RUNNING), "failures"),
            any_at_all(YELLOW),
            width=12,
            decimals=1,
        ),
    ]
