"""The programs that do the monitoring: rows of the dashboard Monitoring."""

from typing import Final

from dashboards.about import About, Panel
from dashboards.panels import graph
from dashboards.query import Query, chosen, summed, worst

P99: Final = 'quantile="0.99"'
# rule_group is a file's path, a semicolon and the group's name.
NAMED: Final = '"group", "$1", "rule_group", ".*;(.*)"'


def prometheus() -> list[Panel]:
    busy = chosen("prometheus_rule_group_last_duration_seconds")
    period = chosen("prometheus_rule_group_interval_seconds")
    return [
        graph(
            About(
                "Series",
                "Series in memory, by replica. They decide how much memory it takes. A climb with each release: old"
                " pods' series go after two hours. A climb without end: a label takes ever new values.",
                "short",
            ),
            [Query(summed("prometheus_tsdb_head_series", by="instance"), "{{instance}}")],
        ),
        graph(
            About(
                "Samples a second",
                "Samples taken in, by replica. A step down: targets went missing.",
                "short",
                alerts=("TargetsMissing",),
            ),
            [
                Query(
                    f"sum by (instance) (rate({chosen('prometheus_tsdb_head_samples_appended_total')}[5m]))",
                    "{{instance}}",
                )
            ],
        ),
        graph(
            About(
                "Slowest rule groups",
                "Share of its interval that a group takes to evaluate. Near 100 % evaluations are skipped, and alerts"
                " come late.",
                "percentunit",
                alerts=("RulesFailing",),
            ),
            [Query(f"topk(5, max by (group) (label_replace({busy} / {period}, {NAMED})))", "{{group}}")],
        ),
        graph(
            About(
                "Query time",
                "99th percentile of evaluating a query, by part of the work. It climbs with dashboards that read raw"
                " series.",
                "s",
            ),
            [
                Query(
                    worst("prometheus_engine_query_duration_seconds", P99, by="slice"),
                    "{{slice}}",
                )
            ],
        ),
        graph(
            About(
                "Storage",
                "Blocks on disk and the write-ahead log, by replica. It should level off when the retention is"
                " reached.",
                "bytes",
                alerts=("DiskUsageHigh",),
            ),
            [
                Query(summed("prometheus_tsdb_storage_blocks_bytes", by="instance"), "{{instance}} blocks"),
                Query(summed("prometheus_tsdb_wal_storage_size_bytes", by="instance"), "{{instance}} log"),
            ],
        ),
        graph(
            About(
                "Memory of Prometheus",
                "Resident memory by replica. Sudden ends of the line: it was killed at its limit.",
                "bytes",
                alerts=("MemoryUsageHigh",),
            ),
            [
                Query(
                    f"{chosen('process_resident_memory_bytes')} and on (namespace, job, instance)"
                    f" {chosen('prometheus_tsdb_head_series')}",
                    "{{instance}}",
                )
            ],
        ),
    ]


def alertmanager() -> list[Panel]:
    return [
        graph(
            About(
                "Notifications",
                "Notifications a second by integration. Nothing while alerts fire: they are silenced, inhibited, or"
                " not routed.",
                "none",
            ),
            [
                Query(
                    f"sum by (integration) (rate({chosen('alertmanager_notifications_total')}[5m]))",
                    "{{integration}}",
                )
            ],
            stacked=True,
        ),
        graph(
            About(
                "Failed notifications by reason",
                "Failures a second, by integration and reason. authError: the receiver refuses our key, look at its"
                " Secret. rateLimited: too many messages. clientError: the receiver refuses the message. Others: the"
                " network, or the receiver is down.",
                "none",
                alerts=("NotificationsFailing",),
            ),
            [
                Query(
                    f"sum by (integration, reason) (rate({chosen('alertmanager_notifications_failed_total')}[5m]))",
                    "{{integration}} {{reason}}",
                )
            ],
        ),
        graph(
            About(
                "Time to notify",
                "95th percentile by integration. Above ten seconds notifications time out.",
                "s",
            ),
            [
                Query(
                    "histogram_quantile(0.95, sum by (integration, le)"
                    f" (rate({chosen('alertmanager_notification_latency_seconds_bucket')}[5m])))",
                    "{{integration}}",
                )
            ],
        ),
        graph(
            About(
                "Members of the cluster",
                "How many Alertmanagers each replica knows. The lines differ: they do not hear one another, and"
                " people get every notification twice.",
                "none",
            ),
            [Query(chosen("alertmanager_cluster_members"), "{{instance}}")],
        ),
        graph(
            About(
                "Alerts held",
                "Alerts that each replica holds, by state. The replicas should agree.",
                "none",
            ),
            [Query(worst("alertmanager_alerts", by="instance, state"), "{{instance}} {{state}}")],
        ),
        graph(
            About(
                "Silences",
                "Silences by state. One that was forgotten hides the next incident.",
                "none",
            ),
            [Query(worst("alertmanager_silences", by="state"), "{{state}}")],
        ),
    ]


def operator() -> list[Panel]:
    return [
        graph(
            About(
                "Passes",
                "Passes a second over SergasMonitorings, by result. Errors alone: its log names object and field.",
                "none",
                alerts=("OperatorNotReconciling",),
            ),
            [Query(f"sum by (result) (rate({chosen('sergas_operator_reconcile_total')}[5m]))", "{{result}}")],
            stacked=True,
        ),
        graph(
            About(
                "Time of a pass",
                "Median and 95th percentile. It climbs with a slow API server.",
                "s",
            ),
            [
                Query(
                    f"histogram_quantile({share}, sum by (le)"
                    f" (rate({chosen('sergas_operator_reconcile_duration_seconds_bucket')}[5m])))",
                    name,
                )
                for share, name in ((0.5, "median"), (0.95, "p95"))
            ],
        ),
        graph(
            About(
                "Waiting for a pass",
                "SergasMonitorings that are due and wait, and those that are known. Waiting ones that do not go down:"
                " the workers hang.",
                "none",
            ),
            [
                Query(f"sum({chosen('sergas_operator_queue_depth')})", "waiting"),
                Query(f"sum({chosen('sergas_operator_monitorings')})", "known"),
            ],
        ),
        graph(
            About(
                "Writes to the API server",
                "Writes a second by kind. A converged object causes none: a steady rate is a fight with somebody else"
                " who writes the same object.",
                "none",
            ),
            [
                Query(
                    f"sum by (kind, verb) (rate({chosen('sergas_operator_api_writes_total')}[5m]))", "{{verb}} {{kind}}"
                )
            ],
            stacked=True,
        ),
    ]
