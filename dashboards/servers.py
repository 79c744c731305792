"""Prometheus, Alertmanager and the operator: rows of the dashboard Monitoring, and shapes of its panels."""

from typing import Final

from dashboards.about import About, Panel
from dashboards.bands import GREEN, RED, Bands
from dashboards.panels import graph, number, worded
from dashboards.query import Query, averaged, chosen, highest, lowest, per_minute

NO_APP: Final = 'job!~"sergas-(api|agents)"'
P99: Final = 'quantile="0.99"'
# rule_group is a file's path, a semicolon and the group's name.
NAMED: Final = '"group", "$1", "rule_group", ".*;(.*)"'
# These programs are scraped every 30 s, and a rate needs four samples.
RATE_STEP: Final = "2m"


def state(about: About, query: Query, *, bad: str, good: str, width: int = 4, sparkline: bool = True) -> Panel:
    """One of two words: `bad` in red at 0, `good` in green at 1."""
    bands, words = Bands(base=RED, steps=((1, GREEN),)), worded(("0", bad, RED), ("1", good, GREEN))
    return number(about, query, bands, width=width, words=words, sparkline=sparkline)


def rate_in_step(by: str, counter: str) -> str:
    """Events a second within each step, by these labels."""
    return f"sum by ({by}) (rate({chosen(counter)}[$__interval]))"


def counted_in_step(by: str, counter: str) -> str:
    """Events a minute within each step, by these labels."""
    return per_minute(rate_in_step(by, counter))


def prometheus() -> list[Panel]:
    busy = highest("prometheus_rule_group_last_duration_seconds")
    period = highest("prometheus_rule_group_interval_seconds")
    return [
        graph(
            About(
                "Series",
                "Series in memory, by replica. They decide how much memory it takes. A climb with each release: old"
                " pods' series go after two hours. A climb without end: a label takes ever new values.",
                "short",
            ),
            [Query(averaged("prometheus_tsdb_head_series", by="instance"), "{{instance}}")],
        ),
        graph(
            About(
                "Samples a second",
                "Samples taken in, by replica. A step down: targets went missing.",
                "short",
                alerts=("TargetsMissing",),
            ),
            [Query(rate_in_step("instance", "prometheus_tsdb_head_samples_appended_total"), "{{instance}}")],
            step=RATE_STEP,
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
                    f"max by (slice) ({highest('prometheus_engine_query_duration_seconds', P99)})",
                    "{{slice}}",
                )
            ],
        ),
        graph(
            About(
                "Storage",
                "Blocks on disk, by replica. It should level off when the retention is reached.",
                "bytes",
                alerts=("DiskUsageHigh",),
            ),
            [Query(averaged("prometheus_tsdb_storage_blocks_bytes", by="instance"), "{{instance}}")],
            width=8,
        ),
        graph(
            About(
                "Write-ahead log",
                "Size of the write-ahead log, by replica. A saw-tooth of two hours is normal; a climb without end: no"
                " block can be written.",
                "bytes",
                alerts=("DiskUsageHigh",),
            ),
            [Query(averaged("prometheus_tsdb_wal_storage_size_bytes", by="instance"), "{{instance}}")],
            width=8,
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
                    f"{highest('process_resident_memory_bytes', NO_APP)} and on (namespace, job, instance)"
                    f" {highest('prometheus_tsdb_head_series')}",
                    "{{instance}}",
                )
            ],
            width=8,
        ),
    ]


def alertmanager() -> list[Panel]:
    return [
        graph(
            About(
                "Notifications",
                "Notifications a minute by integration. Nothing while alerts fire: they are silenced, inhibited, or"
                " not routed.",
                "none",
            ),
            [Query(counted_in_step("integration", "alertmanager_notifications_total"), "{{integration}}")],
            stacked=True,
            step=RATE_STEP,
        ),
        graph(
            About(
                "Failed notifications by reason",
                "Failures a minute, by integration and reason. authError: the receiver refuses our key, look at its"
                " Secret. rateLimited: too many messages. clientError: the receiver refuses the message. Others: the"
                " network, or the receiver is down.",
                "none",
                alerts=("NotificationsFailing",),
            ),
            [
                Query(
                    counted_in_step("integration, reason", "alertmanager_notifications_failed_total"),
                    "{{integration}} {{reason}}",
                )
            ],
            step=RATE_STEP,
        ),
        graph(
            About(
                "Notification latency",
                "95th percentile by integration. Above ten seconds a notification times out.",
                "s",
            ),
            [
                Query(
                    "histogram_quantile(0.95,"
                    f" {rate_in_step('integration, le', 'alertmanager_notification_latency_seconds_bucket')})",
                    "{{integration}}",
                )
            ],
            step=RATE_STEP,
        ),
        graph(
            About(
                "Alertmanager cluster members",
                "How many Alertmanagers each replica knows. The lines differ: the replicas do not reach each other, and"
                " people get every notification twice.",
                "none",
            ),
            [Query(lowest("alertmanager_cluster_members"), "{{instance}}")],
        ),
        graph(
            About(
                "Alerts in Alertmanager",
                "Alerts of each replica, by state. The replicas should agree.",
                "none",
            ),
            [Query(f"max by (instance, state) ({highest('alertmanager_alerts')})", "{{instance}} {{state}}")],
        ),
        graph(
            About(
                "Silences",
                "Silences by state. A forgotten one hides the next incident.",
                "none",
            ),
            [Query(f"max by (state) ({highest('alertmanager_silences')})", "{{state}}")],
        ),
    ]


def operator() -> list[Panel]:
    return [
        graph(
            About(
                "Reconciles",
                "Reconciles of SergasMonitorings a minute, by result. Errors alone: its log names object and field.",
                "none",
                alerts=("OperatorNotReconciling",),
            ),
            [Query(counted_in_step("result", "sergas_operator_reconcile_total"), "{{result}}")],
            stacked=True,
            step=RATE_STEP,
        ),
        graph(
            About(
                "Reconcile duration",
                "Median and 95th percentile. It climbs with a slow API server.",
                "s",
            ),
            [
                Query(
                    f"histogram_quantile({share},"
                    f" {rate_in_step('le', 'sergas_operator_reconcile_duration_seconds_bucket')})",
                    name,
                )
                for share, name in ((0.5, "median"), (0.95, "p95"))
            ],
            step=RATE_STEP,
        ),
        graph(
            About(
                "Reconcile queue",
                "SergasMonitorings that wait for a reconcile, and those that exist. Waiting ones that do not go down:"
                " the workers hang.",
                "none",
            ),
            [
                Query(f"sum({highest('sergas_operator_queue_depth')})", "waiting"),
                Query(f"sum({highest('sergas_operator_monitorings')})", "existing"),
            ],
        ),
        graph(
            About(
                "Writes to the API server",
                "Writes a minute by kind. A converged object causes none: a steady rate means that another writer"
                " changes the same object.",
                "none",
            ),
            [
                Query(counted_in_step("kind, verb", "sergas_operator_api_writes_total"), "{{verb}} {{kind}}"),
            ],
            stacked=True,
            step=RATE_STEP,
        ),
    ]
