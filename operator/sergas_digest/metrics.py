"""The metrics of the digest at /metrics."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, PlatformCollector, ProcessCollector

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)

REJECTION_REASONS = ("unauthorized", "too_large", "timeout", "malformed", "invalid_alert", "storage", "full")
REFUSALS = ("temporary", "permanent")

PENDING = Gauge(
    "sergas_digest_alerts_pending",
    "Alerts that are not yet in a delivered digest of every receiver.",
    registry=REGISTRY,
)
RECEIVED = Counter(
    "sergas_digest_alerts_received_total",
    "Alerts that were received and stored. An alert counts each time Alertmanager sends it.",
    registry=REGISTRY,
)
DROPPED = Counter(
    "sergas_digest_alerts_dropped_total",
    "Alerts that were received while the store was full. The next digest gives only their number.",
    registry=REGISTRY,
)
UNRENDERABLE = Counter(
    "sergas_digest_alerts_unrenderable_total",
    "Alerts that a digest shows only by fingerprint, because they could not be rendered.",
    registry=REGISTRY,
)
REJECTIONS = Counter(
    "sergas_digest_rejections_total",
    "Requests, or alerts for the reasons invalid_alert and full, that the digest did not store, by reason.",
    ["reason"],
    registry=REGISTRY,
)
SENT = Counter(
    "sergas_digest_mails_sent_total",
    "Mails that a mail server accepted, by receiver.",
    ["receiver"],
    registry=REGISTRY,
)
FAILURES = Counter(
    "sergas_digest_mail_failures_total",
    "Attempts to send a mail that no recipient accepted, by receiver. Each is tried again.",
    ["receiver"],
    registry=REGISTRY,
)
REFUSED = Counter(
    "sergas_digest_recipients_refused_total",
    "Recipients that a mail server refused, by receiver and kind: temporary (4xx) or permanent (5xx).",
    ["receiver", "kind"],
    registry=REGISTRY,
)
OVERDUE = Gauge(
    "sergas_digest_overdue_seconds",
    "Seconds since the oldest digest was due that some recipient of the receiver has not got. 0: none is missing.",
    ["receiver"],
    registry=REGISTRY,
)
LAST_SUCCESS = Gauge(
    "sergas_digest_last_success_timestamp_seconds",
    "Unix time at which a receiver last got its digest or had no alerts to get, by receiver.",
    ["receiver"],
    registry=REGISTRY,
)
WRITABLE = Gauge(
    "sergas_digest_storage_writable",
    "1 while the database can be written, 0 while it cannot.",
    registry=REGISTRY,
)
REPLACED = Gauge(
    "sergas_digest_database_replaced_timestamp_seconds",
    "Unix time at which a corrupt database was last moved aside and replaced by an empty one, 0 if never.",
    registry=REGISTRY,
)

# A counter that first appears with its first increment hides that increment from increase().
for _reason in REJECTION_REASONS:
    REJECTIONS.labels(_reason)


def track_receivers(names: set[str], known: set[str]) -> None:
    """Makes the series of new receivers appear and removes the gauges of those in `known` that no longer exist."""
    for name in names - known:
        SENT.labels(name)
        FAILURES.labels(name)
        OVERDUE.labels(name)
        for kind in REFUSALS:
            REFUSED.labels(name, kind)
    for name in known - names:
        OVERDUE.remove(name)
        LAST_SUCCESS.remove(name)
