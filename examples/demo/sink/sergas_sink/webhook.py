"""Alertmanager's generic webhook: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config."""

from collections.abc import Iterator

from sergas_sink.message import Message, RefusedError
from sergas_sink.shape import JSONObject, missing, objects, wrong_types

_STATUSES = ("firing", "resolved")


def read(payload: object, name: str = "") -> Message:
    """Read what was posted to `/webhook` or `/webhook/<name>`.

    Raises:
        RefusedError: 400, with one sentence for each wrong field of a version 4 payload.
    """
    if not isinstance(payload, dict):
        raise RefusedError(400, "invalid payload", "the body must be a JSON object")
    errors = list(_wrong(payload))
    if errors:
        raise RefusedError(400, "invalid payload", *errors)
    names = [alert["labels"].get("alertname", "") for alert in payload["alerts"]]
    annotations = [value for alert in payload["alerts"] for value in alert["annotations"].values()]
    return Message(
        kind="webhook",
        status=payload["status"],
        subject=(payload.get("commonAnnotations") or {}).get("summary") or payload["groupKey"],
        text="\n".join(annotations),
        alerts=tuple(dict.fromkeys(item for item in names if item)),
        via=name,
    )


def _wrong(payload: JSONObject) -> Iterator[str]:
    if payload.get("version") != "4":
        yield 'version must be "4"'
    if payload.get("status") not in _STATUSES:
        yield "status must be firing or resolved"
    yield from missing(payload, "", "groupKey", "receiver", "alerts")
    yield from wrong_types(
        payload,
        "",
        groupKey=str,
        receiver=str,
        externalURL=str,
        truncatedAlerts=int,
        groupLabels=dict,
        commonLabels=dict,
        commonAnnotations=dict,
        alerts=list,
    )
    for path, alert in objects(payload, "", "alerts"):
        if alert is None:
            yield f"{path} must be an object"
        else:
            yield from _wrong_alert(alert, path)


def _wrong_alert(alert: JSONObject, path: str) -> Iterator[str]:
    if alert.get("status") not in _STATUSES:
        yield f"{path}.status must be firing or resolved"
    yield from missing(alert, f"{path}.", "startsAt", "endsAt", "fingerprint")
    for name in ("labels", "annotations"):
        if not isinstance(alert.get(name), dict):
            yield f"{path}.{name} must be an object"
