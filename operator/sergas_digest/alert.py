"""Alerts: how Alertmanager's webhook is validated, and what is kept of each alert."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import msgspec

LABELS = 64
LABEL_LENGTH = 300
ANNOTATION_LENGTH = 1000
# The annotations that the mail shows; the others are not stored.
ANNOTATIONS = ("summary", "description", "runbook_url", "dashboard_url")
# Labels that are kept even when an alert has more than LABELS.
KEPT_FIRST = ("alertname", "namespace", "severity")
# 1970-01-01 and 9999-01-01 in UTC: between them every time zone can show the time.
FIRST_TIME, LAST_TIME = 0.0, 253_370_764_800.0


class PayloadError(ValueError):
    """A request is not the JSON of Alertmanager's webhook, or an alert in it is invalid."""


@dataclass(frozen=True)
class Alert:
    """An alert. Times are Unix seconds; `ends` is None while it fires.

    `end_reported` is False when the digest concluded that the alert ended, because it was no longer reported.
    """

    fingerprint: str
    starts: float
    ends: float | None
    labels: dict[str, str]
    annotations: dict[str, str]
    end_reported: bool = True

    @property
    def name(self) -> str:
        """The label alertname."""
        return self.labels.get("alertname", "")

    @property
    def namespace(self) -> str:
        """The label namespace, empty if there is none."""
        return self.labels.get("namespace", "")


class _Posted(msgspec.Struct, rename="camel"):
    """An alert in a webhook request. Fields that are not named here are skipped without being built."""

    status: str
    fingerprint: Annotated[str, msgspec.Meta(pattern=r"^[\x21-\x7e]{1,64}$")]
    starts_at: Annotated[datetime, msgspec.Meta(tz=True)]
    labels: dict[str, str]
    annotations: dict[str, str] | None = None
    ends_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


class _Webhook(msgspec.Struct):
    alerts: list[msgspec.Raw]


def parse(body: bytes) -> tuple[list[Alert], list[str]]:
    """The valid alerts in a webhook request (version 4), and a sentence about each alert that is invalid.

    Raises:
        PayloadError: the body is not such a request.
    """
    try:
        posted = msgspec.json.decode(body, type=_Webhook).alerts
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise PayloadError(f"the body is not a request of Alertmanager's webhook: {error}") from error
    alerts, errors = [], []
    for index, found in enumerate(posted):
        try:
            alerts.append(_alert(found))
        except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError) as error:
            errors.append(f"alerts[{index}] is invalid: {error}")
    return alerts, errors


def _alert(found: msgspec.Raw) -> Alert:
    posted = msgspec.json.decode(found, type=_Posted)
    ends = None
    if posted.status == "resolved":
        if posted.ends_at is None:
            raise PayloadError("it is resolved and has no endsAt")
        ends = _seconds("endsAt", posted.ends_at)
    annotations = posted.annotations or {}
    return Alert(
        fingerprint=posted.fingerprint,
        starts=_seconds("startsAt", posted.starts_at),
        ends=ends,
        labels=_bounded(posted.labels),
        annotations={name: annotations[name][:ANNOTATION_LENGTH] for name in ANNOTATIONS if name in annotations},
    )


def _seconds(field: str, value: datetime) -> float:
    seconds = value.timestamp()
    if not FIRST_TIME <= seconds < LAST_TIME:
        raise PayloadError(f"{field} is not between the years 1970 and 9998")
    return seconds


def _bounded(labels: dict[str, str]) -> dict[str, str]:
    names = sorted(labels, key=lambda name: (name not in KEPT_FIRST, name))[:LABELS]
    return {name[:LABEL_LENGTH]: labels[name][:LABEL_LENGTH] for name in sorted(names)}
