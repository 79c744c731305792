"""Secrets: which may be used, where their values go, and when a change is noticed."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
import yaml
from conftest import OperatorProcess
from controlplane import ControlPlane
from kube import CHILDREN, Namespace

from sergas_operator.controller.controller import Controller

pytestmark = pytest.mark.apiserver

KEY = ("unserved", "sergas")
CONFIG = "sergas-alertmanager-config"
LABEL = "monitoring.sergas.com/receiver"
HOOK = {"name": "hook", "webhook": {"urlSecretRef": {"name": "hook", "key": "url"}}}
SLACK = {"name": "chat", "slack": {"channel": "#critical", "urlSecretRef": {"name": "slack", "key": "url"}}}
PAGER = {"name": "oncall", "pagerduty": {"routingKeySecretRef": {"name": "pager", "key": "routing-key"}}}
MAIL = {
    "name": "mail",
    "email": {
        "to": ["ops@example.com"],
        "from": "alerts@example.com",
        "smarthost": "smtp.example.com:587",
        "authUsername": "alerts",
        "passwordSecretRef": {"name": "smtp", "key": "password"},
    },
}


def receivers(namespace: Namespace) -> dict[str, Any]:
    config = yaml.safe_load(namespace.secret_data(CONFIG)["alertmanager.yaml"])
    return {receiver["name"]: receiver for receiver in config["receivers"]}


async def test_secret_without_the_label_is_not_used(unserved: Namespace, controller: Controller) -> None:
    """The author of a SergasMonitoring needs no right on Secrets, so their owner must allow it."""
    unserved.secret("pager", allowed=False, routing_key="t0ken-of-a-service-account")
    unserved.secret("hook", url="http://example.com/hook")
    unserved.create({"receivers": [PAGER, HOOK]})
    await controller.reconcile(KEY)
    assert unserved.condition("ReceiversReady")["message"] == (
        "spec.receivers[0] (oncall): pagerduty.routingKeySecretRef names Secret unserved/pager, which receivers may "
        f"not use: allow it with `kubectl -n unserved label secret pager {LABEL}=true`; until then no alert reaches "
        "oncall."
    )
    assert "t0ken" not in str(unserved.secret_data(CONFIG))
    assert receivers(unserved)["oncall"] == {"name": "oncall"}
    assert "webhook_configs" in receivers(unserved)["hook"]
    unserved.secret("pager", routing_key="0123456789abcdef0123456789abcdef")
    await controller.reconcile(KEY)
    assert unserved.condition("ReceiversReady")["status"] == "True"
    assert unserved.secret_data(CONFIG)["oncall.routing-key"] == "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize("value", ["True", "yes", "false", ""])
async def test_secret_with_another_value_of_the_label_is_not_used(
    unserved: Namespace, controller: Controller, value: str
) -> None:
    unserved.secret("hook", allowed=False, url="http://example.com/hook")
    unserved.patch_object("Secret", "hook", {"metadata": {"labels": {LABEL: value}}})
    unserved.create({"receivers": [HOOK]})
    await controller.reconcile(KEY)
    assert "which receivers may not use" in unserved.condition("ReceiversReady")["message"]


async def test_routing_key_is_sent_to_allowed_urls_only(unserved: Namespace, controller: Controller) -> None:
    unserved.secret("pager", routing_key="0123456789abcdef0123456789abcdef")
    unserved.secret("hook", url="http://example.com/hook")
    attacker = PAGER | {"pagerduty": {**PAGER["pagerduty"], "url": "https://attacker.example.com/v2/enqueue"}}  # type: ignore[dict-item]
    unserved.create({"receivers": [attacker, HOOK]})
    await controller.reconcile(KEY)
    assert unserved.condition("ReceiversReady")["message"] == (
        "spec.receivers[0] (oncall): pagerduty.url https://attacker.example.com/v2/enqueue is not an allowed address "
        "for routing keys: write one of https://events.pagerduty.com/v2/enqueue, "
        "https://events.eu.pagerduty.com/v2/enqueue, or add it to the chart's value operator.allowedPagerDutyURLs; "
        "until then no alert reaches oncall."
    )
    assert receivers(unserved)["oncall"] == {"name": "oncall"}
    assert "attacker" not in unserved.secret_data(CONFIG)["alertmanager.yaml"]
    assert "webhook_configs" in receivers(unserved)["hook"]
    europe = {"url": "https://events.eu.pagerduty.com/v2/enqueue"}
    unserved.patch({"receivers": [PAGER | {"pagerduty": {**PAGER["pagerduty"], **europe}}, HOOK]})  # type: ignore[dict-item]
    await controller.reconcile(KEY)
    assert receivers(unserved)["oncall"]["pagerduty_configs"][0]["url"] == europe["url"]


async def test_two_values_that_exceed_a_secret_together_affect_only_their_receivers(
    unserved: Namespace, controller: Controller
) -> None:
    unserved.secret("hook", url="https://example.com/" + "x" * 700_000)
    unserved.secret("slack", url="https://hooks.slack.com/" + "x" * 700_000)
    unserved.secret("pager", routing_key="0123456789abcdef0123456789abcdef")
    unserved.create({"receivers": [HOOK, SLACK, PAGER]})
    await controller.reconcile(KEY)
    assert unserved.condition("ReceiversReady")["message"].startswith(
        "spec.receivers[0] (hook): webhook.urlSecretRef names Secret unserved/hook, whose key url is longer than 4096 "
        "bytes: correct the value; until then no alert reaches hook."
    )
    found = receivers(unserved)
    assert (found["hook"], found["chat"]) == ({"name": "hook"}, {"name": "chat"})
    assert "pagerduty_configs" in found["oncall"]


async def test_longest_values_of_all_receivers_fit_a_secret(unserved: Namespace, controller: Controller) -> None:
    """The CRD admits 32 receivers."""
    address = "https://example.com/"
    unserved.secret("hook", url=address + "x" * (4096 - len(address)))
    many = [HOOK | {"name": f"hook-{number}"} for number in range(32)]
    unserved.create({"receivers": many})
    await controller.reconcile(KEY)
    assert unserved.status()["receiversReady"] == "32/32"


async def test_prometheus_denies_file_access_unless_the_spec_allows_it(
    unserved: Namespace, controller: Controller
) -> None:
    unserved.create()
    await controller.reconcile(KEY)
    field = "arbitraryFSAccessThroughSMs"
    assert unserved.get("Prometheus", "sergas")["spec"][field] == {"deny": True}
    unserved.patch_object("Prometheus", "sergas", {"spec": {field: None}})
    await controller.reconcile(KEY)
    assert unserved.get("Prometheus", "sergas")["spec"][field] == {"deny": True}
    unserved.patch({"prometheus": {"discovery": {"allowFileAccess": True}}})
    await controller.reconcile(KEY)
    assert unserved.get("Prometheus", "sergas")["spec"][field] == {"deny": False}


def test_notices_rotation_of_secret_that_is_labelled_like_a_child(namespace: Namespace) -> None:
    """A chart may copy its own labels to a Secret, among them this operator's."""
    namespace.secret("hook", url="http://example.com/old")
    labels = {
        "app.kubernetes.io/managed-by": "sergas-operator",
        "app.kubernetes.io/part-of": "sergas-monitoring",
        "app.kubernetes.io/instance": "other",
    }
    namespace.patch_object("Secret", "hook", {"metadata": {"labels": labels}})
    namespace.create({"receivers": [HOOK]})
    namespace.wait_for_children()
    assert namespace.secret_data(CONFIG)["hook.url"] == "http://example.com/old"
    rotated = {"data": {"url": base64.b64encode(b"http://example.com/new").decode()}}
    namespace.patch_object("Secret", "hook", rotated)
    namespace.wait(
        "the new value is used", lambda: namespace.secret_data(CONFIG)["hook.url"] == "http://example.com/new"
    )
    namespace.delete("Secret", "hook")
    namespace.wait_for_condition("ReceiversReady", "SecretNotUsable")


def test_secret_values_are_nowhere_but_in_the_config_secret(
    namespace: Namespace, operator: OperatorProcess, granted: ControlPlane
) -> None:
    namespace.secret("hook", url="http://example.com/t0ken-of-hook")
    namespace.secret("slack", url="broken t0ken-of-slack")
    namespace.secret("pager", allowed=False, routing_key="t0ken-of-pager")
    namespace.secret("smtp", password="t0ken\nof-mail")
    namespace.create({"receivers": [SLACK, HOOK, PAGER, MAIL]})
    namespace.wait_for_condition("ReceiversReady", "SecretNotUsable")
    namespace.wait("the digest exists", lambda: namespace.get("StatefulSet", "sergas-digest"))
    namespace.wait("an Event names the problem", lambda: "SecretNotUsable" in str(namespace.list("Event")))
    token = namespace.secret_data(CONFIG)["_digest-token"]
    assert len(token) >= 32
    places = {
        "resource": str(namespace.get("SergasMonitoring", "sergas")),
        "events": str(namespace.list("Event")),
        "configuration": namespace.secret_data(CONFIG)["alertmanager.yaml"],
        "digest configuration": namespace.secret_data(CONFIG)["_digest.json"],
        "log": operator.log.read_text(),
        "audit log": granted.audit_log.read_text(),
        "metadata": str(namespace.get("Secret", CONFIG)["metadata"]),
        "digest": str(namespace.get("StatefulSet", "sergas-digest")),
        **{f"{kind} {name}": str(namespace.get(kind, name)) for kind, name in CHILDREN if kind != "Secret"},
    }
    values = ("t0ken-of-hook", "t0ken-of-slack", "t0ken-of-pager", "of-mail", token)
    # The search finds what is there.
    assert "t0ken-of-hook" in str(namespace.secret_data(CONFIG))
    assert [(place, value) for place, text in places.items() for value in values if value in text] == []


async def test_digest_token_stays_until_its_secret_is_lost(unserved: Namespace, controller: Controller) -> None:
    mail = {"name": "mail", "email": {key: MAIL["email"][key] for key in ("to", "from", "smarthost")}}  # type: ignore[index]
    unserved.create({"receivers": [mail]})
    await controller.reconcile(KEY)
    token = unserved.secret_data(CONFIG)["_digest-token"]
    controller._memories.clear()
    await controller.reconcile(KEY)
    assert unserved.secret_data(CONFIG)["_digest-token"] == token
    unserved.delete("Secret", CONFIG)
    await controller.reconcile(KEY)
    assert unserved.secret_data(CONFIG)["_digest-token"] != token


async def test_plan_shows_no_secret_value(unserved: Namespace, controller: Controller) -> None:
    unserved.secret("hook", url="http://example.com/t0ken-of-hook")
    unserved.create({"receivers": [HOOK], "mode": "Plan"})
    await controller.reconcile(KEY)
    assert unserved.status()["plannedChanges"]
    assert "t0ken" not in json.dumps([unserved.get("SergasMonitoring", "sergas"), unserved.list("Event")])
    assert unserved.get("Secret", CONFIG) is None
