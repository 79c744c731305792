"""Conditions: what is said of what was observed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sergas_operator.conditions import Condition, Observed, Volume, conditions
from sergas_operator.errors import ApiError
from sergas_operator.receivers import resolve
from sergas_operator.spec import AlertmanagerStorage, Email, Heartbeat, Monitoring, Receiver, SecretRef, Spec
from sergas_operator.status import status

HASH = "0123456789abcdef"
MONITORING = Monitoring("sergas", "monitoring", "uid", 2, Spec())
NOW = "2026-01-02T03:04:05Z"


def child(replicas: int, **status: Any) -> dict[str, Any]:
    settled = {"type": "Reconciled", "status": "True", "observedGeneration": 7}
    found = {"replicas": replicas, "updatedReplicas": replicas, "availableReplicas": replicas, "conditions": [settled]}
    return {"metadata": {"generation": 7}, "status": found | status}


def volume(part: Any, size: str, actual: str | None = None) -> Volume:
    return Volume(f"{part}-0", part, size, size if actual is None else actual)


GOOD = Observed(
    prometheus=child(2),
    alertmanager=child(3),
    volumes=[volume("prometheus", "50Gi"), volume("alertmanager", "2Gi")],
    applied_hash=HASH,
    loaded_hashes=[HASH, HASH, HASH],
)


def found(observed: Observed, kind: str, monitoring: Monitoring = MONITORING) -> Condition:
    return next(condition for condition in conditions(monitoring, observed) if condition.type == kind)


def test_there_are_eight_conditions_ready_first() -> None:
    assert [condition.type for condition in conditions(MONITORING, GOOD)] == [
        "Ready",
        "PrometheusAvailable",
        "AlertmanagerAvailable",
        "ConfigLoaded",
        "ReceiversReady",
        "DigestAvailable",
        "StorageReady",
        "Progressing",
    ]


def test_all_good_without_a_receiver_is_ready_and_says_that_no_one_is_told() -> None:
    assert found(GOOD, "Ready") == Condition(
        "Ready", "True", "NoReceivers", "No alert reaches anyone: name someone in spec.receivers."
    )


def test_a_heartbeat_alone_tells_no_one_of_any_alert() -> None:
    beating = replace(MONITORING, spec=Spec(heartbeat=Heartbeat(SecretRef("deadman", "url"))))
    receivers = resolve(beating, {"deadman": {"url": b"https://deadman.example.com"}}, {})
    assert found(replace(GOOD, receivers=receivers), "ReceiversReady", beating).reason == "NoReceivers"
    missing = found(replace(GOOD, receivers=resolve(beating, {}, {})), "ReceiversReady", beating)
    assert (missing.status, missing.reason) == ("False", "SecretNotUsable")


MAILED = replace(
    MONITORING,
    spec=Spec(
        receivers=(
            Receiver("mail", email=Email(("ops@example.com",), "alerts@example.com", "smtp:25")),
            Receiver("second", email=Email(("second@example.com",), "alerts@example.com", "smtp:25")),
        )
    ),
)


@pytest.mark.parametrize(
    ("monitoring", "digest", "status", "reason", "message"),
    [
        (
            MONITORING,
            None,
            "True",
            "NotNeeded",
            "No mail receiver hears of info alerts, so no digest is needed.",
        ),
        (MAILED, None, "False", "NotCreated", "StatefulSet monitoring/sergas-digest does not exist yet."),
        (
            MAILED,
            {"status": {"availableReplicas": 0}},
            "False",
            "DigestNotReady",
            "The digest does not run, and info alerts that begin and end now may be missing from it: type "
            "`kubectl -n monitoring get pods -l app.kubernetes.io/name=digest,app.kubernetes.io/instance=sergas`.",
        ),
        (
            MAILED,
            {"status": {"availableReplicas": 1}},
            "True",
            "DigestReady",
            "Info alerts are collected and mailed every 24h to mail, second.",
        ),
    ],
)
def test_the_digest_is_available_while_its_pod_is(
    monitoring: Monitoring, digest: Any, status: Any, reason: str, message: str
) -> None:
    observed = replace(GOOD, digest=digest)
    assert found(observed, "DigestAvailable", monitoring) == Condition("DigestAvailable", status, reason, message)


def test_a_refused_configuration_is_told_in_the_parsers_own_words() -> None:
    refused = {"type": "Reconciled", "status": "False", "message": "provision: missing closing ]: `[)$`"}
    observed = replace(GOOD, alertmanager=child(3, conditions=[refused]))
    words = (
        "provision: missing closing ]: `[)$`. Alertmanager keeps the configuration it loaded last; correct the spec."
    )
    assert found(observed, "ConfigLoaded") == Condition("ConfigLoaded", "False", "ConfigRefused", words)
    assert found(observed, "AlertmanagerAvailable").status == "True"
    assert found(observed, "Ready").message == words


@pytest.mark.parametrize(
    ("hashes", "status", "reason", "message"),
    [
        ([], "Unknown", "NotAsked", "No Alertmanager pod has an address yet, so none can be asked what it runs."),
        (
            [HASH, "", HASH],
            "False",
            "Loading",
            f"2 of 3 replicas run configuration {HASH}; the others are about to load it.",
        ),
        (
            [HASH, None, HASH],
            "Unknown",
            "CannotAsk",
            "1 of 3 Alertmanager pods did not answer on port 9093: check that a NetworkPolicy lets "
            "the operator connect to "
            "them.",
        ),
        ([HASH, HASH, HASH], "True", "Loaded", f"Every replica runs configuration {HASH}."),
    ],
)
def test_config_loaded_is_what_the_alertmanagers_answer(hashes: Any, status: Any, reason: str, message: str) -> None:
    observed = replace(GOOD, loaded_hashes=hashes)
    assert found(observed, "ConfigLoaded") == Condition("ConfigLoaded", status, reason, message)


def test_ready_is_the_worst_of_its_parts() -> None:
    unknown = replace(GOOD, loaded_hashes=[])
    assert found(unknown, "Ready").status == "Unknown"
    both = replace(unknown, prometheus=child(2, availableReplicas=0))
    assert (found(both, "Ready").status, found(both, "Ready").reason) == ("False", "ReplicasNotReady")


def test_a_problem_is_ready_and_progressing_in_its_own_words() -> None:
    problem = ApiError(403, "apply Service monitoring/sergas-prometheus", "services is forbidden")
    observed = replace(GOOD, problem=problem)
    sentence = "apply Service monitoring/sergas-prometheus: services is forbidden"
    for kind in ("Ready", "Progressing"):
        assert found(observed, kind) == Condition(kind, "False", "ApiServerRefused", sentence)


def test_a_rollout_is_progress_until_every_pod_is_updated() -> None:
    rolling = replace(GOOD, prometheus=child(2, updatedReplicas=1))
    assert found(rolling, "Progressing").message == (
        "The Prometheus Operator is bringing Prometheus to what the spec says."
    )
    unready = replace(GOOD, prometheus=child(2, availableReplicas=1))
    assert found(unready, "Progressing").reason == "RollingOut"
    unseen = replace(GOOD, alertmanager=child(3) | {"metadata": {"generation": 8}})
    assert found(unseen, "Progressing").reason == "RollingOut"
    assert found(GOOD, "Progressing").reason == "Converged"


def test_a_configuration_about_to_be_loaded_is_progress() -> None:
    assert found(replace(GOOD, loaded_hashes=["", HASH, HASH]), "Progressing").reason == "LoadingConfig"


def test_a_missing_child_in_mode_plan_says_why() -> None:
    planned = replace(MONITORING, spec=Spec(mode="Plan"))
    observed = replace(GOOD, prometheus=None)
    assert found(observed, "PrometheusAvailable", planned).message == (
        "Prometheus monitoring/sergas does not exist: spec.mode is Plan, set it to Apply to have it made."
    )


def test_a_prometheus_the_prometheus_operator_cannot_make_is_told_in_its_words() -> None:
    refused = {"type": "Reconciled", "status": "False", "message": "invalid retention"}
    observed = replace(GOOD, prometheus=child(2, conditions=[refused]))
    assert found(observed, "PrometheusAvailable") == Condition(
        "PrometheusAvailable",
        "False",
        "NotReconciled",
        "The Prometheus Operator cannot make Prometheus monitoring/sergas so: invalid retention",
    )


def test_volumes_pending_and_too_small_are_told() -> None:
    pending = replace(GOOD, volumes=[volume("prometheus", "50Gi", "")])
    assert found(pending, "StorageReady").message == (
        "1 of 1 volumes do not exist yet: type `kubectl -n monitoring describe pvc prometheus-0` to see why."
    )
    grown = replace(MONITORING, spec=Spec())
    small = replace(GOOD, volumes=[volume("alertmanager", "3Gi", "2Gi"), volume("alertmanager", "3Gi", "2Gi")])
    assert found(small, "StorageReady", grown).message.endswith(
        "if its StorageClass allows expansion. The same goes for alertmanager-0."
    )
    assert AlertmanagerStorage().size == "2Gi"


def test_a_condition_keeps_its_time_until_its_status_changes() -> None:
    before = status(MONITORING, GOOD, {}, "2020-01-01T00:00:00Z")
    after = status(MONITORING, replace(GOOD, loaded_hashes=[]), before, NOW)
    times = {condition["type"]: condition["lastTransitionTime"] for condition in after["conditions"]}
    assert times["ConfigLoaded"] == times["Ready"] == NOW
    assert times["PrometheusAvailable"] == "2020-01-01T00:00:00Z"


def test_the_same_observation_gives_the_same_status() -> None:
    before = status(MONITORING, GOOD, {}, "2020-01-01T00:00:00Z")
    assert status(MONITORING, GOOD, before, NOW) == before


def test_status_counts_what_the_columns_show() -> None:
    found_status = status(MONITORING, GOOD, {}, NOW)
    assert found_status["prometheus"]["ready"] == "2/2"
    assert found_status["alertmanager"]["ready"] == "3/3"
    assert found_status["config"] == {"appliedHash": HASH, "loadedHash": HASH}
    assert found_status["observedGeneration"] == 2
