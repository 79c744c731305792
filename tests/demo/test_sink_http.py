"""What the sink takes over HTTP, what it refuses, and what it tells afterwards."""

import json

import pytest


def test_slack_messages_are_answered_ok_and_kept_with_channel_and_status(sink, slack_message):
    answer = sink.web.post("/slack/team-critical", json=slack_message())
    assert (answer.status_code, answer.text) == (200, "ok")
    [kept] = sink.received()
    assert kept.pop("time")
    assert kept == {
        "id": 1,
        "kind": "slack",
        "status": "firing",
        "subject": "[FIRING:1] HighErrorRate (sergas-api)",
        "text": "[FIRING:1] HighErrorRate (sergas-api)\n9 % of requests fail",
        "alerts": ["HighErrorRate"],
        "via": "team-critical",
        "channel": "#critical",
    }


def test_a_resolved_slack_message_is_told_from_a_firing_one(sink, slack_message):
    sink.web.post("/slack/team", json=slack_message("RESOLVED"))
    assert [row["status"] for row in sink.received()] == ["resolved"]


def test_slack_takes_its_payload_as_a_form_field_too(sink, slack_message):
    answer = sink.web.post("/slack/team", data={"payload": json.dumps(slack_message())})
    assert (answer.status_code, answer.text) == (200, "ok")


@pytest.mark.parametrize(
    ("change", "answered", "reason"),
    [
        ({"attachments": "none"}, (400, "invalid_payload"), "attachments must be a list"),
        ({"attachments": ["none"]}, (400, "invalid_payload"), "attachments[0] must be an object"),
        ({"attachments": [{"title": 7}]}, (400, "invalid_payload"), "attachments[0].title must be a string"),
        (
            {"attachments": [{"title": "t", "fields": [{"title": "t", "value": 1}]}]},
            (400, "invalid_payload"),
            "attachments[0].fields[0].value must be a string",
        ),
        ({"attachments": []}, (400, "no_text"), "text, attachments and blocks are all empty"),
        ({"attachments": [{"title": "t"}] * 101}, (400, "too_many_attachments"), "attachments holds more than 100"),
        (
            {"channel": "critical"},
            (404, "channel_not_found"),
            "channel must start with # or @, or be a channel's id",
        ),
    ],
)
def test_what_slack_would_refuse_is_refused_with_its_word(sink, slack_message, change, answered, reason):
    answer = sink.web.post("/slack/team", json=slack_message(**change))
    assert (answer.status_code, answer.text) == answered
    assert [row["reasons"] for row in sink.rejected()] == [[reason]]
    assert sink.received() == []


def test_a_body_that_is_not_json_is_an_invalid_payload(sink):
    headers = {"content-type": "application/json"}
    answer = sink.web.post("/slack/team", content=b"{", headers=headers)
    assert (answer.status_code, answer.text) == (400, "invalid_payload")
    answer = sink.web.post("/slack/team", content=b"{}", headers={"content-type": "text/plain"})
    assert (answer.status_code, answer.text) == (400, "invalid_payload")


def test_pagerduty_events_are_answered_202_and_keep_four_characters_of_the_key(sink, pagerduty_event):
    answer = sink.web.post("/v2/enqueue", json=pagerduty_event())
    assert answer.status_code == 202
    assert answer.json() == {"status": "success", "message": "Event processed", "dedup_key": "a1b2"}
    [kept] = sink.received(kind="pagerduty")
    assert (kept["status"], kept["alerts"], kept["key"]) == ("firing", ["HighErrorRate"], "…7777")
    assert "0123456789abcdef" not in json.dumps(sink.received())


def test_a_trigger_without_a_dedup_key_is_given_one(sink, pagerduty_event):
    event = pagerduty_event()
    del event["dedup_key"]
    answer = sink.web.post("/v2/enqueue", json=event)
    assert answer.status_code == 202
    assert answer.json()["dedup_key"] == sink.received()[0]["dedup_key"]


def test_resolving_an_incident_is_kept_as_resolved(sink, pagerduty_event):
    assert sink.web.post("/v2/enqueue", json=pagerduty_event(event_action="resolve")).status_code == 202
    assert [row["status"] for row in sink.received(kind="pagerduty")] == ["resolved"]


@pytest.mark.parametrize(
    ("change", "errors"),
    [
        ({"routing_key": "short"}, ["Length of 'routing_key' is incorrect (should be 32 characters)"]),
        ({"event_action": "close"}, ["event_action must be one of trigger, resolve, acknowledge"]),
        ({"event_action": "resolve", "dedup_key": ""}, ["dedup_key is missing or empty"]),
        ({"payload": None}, ["payload is missing or empty"]),
        (
            {"payload": {}},
            [
                "payload.summary is missing or empty",
                "payload.source is missing or empty",
                "payload.severity is missing or empty",
            ],
        ),
        (
            {"payload": {"summary": "s" * 1025, "source": "s", "severity": "bad"}},
            [
                "payload.summary is longer than 1024 characters",
                "payload.severity must be one of critical, error, warning, info",
            ],
        ),
        ({"dedup_key": "k" * 256}, ["dedup_key is longer than 255 characters"]),
        ({"links": [{"text": "runbook"}]}, ["links[0].href is missing or empty"]),
    ],
)
def test_an_event_pagerduty_would_refuse_is_answered_400_with_every_error(sink, pagerduty_event, change, errors):
    answer = sink.web.post("/v2/enqueue", json=pagerduty_event(**change))
    assert answer.status_code == 400
    assert answer.json() == {"status": "invalid event", "message": "Event object is invalid", "errors": errors}
    assert sink.received() == []


def test_an_event_above_512_kib_is_answered_413(sink, pagerduty_event):
    answer = sink.web.post("/v2/enqueue", json=pagerduty_event(client="c" * 600_000))
    assert answer.status_code == 413
    assert answer.json()["errors"] == ["the body is larger than 524288 bytes"]


def test_webhooks_of_version_4_are_kept_with_the_names_of_their_alerts(sink, webhook_payload):
    assert sink.web.post("/webhook/ops", json=webhook_payload()).status_code == 200
    [kept] = sink.received(kind="webhook")
    assert (kept["status"], kept["alerts"], kept["via"]) == ("firing", ["HighErrorRate"], "ops")
    assert kept["subject"] == '{}:{alertname="HighErrorRate"}'


def test_a_webhooks_subject_is_the_summary_its_alerts_share(sink, webhook_payload):
    sink.web.post("/webhook", json=webhook_payload(commonAnnotations={"summary": "9 % of requests fail"}))
    assert sink.received()[0]["subject"] == "9 % of requests fail"


@pytest.mark.parametrize(
    ("change", "errors"),
    [
        ({"version": "3"}, ['version must be "4"']),
        ({"status": "open"}, ["status must be firing or resolved"]),
        ({"alerts": []}, ["alerts is missing or empty"]),
        ({"groupKey": ""}, ["groupKey is missing or empty"]),
        ({"alerts": ["x"]}, ["alerts[0] must be an object"]),
        (
            {"alerts": [{"status": "firing", "startsAt": "t", "endsAt": "t", "fingerprint": "f", "labels": {}}]},
            ["alerts[0].annotations must be an object"],
        ),
    ],
)
def test_a_webhook_of_another_shape_is_answered_400(sink, webhook_payload, change, errors):
    answer = sink.web.post("/webhook", json=webhook_payload(**change))
    assert answer.status_code == 400
    assert answer.json() == {"message": "invalid payload", "errors": errors}


def test_notifications_can_be_asked_for_by_kind_status_alert_and_number(sink, slack_message, webhook_payload):
    sink.web.post("/slack/team", json=slack_message())
    sink.web.post("/slack/team", json=slack_message("RESOLVED"))
    sink.web.post("/webhook", json=webhook_payload())
    assert [row["id"] for row in sink.received(kind="slack")] == [1, 2]
    assert [row["id"] for row in sink.received(status="firing")] == [1, 3]
    assert [row["id"] for row in sink.received(alert="HighErrorRate", after=1)] == [2, 3]
    assert sink.received(alert="ServiceDown") == []


def test_a_wrong_number_is_answered_with_what_to_send(sink):
    answer = sink.web.get("/notifications", params={"after": "yesterday"})
    assert answer.status_code == 400
    assert answer.json() == {"message": "after must be a number: the id of the last notification seen"}


def test_clearing_forgets_everything_but_keeps_counting(sink, slack_message):
    sink.web.post("/slack/team", json=slack_message())
    sink.web.post("/slack/team", json={})
    assert sink.web.delete("/notifications").status_code == 204
    assert (sink.received(), sink.rejected()) == ([], [])
    sink.web.post("/slack/team", json=slack_message())
    assert [row["id"] for row in sink.received()] == [3]


def test_a_fault_answers_its_kind_as_often_as_asked_and_is_seen_in_the_rejections(sink, slack_message, webhook_payload):
    sink.web.put("/faults/slack", json={"status": 429, "times": 1})
    assert sink.web.post("/slack/team", json=slack_message()).status_code == 429
    assert sink.web.post("/webhook", json=webhook_payload()).status_code == 200
    assert sink.web.post("/slack/team", json=slack_message()).status_code == 200
    assert [row["reasons"] for row in sink.rejected()] == [["a fault answers slack with 429"]]


def test_a_fault_without_a_count_lasts_until_it_is_removed(sink, slack_message):
    assert sink.web.put("/faults/slack", json={"status": 500}).json() == {"slack": {"status": 500, "times": None}}
    assert [sink.web.post("/slack/a", json=slack_message()).status_code for _ in range(3)] == [500, 500, 500]
    assert sink.web.delete("/faults").json() == {}
    assert sink.web.post("/slack/a", json=slack_message()).status_code == 200


@pytest.mark.parametrize("fault", [{}, {"status": 200}, {"status": 500, "times": 0}, []])
def test_a_fault_that_makes_no_sense_is_refused_with_what_to_send(sink, fault):
    answer = sink.web.put("/faults/slack", json=fault)
    assert answer.status_code == 400
    assert answer.json() == {"message": 'send {"status": 400 to 599, "times": how many messages, or nothing for all}'}


def test_a_fault_for_an_unknown_kind_names_the_known_ones(sink):
    answer = sink.web.put("/faults/pager", json={"status": 500})
    assert answer.status_code == 404
    assert answer.json() == {"message": "pager is not one of slack, pagerduty, email, webhook, remote-write"}


def test_samples_of_remote_write_are_taken_and_forgotten_until_a_fault_refuses_them(sink):
    samples = {"content": b"\x00snappy", "headers": {"Content-Type": "application/x-protobuf"}}
    assert sink.web.post("/api/v1/write", **samples).status_code == 204
    sink.web.put("/faults/remote-write", json={"status": 503})
    assert sink.web.post("/api/v1/write", **samples).status_code == 503
    sink.web.delete("/faults/remote-write")
    assert sink.web.post("/api/v1/write", **samples).status_code == 204
    assert sink.received() == sink.rejected() == []
