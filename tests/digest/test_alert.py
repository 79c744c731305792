"""Which webhook requests are accepted, and what is kept of an alert."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sergas_digest.alert import ANNOTATION_LENGTH, LABEL_LENGTH, LABELS, Alert, PayloadError, parse

POSTED = {
    "status": "resolved",
    "fingerprint": "0123456789abcdef",
    "labels": {"alertname": "A", "namespace": "crm"},
    "annotations": {"summary": "s", "other": "is not shown"},
    "startsAt": "2026-01-02T03:04:05.123456789Z",
    "endsAt": "2026-01-02T03:05:05+00:00",
    "generatorURL": "http://prometheus",
}


def body(**changes: Any) -> bytes:
    return json.dumps({"version": "4", "alerts": [POSTED | changes], "groupLabels": {}}).encode()


def test_reads_what_alertmanager_posts() -> None:
    labels = {"alertname": "A", "namespace": "crm"}
    starts = 1767323045.123457
    assert parse(body()) == ([Alert("0123456789abcdef", starts, 1767323105, labels, {"summary": "s"})], [])
    [firing], _ = parse(body(status="firing", endsAt="0001-01-01T00:00:00Z", annotations=None))
    assert (firing.ends, firing.annotations) == (None, {})


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"startsAt": "9999-12-31T23:59:59-12:00"}, "startsAt is not between the years 1970 and 9998"),
        ({"endsAt": "0001-01-01T00:00:00Z"}, "endsAt is not between the years 1970 and 9998"),
        ({"startsAt": "2026-01-02T03:04:05"}, "Expected `datetime` with a timezone component - at `$.startsAt`"),
        ({"startsAt": 5}, "Expected `datetime`, got `int` - at `$.startsAt`"),
        ({"endsAt": None}, "it is resolved and has no endsAt"),
        ({"fingerprint": "a\x00b"}, "Expected `str` matching regex"),
        ({"fingerprint": "a" * 65}, "Expected `str` matching regex"),
        ({"labels": {"a": 1}}, "Expected `str`, got `int` - at `$.labels[...]`"),
        ({"labels": None}, "Expected `object`, got `null` - at `$.labels`"),
    ],
)
def test_names_the_field_of_an_invalid_alert_and_keeps_the_others(changes: dict[str, Any], sentence: str) -> None:
    request = json.dumps({"alerts": [POSTED, POSTED | changes, POSTED]}).encode()
    alerts, errors = parse(request)
    assert len(alerts) == 2
    assert len(errors) == 1
    assert errors[0].startswith(f"alerts[1] is invalid: {sentence}")


@pytest.mark.parametrize(
    "request_body",
    [
        b"",
        b"no json",
        b"{}",
        b"[]",
        b'{"alerts": {}}',
        b'{"alerts": [',
        b'{"alerts": ' + b"[" * 100_000,
        b'{"alerts": [' + b'{"a":' * 100_000,
        b'{"x": 1' + b"0" * 100_000 + b"}",
        b"\xff\xfe",
        # A lone surrogate, which no text in UTF-8 can contain.
        json.dumps({"alerts": [POSTED | {"labels": {"alertname": "\ud800"}}]}).encode(),
    ],
)
def test_refuses_what_is_not_a_webhook_request(request_body: bytes) -> None:
    with pytest.raises(PayloadError, match=r"^the body is not a request of Alertmanager's webhook: "):
        parse(request_body)


def test_bounds_labels_and_annotations_and_keeps_the_important_ones() -> None:
    labels = {f"a{number:03}": "x" * 1000 for number in range(100)} | {"alertname": "A", "namespace": "n"}
    [alert], _ = parse(body(labels=labels, annotations={"summary": "x" * 5000}))
    assert len(alert.labels) == LABELS
    assert (alert.name, alert.namespace) == ("A", "n")
    assert max(map(len, alert.labels.values())) == LABEL_LENGTH
    assert len(alert.annotations["summary"]) == ANNOTATION_LENGTH
