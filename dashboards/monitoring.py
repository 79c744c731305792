"""Monitoring: can we trust what the other dashboards and the alerts say."""

from typing import Final

from dashboards import limits, uids
from dashboards.about import About, Panel
from dashboards.bands import GREEN, RED, YELLOW, Bands, limit, warning
from dashboards.digest import digest
from dashboards.frame import Section, filled, frame
from dashboards.panels import graph, number, worded
from dashboards.query import FIRING, Query, anywhere, chosen, worst
from dashboards.sdk import model
from dashboards.servers import alertmanager, operator, prometheus
from dashboards.shapes import sheet

WATCHDOG: Final = 'alertname="Watchdog"'
WANTED: Final = "metric:sergas_alert_input:wanted"
SEEN: Final = "metric:sergas_alert_input_series:count"


def built() -> model.Dashboard:
    question = "Can we trust what the dashboards show and the alerts say?"
    empty = frame(uids.MONITORING, "Monitoring", question, "monitoring", watch=True)
    return filled(
        empty,
        [
            Section("Can it see, judge and tell?", now()),
            Section("What does it say?", alerts()),
            Section("Prometheus", prometheus()),
            Section("Alertmanager", alertmanager(), closed=True),
            Section("Sergas operator", operator(), closed=True),
            Section("What the app could not tell", library(), closed=True),
            Section("Remote write, outside checks", edges(), closed=True),
            Section("Digest of info alerts", digest(), closed=True),
        ],
    )


def now() -> list[Panel]:
    return [
        number(
            About(
                "Targets that answer",
                "Share of all targets that answer their scrape. Below 100 %: something is not watched; the table"
                " below names it.",
                "percentunit",
                alerts=("TargetsMissing",),
            ),
            Query(
                f"sum({chosen(ANSWER)} * {chosen(TARGETS)}) / sum({chosen(TARGETS)})",
                "targets",
            ),
            Bands(base=RED, steps=((0.9, YELLOW), (1, GREEN))),
            decimals=1,
        ),
        number(
            About(
                "Configuration",
                "Whether every Prometheus and Alertmanager runs with its newest configuration. OLD: its log names the"
                " line that it refused.",
                "none",
                alerts=("ConfigReloadFailed",),
            ),
            Query(
                f"min({chosen('prometheus_config_last_reload_successful')}"
                f" or {chosen('alertmanager_config_last_reload_successful')})",
                "configuration",
            ),
            Bands(base=RED, steps=((1, GREEN),)),
        ).mappings(worded(("0", "OLD", RED), ("1", "CURRENT", GREEN))),
        number(
            About(
                "Failed rule evaluations",
                "Evaluations of rules that failed in five minutes. Alerts of those rules do not fire.",
                "none",
                alerts=("RulesFailing",),
            ),
            Query(f"sum(increase({chosen('prometheus_rule_evaluation_failures_total')}[5m]))", "failures"),
            limit(1),
            decimals=0,
        ),
        number(
            About(
                "Failed notifications",
                "Share of notifications that failed over five minutes, of the worst integration. Red: alerts do not"
                " reach people this way.",
                "percentunit",
                alerts=("NotificationsFailing",),
            ),
            Query(
                f"max(sum by (integration) (rate({chosen('alertmanager_notifications_failed_total')}[5m]))"
                f" / (sum by (integration) (rate({chosen('alertmanager_notifications_total')}[5m])) > 0)) or vector(0)",
                "failing",
            ),
            limit(limits.alert_threshold("NotificationsFailing")),
            decimals=1,
        ),
        number(
            About(
                "Operator's last pass",
                "Time since the operator last brought a SergasMonitoring to its desired state. A full pass is due"
                " every five minutes.",
                "s",
                alerts=("OperatorNotReconciling",),
            ),
            Query(
                f"time() - max({chosen('sergas_operator_last_successful_reconcile_timestamp_seconds')})",
                "since success",
            ),
            warning(limits.alert_threshold("OperatorNotReconciling")),
        ),
        number(
            About(
                "Watchdog",
                "The alert that always fires, so that a heartbeat receiver notices when the way to it breaks. SILENT:"
                " rules are not evaluated.",
                "none",
                alerts=("Watchdog",),
            ),
            Query(f"max({anywhere('ALERTS', FIRING, WATCHDOG)}) or vector(0)", "watchdog"),
            Bands(base=RED, steps=((1, GREEN),)),
        ).mappings(worded(("0", "SILENT", RED), ("1", "FIRES", GREEN))),
    ]


ANSWER: Final = "namespace_job:sergas_target_up:avg"
TARGETS: Final = "namespace_job:sergas_target_up:count"


def alerts() -> list[Panel]:
    return [
        sheet(
            About(
                "Firing alerts",
                "Every alert that fires, of all namespaces. Watchdog belongs here; any other has a runbook of its"
                " name.",
                "none",
            ),
            {"severity": "Severity", "alertname": "Alert", "namespace": "Namespace", "job": "Job", "Value": "Series"},
            [
                Query(
                    f"count by (severity, alertname, namespace, job) ({anywhere('ALERTS', FIRING)})",
                    "{{alertname}}",
                )
            ],
            sort="Severity",
            greatest=False,
        ),
        sheet(
            About(
                "Targets",
                "Every job that is scraped, the worst first. Missing from the list: it has no target at all, as when"
                " its ServiceMonitor selects nothing.",
                "percentunit",
                alerts=("TargetsMissing",),
            ),
            {"namespace": "Namespace", "job": "Job", "Value #A": "Answering", "Value #B": "Targets"},
            [Query(chosen(ANSWER), "answering"), Query(chosen(TARGETS), "targets")],
            sort="Answering",
            greatest=False,
            plain=("Targets",),
        ),
        graph(
            About(
                "Alerts over time",
                "Alerts by severity and state. A comb of short ones is a threshold that is too tight.",
                "none",
            ),
            [Query(f"count by (severity, alertstate) ({anywhere('ALERTS')})", "{{severity}} {{alertstate}}")],
            stacked=True,
        ),
        sheet(
            About(
                "What alerts need to see",
                "Series there are now of each metric that an alert reads. 0: those alerts cannot fire. Install what"
                " exports it, or switch the alerts off.",
                "none",
                alerts=("AlertInputMissing", "AlertInputNeverSeen"),
            ),
            {"metric": "Metric", "Value": "Series", "alerts": "Alerts"},
            [
                Query(
                    f"0 * max by (metric, alerts) ({anywhere(WANTED)}) + on (metric) group_left ()"
                    f" sum by (metric) ({anywhere(SEEN)}) or 0 * max by (metric, alerts) ({anywhere(WANTED)})",
                    "{{metric}}",
                )
            ],
            sort="Series",
            greatest=False,
        ),
    ]


def library() -> list[Panel]:
    return [
        number(
            About(
                "Updates without a series",
                "Updates a second of the application's metrics that landed in an overflow series, because a metric"
                " reached its limit of series. Some label takes too many values.",
                "none",
            ),
            Query(f"sum({chosen('namespace_job_metric:sergas_metrics_overflow:rate5m')}) or vector(0)", "updates"),
            Bands(steps=((0.001, YELLOW),)),
            width=12,
            decimals=2,
        ),
        number(
            About(
                "Collectors that fail",
                "Collectors a second that raised during a scrape of the application. Their metrics are missing from"
                " it.",
                "none",
            ),
            Query(
                f"sum({chosen('namespace_job_collector:sergas_metrics_collector_failures:rate5m')}) or vector(0)",
                "failures",
            ),
            Bands(steps=((0.001, YELLOW),)),
            width=12,
            decimals=2,
        ),
    ]


def edges() -> list[Panel]:
    behind = limits.alert_threshold("RemoteWriteBehind")
    queue = "namespace, job, instance, remote_name"
    newest = worst("prometheus_remote_storage_queue_highest_timestamp_seconds", by=queue)
    sent = worst("prometheus_remote_storage_queue_highest_sent_timestamp_seconds", by=queue)
    return [
        graph(
            About(
                "Remote write behind",
                "How far the newest sample sent lies behind the newest there is. After two hours samples are lost"
                " there. Needs prometheus.remoteWrite in the SergasMonitoring.",
                "s",
                alerts=("RemoteWriteBehind",),
            ),
            [
                Query(
                    f"{newest} - {sent}",
                    "{{instance}} {{remote_name}}",
                )
            ],
            warning(behind),
            width=8,
        ),
        graph(
            About(
                "Days until a certificate expires",
                "Of each address that is probed with TLS. Below the line it was not renewed by itself. Needs a Probe.",
                "d",
                alerts=("CertificateExpiring",),
            ),
            [
                Query(
                    f"(min by (job, instance) ({anywhere('probe_ssl_earliest_cert_expiry')}) - time()) / 86400",
                    "{{instance}}",
                )
            ],
            Bands(base=YELLOW, steps=((limits.alert_threshold("CertificateExpiring"), GREEN),), drawn=True),
            width=8,
        ),
        graph(
            About(
                "Checks from outside",
                "1 while an address answers as its check expects, 0 while it does not: users of it meet the same."
                " Needs probes.checks in the chart's values.",
                "none",
                alerts=("ProbeFailing",),
            ),
            [Query(f"max by (job, instance) ({anywhere('probe_success')})", "{{job}} {{instance}}")],
            Bands(base=RED, steps=((1, GREEN),)),
            width=8,
        ),
    ]
