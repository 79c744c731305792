"""One alert, as Alertmanager's webhook tells of it and as the digest keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

LABEL_LENGTH = 300
ANNOTATION_LENGTH = 1000
LABELS = 64


class PayloadError(ValueError):
    """What was posted is not Alertmanager's JSON."""


@dataclass(frozen=True)
class Alert:
    """Times are Unix seconds; `ends` is None while the alert fires."""

    fingerprint: str
    starts: float
    ends: float | None
    labels: dict[str, str]
    annotations: dict[str, str]

    @property
    def name(self) -> str:
        """Its alertname."""
        return self.labels.get("alertname", "")


def read(payload: object) -> list[Alert]:
    """The alerts in a request of Alertmanager's webhook, version 4.

    Raises:
        PayloadError: naming what is missing.
    """
    if not isinstance(payload, dict) or not isinstance(payload.get("alerts"), list):
        raise PayloadError("the body must be the JSON of an Alertmanager webhook, an object with a list `alerts`")
    return [_alert(found, index) for index, found in enumerate(payload["alerts"])]


def _alert(found: Any, index: int) -> Alert:
    try:
        ended = found["status"] == "resolved"
        return Alert(
            fingerprint=str(found["fingerprint"])[:64],
            starts=datetime.fromisoformat(found["startsAt"]).timestamp(),
            ends=datetime.fromisoformat(found["endsAt"]).timestamp() if ended else None,
            labels=_bounded(found["labels"], LABEL_LENGTH),
            annotations=_bounded(found.get("annotations") or {}, ANNOTATION_LENGTH),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise PayloadError(f"alerts[{index}] is not an alert: {type(error).__name__} {error}") from error


def _bounded(texts: dict[str, Any], length: int) -> dict[str, str]:
    return {str(name)[:LABEL_LENGTH]: str(text)[:length] for name, text in sorted(texts.items())[:LABELS]}
