"""Database, cache, nodes, containers and batch jobs: closed rows of the System Overview."""

from typing import Final

from dashboards import limits
from dashboards.about import About, Panel
from dashboards.bands import GREEN, RED, limit, warning
from dashboards.panels import graph, worded
from dashboards.query import SERVICE, Query, anywhere, average, highest, over_step
from dashboards.shapes import sheet

EACH: Final = "{{namespace}} {{job}}"


def database() -> list[Panel]:
    return [
        graph(
            About(
                "Connection pool usage",
                "Share of its pool that the fullest pod uses, and share of max_connections that all clients of a"
                " server use together. At 100 % requests wait or fail. The server needs the PostgreSQL exporter.",
                "percentunit",
                alerts=("DatabasePoolExhausted",),
            ),
            [
                Query(highest("namespace_job:sergas_database_pool_used:max_ratio", SERVICE), EACH),
                Query(
                    highest_anywhere("namespace_job_instance:sergas_database_server_used:ratio"),
                    "{{namespace}} {{job}} {{instance}}",
                ),
            ],
            limit(limits.alert_threshold("DatabasePoolExhausted")),
        ),
        graph(
            About(
                "Query latency of each service",
                "One database query in twenty takes this long or longer, over all operations of a service. Above the"
                " line an alert fires. Locks, missing indexes and a full disk make it climb.",
                "s",
                alerts=("DatabaseQueriesSlow",),
            ),
            [Query(highest("namespace_job:sergas_database_query_duration_seconds:p95_rate5m", SERVICE), EACH)],
            warning(limits.alert_threshold("DatabaseQueriesSlow")),
        ),
        graph(
            About(
                "Query latency of each operation",
                "95th percentile by operation: which one makes a service slow. The alert judges all operations of a"
                " service together.",
                "s",
            ),
            [
                Query(
                    highest("namespace_operation:sergas_database_query_duration_seconds:p95_rate5m"),
                    "{{namespace}} {{operation}}",
                )
            ],
        ),
        graph(
            About(
                "Query rate",
                "Database queries a second by operation. A climb without more requests: a cache that no longer helps,"
                " or a query in a loop.",
                "none",
            ),
            [Query(average("namespace_operation:sergas_database_queries:rate5m"), "{{namespace}} {{operation}}")],
            stacked=True,
        ),
    ]


def cache() -> list[Panel]:
    return [
        graph(
            About(
                "Cache look-ups",
                "Look-ups a second by cache, hits and misses. The hit rate says little while there are few.",
                "none",
                alerts=("CacheHitRateLow",),
            ),
            [Query(average("namespace_cache:sergas_cache_lookups:rate5m"), "{{namespace}} {{cache}}")],
            width=8,
        ),
        graph(
            About(
                "Cache operation latency",
                "One operation in twenty takes this long or longer. Above some milliseconds the cache costs more than"
                " it saves: look at the network and at large values.",
                "s",
            ),
            [
                Query(
                    highest("namespace_cache_operation:sergas_cache_operation_duration_seconds:p95_rate5m"),
                    "{{namespace}} {{cache}} {{operation}}",
                )
            ],
            width=8,
        ),
        graph(
            About(
                "Redis memory",
                "Share of maxmemory in use. At 100 % keys are evicted or writes refused. Needs the Redis exporter,"
                " and a maxmemory.",
                "percentunit",
                alerts=("CacheMemoryHigh",),
            ),
            [
                Query(
                    highest_anywhere("namespace_job_instance:sergas_redis_memory_used:ratio"),
                    "{{namespace}} {{job}} {{instance}}",
                )
            ],
            warning(limits.alert_threshold("CacheMemoryHigh")),
            width=8,
        ),
    ]


def nodes_and_containers() -> list[Panel]:
    cpu, memory = limits.alert_threshold("CPUUsageHigh"), limits.alert_threshold("MemoryUsageHigh")
    disk, restarts = limits.alert_threshold("DiskUsageHigh"), limits.alert_threshold("ContainerRestarting")
    container = "{{namespace}} {{container}}"
    return [
        graph(
            About(
                "CPU of the nodes",
                "Share of each node's CPU in use. Above the line for long, pods slow each other down. Needs"
                " node-exporter.",
                "percentunit",
                alerts=("CPUUsageHigh",),
            ),
            [Query(highest_anywhere("instance:sergas_node_cpu_used:ratio_rate5m"), "{{instance}}")],
            warning(cpu),
        ),
        graph(
            About(
                "Memory of the nodes",
                "Share of each node's memory in use. Above the line pods are soon evicted. Needs node-exporter.",
                "percentunit",
                alerts=("MemoryUsageHigh",),
            ),
            [Query(highest_anywhere("instance:sergas_node_memory_used:ratio"), "{{instance}}")],
            warning(memory),
        ),
        graph(
            About(
                "Container CPU (share of limit)",
                "Share of its CPU limit that the busiest pod's container uses. At 100 % it is throttled. Needs"
                " cAdvisor and kube-state-metrics; containers without a limit are left out.",
                "percentunit",
                alerts=("CPUUsageHigh",),
            ),
            [Query(highest("namespace_container:sergas_container_cpu_used:max_ratio_rate5m"), container)],
            warning(cpu),
        ),
        graph(
            About(
                "Container memory (share of limit)",
                "Share of its memory limit that the largest pod's container uses. At 100 % it is killed. Needs"
                " cAdvisor and kube-state-metrics; containers without a limit are left out.",
                "percentunit",
                alerts=("MemoryUsageHigh",),
            ),
            [Query(highest("namespace_container:sergas_container_memory_used:max_ratio"), container)],
            warning(memory),
        ),
        graph(
            About(
                "Disks and volumes",
                "How full each node's disks and each volume are. A line that climbs steadily tells when it will be"
                " full. Needs node-exporter and the kubelet's metrics.",
                "percentunit",
                alerts=("DiskUsageHigh", "DatabaseDiskFilling"),
            ),
            [
                Query(highest_anywhere("instance_device:sergas_node_filesystem_used:ratio"), "{{instance}} {{device}}"),
                Query(
                    highest_anywhere("namespace_persistentvolumeclaim:sergas_volume_used:ratio"),
                    "{{namespace}} {{persistentvolumeclaim}}",
                ),
            ],
            warning(disk),
        ),
        graph(
            About(
                "Container restarts in 15 minutes",
                "Restarts of the container that restarts most. Above the line it is a crash loop. Needs"
                " kube-state-metrics.",
                "none",
                alerts=("ContainerRestarting",),
            ),
            [Query(highest("namespace_container:sergas_container_restarts:max_changes15m"), container)],
            warning(restarts),
        ),
        graph(
            About(
                "Container CPU throttling",
                "Share of the scheduler's periods in which the container had to wait at its CPU limit, of the worst"
                " pod. Above a few percent latency suffers: raise the limit. Needs cAdvisor and a CPU limit.",
                "percentunit",
            ),
            [Query(highest("namespace_container:sergas_container_cpu_throttled:max_ratio_rate5m"), container)],
        ),
        graph(
            About(
                "Network traffic",
                "Bytes a second that the pods of a namespace receive and send. A step without more requests: larger"
                " answers, or a transfer. Needs cAdvisor.",
                "Bps",
            ),
            [
                Query(average("namespace:sergas_network_receive_bytes:rate5m"), "{{namespace}} received"),
                Query(average("namespace:sergas_network_transmit_bytes:rate5m"), "{{namespace}} sent"),
            ],
        ),
    ]


def batch_jobs() -> list[Panel]:
    """What the Pushgateway knows of each group: it keeps a job's last metrics until they are deleted."""
    return [
        sheet(
            About(
                "Batch jobs",
                "Time since each batch job last pushed its metrics, the oldest first, and whether a later push of it"
                " was refused. Longer than its schedule: it did not run or did not end. Needs the Pushgateway.",
                "s",
            ),
            {
                "namespace": "Namespace",
                "job": "Job",
                "instance": "Instance",
                "Value #A": "Since last push",
                "Value #B": "Last push failed",
            },
            [
                Query(f"time() - {worst_of('push_time_seconds')}", "since last push"),
                Query(f"{worst_of('push_failure_time_seconds')} > bool {worst_of('push_time_seconds')}", "failed"),
            ],
            sort="Since last push",
            words={"Last push failed": worded(("0", "no", GREEN), ("1", "yes", RED))},
            width=24,
        ),
    ]


def worst_of(series: str) -> str:
    return f"max by (namespace, job, instance) ({anywhere(series)})"


def highest_anywhere(series: str) -> str:
    """The highest value within each step, in any namespace."""
    return over_step("max", anywhere(series))
