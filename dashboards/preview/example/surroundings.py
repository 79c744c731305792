"""What runs around the application: nodes, databases, exporters, and the monitoring itself.

Every series of charts/exported.py is there; those not named here stand at a level of their own, so a new one shows.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

from charts.exported import EXPORTED
from dashboards.preview.example.application import NAMESPACE, PODS
from dashboards.preview.example.clock import END, STEPS, TIMES, Values
from dashboards.preview.example.story import incident, load, warming
from dashboards.preview.example.tracks import Labels, Track, counter, gauge, spent

GIB: Final = 1024.0**3
ONES: Final[Values] = np.ones(len(TIMES))
NODES: Final = ("10.0.0.11:9100", "10.0.0.12:9100", "10.0.0.13:9100")
JOBS: Final = {
    "node-exporter": NODES,
    "postgres": ("10.42.3.8:9187",),
    "redis": ("10.42.3.9:9121",),
    "sergas-prometheus": ("10.42.4.2:9090", "10.42.5.2:9090"),
    "sergas-alertmanager": ("10.42.4.3:9093", "10.42.5.3:9093", "10.42.6.3:9093"),
    "sergas-monitoring-operator": ("10.42.4.4:8080",),
    "kube-state-metrics": ("10.42.4.5:8080",),
}
GROUPS: Final = {"sergas-recording-http": 0.18, "sergas-recording-http-latency": 0.9, "sergas-slo-budget": 2.2}
INTERVALS: Final = {"sergas-slo-budget": 120.0}
# By application and not by us: process_ and up are made for each pod there.
ELSEWHERE: Final = ("up", "process_start_time_seconds", "process_cpu_seconds_total", "process_resident_memory_bytes")


def surroundings() -> Iterator[Track]:
    """All series, each once: the known ones as below, the others of EXPORTED at a level of their own."""
    made: set[str] = set()
    around = (*targets(), *nodes(), *containers(), *stores(), *batch_jobs())
    for track in (*around, *prometheus(), *alertmanager(), *operator()):
        made.add(track.name)
        yield track
    for name, (kind, labels) in EXPORTED.items():
        if name not in made and name not in ELSEWHERE:
            own = {"namespace": "monitoring", "job": "other"} | dict.fromkeys(labels, "default")
            yield counter(name, own, 0.2 * load()) if kind == "counter" else gauge(name, own, ONES)


def _at(job: str, instance: str = "") -> Labels:
    return {"namespace": "monitoring", "job": job, "instance": instance or JOBS[job][0]}


def targets() -> Iterator[Track]:
    for job, instances in JOBS.items():
        for instance in instances:
            yield gauge("up", _at(job, instance), ONES)
            yield gauge("process_resident_memory_bytes", _at(job, instance), 120e6 + 40e6 * load(), 0.01)


def nodes() -> Iterator[Track]:
    """Two processors a node. The second works harder than the others, and its disk fills."""
    for number, instance in enumerate(NODES):
        own = _at("node-exporter", instance)
        busy = np.clip(0.12 + (0.3 + 0.1 * (number == 1)) * load() + 0.3 * incident(), 0, 0.98)
        for cpu in ("0", "1"):
            yield spent("node_cpu_seconds_total", own | {"cpu": cpu, "mode": "idle"}, 1 - busy)
            yield spent("node_cpu_seconds_total", own | {"cpu": cpu, "mode": "user"}, busy)
        yield gauge("node_memory_MemTotal_bytes", own, 16 * GIB * ONES)
        yield gauge("node_memory_MemAvailable_bytes", own, 16 * GIB * (0.62 - 0.08 * number - 0.1 * load()), 0.005)
        disk = own | {"device": "/dev/vda1", "fstype": "ext4", "mountpoint": "/", "device_error": ""}
        free = 0.55 - 0.17 * number - 0.02 * (TIMES - TIMES[0]) / (TIMES[-1] - TIMES[0])
        yield gauge("node_filesystem_size_bytes", disk, 100 * GIB * ONES)
        yield gauge("node_filesystem_avail_bytes", disk, 100 * GIB * free)


def containers() -> Iterator[Track]:
    for job, pods in PODS.items():
        for pod in pods:
            own = {"namespace": NAMESPACE, "pod": pod, "container": "app", "job": "kubelet"}
            seen = own | {"image": f"registry.example.com/{job}:2.4", "name": pod, "id": f"/kubepods/{pod}"}
            yield spent("container_cpu_usage_seconds_total", seen | {"cpu": "total"}, 0.35 * load() + 0.3 * incident())
            throttled = 0.2 * incident()
            yield counter("container_cpu_cfs_periods_total", seen, 10 * ONES)
            yield counter("container_cpu_cfs_throttled_periods_total", seen, 10 * throttled)
            network = own | {"image": "", "name": pod, "id": f"/kubepods/{pod}", "interface": "eth0"}
            yield spent("container_network_receive_bytes_total", network, 40e3 * load())
            yield spent("container_network_transmit_bytes_total", network, 110e3 * load())
            yield gauge("container_memory_working_set_bytes", seen, 190e6 + 80e6 * load() + 90e6 * incident(), 0.01)
            limit = own | {"uid": pod, "node": "node-1", "job": "kube-state-metrics"}
            yield gauge("kube_pod_container_resource_limits", limit | {"resource": "cpu", "unit": "core"}, ONES)
            memory = limit | {"resource": "memory", "unit": "byte"}
            yield gauge("kube_pod_container_resource_limits", memory, 512 * 1024.0**2 * ONES)
            restarted = own | {"uid": pod, "job": "kube-state-metrics"}
            yield gauge("kube_pod_container_status_restarts_total", restarted, 0 * ONES)
    for claim, share in (("data-postgres-0", 0.46), ("prometheus-sergas-db-0", 0.61), ("prometheus-sergas-db-1", 0.6)):
        own = {"namespace": NAMESPACE if "postgres" in claim else "monitoring", "persistentvolumeclaim": claim}
        used = share + 0.02 * (TIMES - TIMES[0]) / (TIMES[-1] - TIMES[0])
        yield gauge("kubelet_volume_stats_capacity_bytes", own | {"job": "kubelet"}, 50 * GIB * ONES)
        yield gauge("kubelet_volume_stats_available_bytes", own | {"job": "kubelet"}, 50 * GIB * (1 - used))


def stores() -> Iterator[Track]:
    """PostgreSQL and Redis; Redis loses its content with the release and fills again."""
    database = _at("postgres") | {"server": "postgres:5432"}
    for state, share in (("active", 0.35), ("idle", 0.65)):
        own = database | {"datname": "sergas", "state": state, "usename": "sergas"}
        yield gauge("pg_stat_activity_count", own, np.round(share * (14 + 30 * load() + 34 * incident())))
    yield gauge("pg_settings_max_connections", database, 100 * ONES)
    yield gauge("redis_memory_used_bytes", _at("redis"), 0.66 * GIB * (1 - 0.5 * warming()), 0.005)
    yield gauge("redis_memory_max_bytes", _at("redis"), GIB * ONES)
    checked = _at("probe-web", "https://crm.example.com")
    yield gauge("probe_success", checked, ONES)
    yield gauge("probe_ssl_earliest_cert_expiry", checked, (END + 41 * 86400) * ONES)


def batch_jobs() -> Iterator[Track]:
    """Two batch jobs that push: one every hour, and one that has not run since the night."""
    gateway = {"namespace": "monitoring", "instance": ""}
    for job, pushed in (("crm-import", TIMES - TIMES % 3600 + 300), ("crm-report", ONES * (END - 11 * 3600))):
        yield gauge("push_time_seconds", gateway | {"job": job}, np.minimum(pushed, TIMES))
        yield gauge("push_failure_time_seconds", gateway | {"job": job}, 0 * ONES)


def prometheus() -> Iterator[Track]:
    for instance in JOBS["sergas-prometheus"]:
        own = _at("sergas-prometheus", instance)
        yield gauge("prometheus_tsdb_head_series", own, 41_000 + 6000 * load() + 2500 * warming(), 0.002)
        appended = own | {"type": "float"}
        yield counter("prometheus_tsdb_head_samples_appended_total", appended, 3400 + 300 * load(), restarts=False)
        yield gauge("prometheus_tsdb_storage_blocks_bytes", own, 9.4 * GIB + (TIMES - TIMES[0]) * 3800)
        yield gauge("prometheus_tsdb_wal_storage_size_bytes", own, 0.3 * GIB + (TIMES % 7200) * 40000)
        for group, seconds in GROUPS.items():
            named = own | {"rule_group": f"/etc/prometheus/rules/monitoring-{group}.yaml;{group}"}
            yield gauge("prometheus_rule_group_last_duration_seconds", named, seconds * (0.6 + 0.4 * load()), 0.04)
            yield gauge("prometheus_rule_group_interval_seconds", named, INTERVALS.get(group, 30.0) * ONES)
            yield counter("prometheus_rule_evaluation_failures_total", named, 0 * ONES)
        for quantile, seconds in (("0.5", 0.002), ("0.9", 0.011), ("0.99", 0.06)):
            asked = own | {"slice": "inner_eval", "quantile": quantile}
            yield gauge("prometheus_engine_query_duration_seconds", asked, seconds * (1 + load()), 0.04)
        yield gauge("prometheus_config_last_reload_successful", own, ONES)
        queue = own | {"remote_name": "central", "url": "https://metrics.example.com/api/v1/write"}
        yield gauge("prometheus_remote_storage_queue_highest_timestamp_seconds", queue, TIMES - 2)
        behind = 4 + 3 * np.sin(TIMES / 200) ** 2 + 40 * incident()
        yield gauge("prometheus_remote_storage_queue_highest_sent_timestamp_seconds", queue, TIMES - behind)


def alertmanager() -> Iterator[Track]:
    for instance in JOBS["sergas-alertmanager"]:
        own = _at("sergas-alertmanager", instance)
        yield gauge("alertmanager_config_last_reload_successful", own, ONES)
        yield gauge("alertmanager_cluster_members", own, 3 * ONES)
        yield gauge("alertmanager_alerts", own | {"state": "active"}, np.round(1 + 5 * incident()))
        yield gauge("alertmanager_alerts", own | {"state": "suppressed"}, np.round(2 * incident()))
        yield gauge("alertmanager_silences", own | {"state": "active"}, ONES)
        for integration, each in (("slack", 0.004), ("pagerduty", 0.001), ("email", 0.003)):
            sent = own | {"integration": integration}
            yield counter("alertmanager_notifications_total", sent, each * (0.3 + 12 * incident()))
            failed = sent | {"reason": "other"}
            yield counter(
                "alertmanager_notifications_failed_total", failed, 0.001 * incident() * (integration == "slack")
            )
            for bound, share in (("1", 0.9), ("5", 0.99), ("+Inf", 1.0)):
                name = "alertmanager_notification_latency_seconds_bucket"
                total = np.cumsum(each * share * STEPS * (0.3 + 12 * incident()))
                yield Track(name, sent | {"le": bound}, total)


def operator() -> Iterator[Track]:
    own = _at("sergas-monitoring-operator")
    yield gauge("sergas_operator_last_successful_reconcile_timestamp_seconds", own, TIMES - TIMES % 60)
    yield gauge("sergas_operator_monitorings", own, ONES)
    yield gauge("sergas_operator_queue_depth", own, np.round(warming() * 2))
    yield counter("sergas_operator_reconcile_total", own | {"result": "success"}, 0.02 * ONES)
    yield counter("sergas_operator_reconcile_total", own | {"result": "failure"}, 0.002 * warming())
    for bound, share in (("0.05", 0.7), ("0.1", 0.95), ("0.5", 1.0), ("+Inf", 1.0)):
        name = "sergas_operator_reconcile_duration_seconds_bucket"
        yield Track(name, own | {"le": bound}, share * (TIMES - TIMES[0]) * 0.02)
    for kind in ("Prometheus", "Alertmanager", "Secret"):
        yield counter("sergas_operator_api_writes_total", own | {"kind": kind, "verb": "apply"}, 0.02 * warming())
