"""Series of other programs that our rules and dashboards read, as the real programs export them: exported.yaml.

EXPORTED: {name: (kind, labels beside those of the target)}. SCRAPED_EVERY: {name: seconds between two of its samples},
as the chart's values say; `sergas_` stands for the application's.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from charts.durations import in_seconds

Known = tuple[str, tuple[str, ...]]

FILE: Final = Path(__file__).with_name("exported.yaml")
VALUES: Final = Path(__file__).parent / "sergas-monitoring" / "values.yaml"
# The interval of a monitor without one, such as those of the kubelet itself and of kube-state-metrics, and of a check
# in probes.checks.
OTHERWISE: Final = "30s"
STACK: Final = "kube-prometheus-stack"
INTERVALS: Final = {
    "postgres-exporter": ("prometheus-postgres-exporter", "serviceMonitor", "interval"),
    "redis-exporter": ("prometheus-redis-exporter", "serviceMonitor", "interval"),
    "pushgateway": ("prometheus-pushgateway", "serviceMonitor", "interval"),
    "blackbox-exporter": (),
    "node-exporter": (STACK, "prometheus-node-exporter", "prometheus", "monitor", "interval"),
    "kube-state-metrics": (),
    "kubelet": ("kubernetesMonitors", "kubelet", "interval"),
    "cadvisor": ("kubernetesMonitors", "kubelet", "cAdvisorInterval"),
    "prometheus": ("prometheus", "serviceMonitor", "interval"),
    "alertmanager": ("alertmanager", "serviceMonitor", "interval"),
    "operator": ("operator", "serviceMonitor", "interval"),
    "digest": ("digest", "serviceMonitor", "interval"),
    "sergas_": ("app", "serviceMonitors", "api", "interval"),
}
# Of every target, whatever it exports: written by Prometheus itself.
OF_EVERY_TARGET: Final[dict[str, Known]] = {"up": ("gauge", ()), "scrape_duration_seconds": ("gauge", ())}
# A program in good health that stands alone does not show them: an operator that met no error, an Alertmanager without
# others to gossip with, a Pushgateway that no batch job pushed to.
SELDOM: Final[dict[str, tuple[str, Known]]] = {
    "sergas_operator_reconcile_errors_total": ("operator", ("counter", ("reason",))),
    "alertmanager_cluster_members": ("alertmanager", ("gauge", ())),
    "push_time_seconds": ("pushgateway", ("gauge", ())),
    "push_failure_time_seconds": ("pushgateway", ("gauge", ())),
    # Of newer versions of Prometheus than the one that was captured.
    "prometheus_remote_storage_queue_highest_timestamp_seconds": ("prometheus", ("gauge", ("remote_name", "url"))),
}
# The digest runs only where info alerts are mailed. tests/digest compares these with its registry.
DIGEST: Final[dict[str, Known]] = {
    "sergas_digest_alerts_pending": ("gauge", ()),
    "sergas_digest_alerts_received_total": ("counter", ()),
    "sergas_digest_alerts_dropped_total": ("counter", ()),
    "sergas_digest_alerts_unrenderable_total": ("counter", ()),
    "sergas_digest_rejections_total": ("counter", ("reason",)),
    "sergas_digest_mails_sent_total": ("counter", ("receiver",)),
    "sergas_digest_mail_failures_total": ("counter", ("receiver",)),
    "sergas_digest_recipients_refused_total": ("counter", ("receiver", "kind")),
    "sergas_digest_overdue_seconds": ("gauge", ("receiver",)),
    "sergas_digest_last_success_timestamp_seconds": ("gauge", ("receiver",)),
    "sergas_digest_storage_writable": ("gauge", ()),
    "sergas_digest_database_replaced_timestamp_seconds": ("gauge", ()),
}


def series(content: Mapping[str, Any]) -> Iterator[tuple[str, str, Known]]:
    """(source, series, what is known of it) of everything in the file's content."""
    for source, found in content.items():
        for key, names in found["metrics"].items():
            kind, *labels = key.split()
            for name in names.split():
                yield from ((source, part, known) for part, known in _parts(name, kind, tuple(labels)))


def _parts(name: str, kind: str, labels: tuple[str, ...]) -> Iterator[tuple[str, Known]]:
    if kind == "histogram":
        yield f"{name}_bucket", ("counter", (*labels, "le"))
    elif kind == "summary":
        yield name, ("gauge", (*labels, "quantile"))
    else:
        yield name, (kind, labels)
    if kind in {"histogram", "summary"}:
        yield from ((f"{name}_{part}", ("counter", labels)) for part in ("sum", "count"))


def _every(source: str) -> float:
    value: Any = yaml.safe_load(VALUES.read_text(encoding="utf-8"))
    for key in INTERVALS[source]:
        value = value[key]
    return in_seconds(value if INTERVALS[source] and value else OTHERWISE)


_EVERY: Final = {source: _every(source) for source in INTERVALS}
_CAPTURED: Final = [
    *((source, name, known) for name, (source, known) in SELDOM.items()),
    *(("digest", name, known) for name, known in DIGEST.items()),
    *series(yaml.safe_load(FILE.read_text(encoding="utf-8"))),
]
EXPORTED: Final[dict[str, Known]] = OF_EVERY_TARGET | {name: known for _, name, known in _CAPTURED}
SCRAPED_EVERY: Final = (
    dict.fromkeys(OF_EVERY_TARGET, max(_EVERY.values()))
    | {name: _EVERY[source] for source, name, _ in _CAPTURED}
    | {"sergas_": _EVERY["sergas_"]}
)
