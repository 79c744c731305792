"""PagerDuty's Events API v2: https://developer.pagerduty.com/docs/events-api-v2-overview."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from sergas_sink.message import Message, RefusedError, alerts_in
from sergas_sink.shape import JSONObject, missing, objects, wrong_types

MAX_BODY_BYTES = 512 * 1024
"""Larger events are answered 413, as the Events API documents."""

_STATUS = {"trigger": "firing", "resolve": "resolved", "acknowledge": "acknowledged"}
_SEVERITIES = ("critical", "error", "warning", "info")
_KEY_LENGTH = 32
_MAX_SUMMARY = 1024
_MAX_DEDUP_KEY = 255


def read(event: object) -> Message:
    """Read an event posted to `/v2/enqueue`.

    Raises:
        RefusedError: 400 `invalid event`, with one sentence for each wrong field.
    """
    if not isinstance(event, dict):
        raise RefusedError(400, "invalid event", "the body must be a JSON object")
    errors = list(_wrong(event))
    if errors:
        raise RefusedError(400, "invalid event", *errors)
    payload = event.get("payload") or {}
    summary, details = payload.get("summary") or "", _flat(payload.get("custom_details") or {})
    return Message(
        kind="pagerduty",
        status=_STATUS[event["event_action"]],
        subject=summary,
        text="\n".join(part for part in (summary, details) if part),
        alerts=alerts_in(summary, details),
        key="…" + event["routing_key"][-4:],
        dedup_key=event.get("dedup_key") or uuid4().hex,
    )


def _wrong(event: JSONObject) -> Iterator[str]:
    yield from wrong_types(
        event, "", routing_key=str, event_action=str, dedup_key=str, client=str, client_url=str, payload=dict
    )
    yield from missing(event, "", "routing_key", "event_action")
    key = event.get("routing_key")
    if isinstance(key, str) and key and len(key) != _KEY_LENGTH:
        yield f"Length of 'routing_key' is incorrect (should be {_KEY_LENGTH} characters)"
    action = event.get("event_action")
    if action and action not in _STATUS:
        yield f"event_action must be one of {', '.join(_STATUS)}"
    if len(str(event.get("dedup_key") or "")) > _MAX_DEDUP_KEY:
        yield f"dedup_key is longer than {_MAX_DEDUP_KEY} characters"
    yield from _wrong_links(event)
    if action == "trigger":
        yield from _wrong_payload(event.get("payload"))
    elif action in _STATUS:
        yield from missing(event, "", "dedup_key")


def _wrong_links(event: JSONObject) -> Iterator[str]:
    for name, required in (("links", "href"), ("images", "src")):
        yield from wrong_types(event, "", **{name: list})
        for path, item in objects(event, "", name):
            yield from missing(item or {}, f"{path}.", required)


def _wrong_payload(payload: object) -> Iterator[str]:
    if not isinstance(payload, dict):
        yield "payload is missing or empty"
        return
    yield from missing(payload, "payload.", "summary", "source", "severity")
    yield from wrong_types(
        payload, "payload.", summary=str, source=str, component=str, group=str, custom_details=dict, **{"class": str}
    )
    if len(str(payload.get("summary") or "")) > _MAX_SUMMARY:
        yield f"payload.summary is longer than {_MAX_SUMMARY} characters"
    severity = payload.get("severity")
    if severity and severity not in _SEVERITIES:
        yield f"payload.severity must be one of {', '.join(_SEVERITIES)}"


def _flat(details: dict[str, Any]) -> str:
    return "\n".join(f"{name}: {value}" for name, value in details.items())
