"""What the product runs on: the closed rows of the System Overview."""

from typing import Final

from dashboards import limits
from dashboards.about import About, Panel
from dashboards.bands import limit, warning
from dashboards.panels import graph
from dashboards.query import SERVICE, Query, anywhere, chosen

EACH: Final = "{{namespace}} {{job}}"


def database() -> list[Panel]:
    return [
        graph(
            About(
                "Fullest pool",
                "Share of its pool that the fullest pod uses, and share of max_connections that all clients of a"
                " server take together. At 100 % requests wait or fail. The server's needs the PostgreSQL exporter.",
                "percentunit",
                alerts=("DatabasePoolExhausted",),
            ),
            [
                Query(chosen("namespace_job:sergas_database_pool_used:max_ratio", SERVICE), EACH),
                Query(
                    anywhere("namespace_job_instance:sergas_database_server_used:ratio"),
                    "{{namespace}} {{job}} {{instance}}",
                ),
            ],
            limit(limits.alert_threshold("DatabasePoolExhausted")),
        ),
        graph(
            About(
                "Query time",
                "One database query in twenty takes this long or longer. It climbs with locks, missing indexes and a"
                " full disk.",
                "s",
                alerts=("DatabaseQueriesSlow",),
            ),
            [
                Query(
                    chosen("namespace_operation:sergas_database_query_duration_seconds:p95_rate5m"),
                    "{{namespace}} {{operation}}",
                )
            ],
            warning(limits.alert_threshold("DatabaseQueriesSlow")),
        ),
    ]


def cache() -> list[Panel]:
    return [
        graph(
            About(
                "Time of a cache operation",
                "One operation in twenty takes this long or longer. Above some milliseconds the cache costs more than"
                " it saves: look at the network and at large values.",
                "s",
            ),
            [
                Query(
                    chosen("namespace_cache_operation:sergas_cache_operation_duration_seconds:p95_rate5m"),
                    "{{namespace}} {{cache}} {{operation}}",
                )
            ],
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
                    anywhere("namespace_job_instance:sergas_redis_memory_used:ratio"),
                    "{{namespace}} {{job}} {{instance}}",
                )
            ],
            warning(limits.alert_threshold("CacheMemoryHigh")),
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
            [Query(anywhere("instance:sergas_node_cpu_used:ratio_rate5m"), "{{instance}}")],
            warning(cpu),
        ),
        graph(
            About(
                "Memory of the nodes",
                "Share of each node's memory in use. Above the line pods are soon evicted. Needs node-exporter.",
                "percentunit",
                alerts=("MemoryUsageHigh",),
            ),
            [Query(anywhere("instance:sergas_node_memory_used:ratio"), "{{instance}}")],
            warning(memory),
        ),
        graph(
            About(
                "CPU of containers, of their limit",
                "Share of its CPU limit that the busiest pod's container uses. At 100 % it is throttled. Needs"
                " cAdvisor and kube-state-metrics; containers without a limit are left out.",
                "percentunit",
                alerts=("CPUUsageHigh",),
            ),
            [Query(chosen("namespace_container:sergas_container_cpu_used:max_ratio_rate5m"), container)],
            warning(cpu),
        ),
        graph(
            About(
                "Memory of containers, of their limit",
                "Share of its memory limit that the largest pod's container uses. At 100 % it is killed. Needs"
                " cAdvisor and kube-state-metrics; containers without a limit are left out.",
                "percentunit",
                alerts=("MemoryUsageHigh",),
            ),
            [Query(chosen("namespace_container:sergas_container_memory_used:max_ratio"), container)],
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
                Query(anywhere("instance_device:sergas_node_filesystem_used:ratio"), "{{instance}} {{device}}"),
                Query(
                    anywhere("namespace_persistentvolumeclaim:sergas_volume_used:ratio"),
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
            [Query(chosen("namespace_container:sergas_container_restarts:max_changes15m"), container)],
            warning(restarts),
        ),
    ]
