"""Series of other programs that our rules read: {name: (kind, labels beside those of the target)}.

The exporters of PostgreSQL and Redis, node-exporter, kubelet, cAdvisor, kube-state-metrics, Prometheus,
Alertmanager, blackbox exporter and the Sergas operator; process_ is that of every client library.
"""

from pathlib import Path
from typing import Final

FILE: Final = Path(__file__).with_name("exported.yaml")
VOLUME: Final = ("persistentvolumeclaim",)
CONTAINER: Final = ("container", "image", "name", "id")
FILESYSTEM: Final = ("device", "fstype", "mountpoint", "device_error")

EXPORTED: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "up": ("gauge", ()),
    "process_start_time_seconds": ("gauge", ()),
    "process_cpu_seconds_total": ("counter", ()),
    "process_resident_memory_bytes": ("gauge", ()),
    "pg_stat_activity_count": (
        "gauge",
        ("datname", "state", "usename", "application_name", "backend_type", "wait_event", "wait_event_type", "server"),
    ),
    "pg_settings_max_connections": ("gauge", ("server",)),
    "redis_memory_used_bytes": ("gauge", ()),
    "redis_memory_max_bytes": ("gauge", ()),
    "redis_evicted_keys_total": ("counter", ()),
    "redis_uptime_in_seconds": ("gauge", ()),
    "node_cpu_seconds_total": ("counter", ("cpu", "mode")),
    "node_memory_MemAvailable_bytes": ("gauge", ()),
    "node_memory_MemTotal_bytes": ("gauge", ()),
    "node_filesystem_avail_bytes": ("gauge", FILESYSTEM),
    "node_filesystem_size_bytes": ("gauge", FILESYSTEM),
    "kubelet_volume_stats_available_bytes": ("gauge", VOLUME),
    "kubelet_volume_stats_capacity_bytes": ("gauge", VOLUME),
    "kubelet_volume_stats_used_bytes": ("gauge", VOLUME),
    "container_cpu_usage_seconds_total": ("counter", (*CONTAINER, "cpu")),
    "container_cpu_cfs_periods_total": ("counter", CONTAINER),
    "container_cpu_cfs_throttled_periods_total": ("counter", CONTAINER),
    "container_memory_working_set_bytes": ("gauge", CONTAINER),
    "kube_pod_container_resource_limits": ("gauge", ("container", "uid", "node", "resource", "unit")),
    "kube_pod_container_status_restarts_total": ("counter", ("container", "uid")),
    "alertmanager_notifications_total": ("counter", ("integration", "receiver_name")),
    "alertmanager_notifications_failed_total": ("counter", ("integration", "reason", "receiver_name")),
    "alertmanager_config_last_reload_successful": ("gauge", ()),
    "alertmanager_notification_latency_seconds_bucket": ("counter", ("integration", "receiver_name", "le")),
    "alertmanager_cluster_members": ("gauge", ()),
    "alertmanager_alerts": ("gauge", ("state",)),
    "alertmanager_silences": ("gauge", ("state",)),
    "prometheus_tsdb_head_series": ("gauge", ()),
    "prometheus_tsdb_head_samples_appended_total": ("counter", ("type",)),
    "prometheus_tsdb_storage_blocks_bytes": ("gauge", ()),
    "prometheus_tsdb_wal_storage_size_bytes": ("gauge", ()),
    "prometheus_rule_group_last_duration_seconds": ("gauge", ("rule_group",)),
    "prometheus_rule_group_interval_seconds": ("gauge", ("rule_group",)),
    "prometheus_engine_query_duration_seconds": ("gauge", ("slice", "quantile")),
    "prometheus_config_last_reload_successful": ("gauge", ()),
    "prometheus_rule_evaluation_failures_total": ("counter", ("rule_group",)),
    "prometheus_remote_storage_highest_timestamp_in_seconds": ("gauge", ()),
    "prometheus_remote_storage_queue_highest_sent_timestamp_seconds": ("gauge", ("remote_name", "url")),
    "prometheus_remote_storage_samples_pending": ("gauge", ("remote_name", "url")),
    "prometheus_remote_storage_samples_failed_total": ("counter", ("remote_name", "url")),
    "prometheus_remote_storage_samples_retried_total": ("counter", ("remote_name", "url")),
    "probe_success": ("gauge", ()),
    "probe_http_status_code": ("gauge", ()),
    "probe_ssl_earliest_cert_expiry": ("gauge", ()),
    "sergas_operator_last_successful_reconcile_timestamp_seconds": ("gauge", ()),
    "sergas_operator_monitorings": ("gauge", ()),
    "sergas_operator_queue_depth": ("gauge", ()),
    "sergas_operator_reconcile_total": ("counter", ("result",)),
    "sergas_operator_reconcile_duration_seconds_bucket": ("counter", ("le",)),
    "sergas_operator_api_writes_total": ("counter", ("kind", "verb")),
    "sergas_operator_reconcile_errors_total": ("counter", ("reason",)),
}
