"""What the digest tells about itself at /metrics."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, PlatformCollector, ProcessCollector

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)

PENDING = Gauge(
    "sergas_digest_alerts_pending",
    "Alerts that wait for a digest of some receiver.",
    registry=REGISTRY,
)
RECEIVED = Counter(
    "sergas_digest_alerts_received_total",
    "Alerts that Alertmanager has told of, the same one as often as it was told.",
    registry=REGISTRY,
)
DROPPED = Counter(
    "sergas_digest_alerts_dropped_total",
    "Alerts there was no room for; the digest only counts them.",
    registry=REGISTRY,
)
SENT = Counter(
    "sergas_digest_mails_sent_total",
    "Digests that a mail server has taken, by receiver.",
    ["receiver"],
    registry=REGISTRY,
)
FAILURES = Counter(
    "sergas_digest_mail_failures_total",
    "Attempts to send a digest that failed, by receiver. It is tried again until it is taken.",
    ["receiver"],
    registry=REGISTRY,
)
LAST_SUCCESS = Gauge(
    "sergas_digest_last_success_timestamp_seconds",
    "Unix time at which a receiver last got its digest or had nothing to get, by receiver.",
    ["receiver"],
    registry=REGISTRY,
)
