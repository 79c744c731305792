"""Conditions: what the status says for what was observed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sergas_operator.desired.receivers import resolve
from sergas_operator.errors import ApiError
from sergas_operator.model.spec import Email, Heartbeat, Monitoring, Prometheus, Receiver, SecretRef, Spec
from sergas_operator.observed.pods import Evidence
from sergas_operator.observed.state import Volume
from sergas_operator.reporting.conditions import Condition, conditions
from sergas_operator.reporting.observed import Observed
from sergas_operator.reporting.status import failed_status, status

HASH = "0123456789abcdef"
MONITORING = Monitoring("sergas", "monitoring", "uid", 2, Spec())
NOW = "2026-01-02T03:04:05Z"
IMAGES = {"prometheus": "prometheus:v3", "alertmanager": "alertmanager:v0"}
RETENTION = {"prometheus": ("30d", "--storage.tsdb.retention.time"), "alertmanager": ("120h", "--data.retention")}


def child(part: str, replicas: int, **changes: Any) -> dict[str, Any]:
    settled = {"type": "Reconciled", "status": "True", "observedGeneration": 7}
    found = {"replicas": replicas, "updatedReplicas": replicas, "availableReplicas": replicas, "conditions": [settled]}
    spec = {"image": IMAGES[part], "retention": RETENTION[part][0]}
    return {"metadata": {"generation": 7}, "spec": spec, "status": found | changes}


def stateful_set(part: str, replicas: int, generation: int = 3, seen: int = 3, **changes: Any) -> dict[str, Any]:
    value, argument = RETENTION[part]
    container = {"name": part, "image": IMAGES[part], "args": [f"{argument}={value}"]} | changes
    template = {"spec": {"containers": [container]}}
    return {
        "metadata": {"generation": generation},
        "spec": {"replicas": replicas, "template": template},
        "status": {"observedGeneration": seen, "updatedReplicas": replicas},
    }


def volume(part: Any, actual: str, ordinal: int = 0) -> Volume:
    return Volume(f"{part}-{ordinal}", part, ordinal, actual)


GOOD = Observed(
    prometheus=child("prometheus", 2),
    alertmanager=child("alertmanager", 3),
    stateful_sets={"prometheus": stateful_set("prometheus", 2), "alertmanager": stateful_set("alertmanager", 3)},
    volumes=[volume("prometheus", "50Gi"), volume("alertmanager", "2Gi")],
    config_hash=HASH,
    evidence=Evidence(
        loaded=(HASH, HASH, HASH),
        discovered=3,
        targets=16,
        monitors=True,
        endpoints={"prometheus": 2, "alertmanager": 3},
    ),
)


def found(observed: Observed, kind: str, monitoring: Monitoring = MONITORING) -> Condition:
    return next(condition for condition in conditions(monitoring, observed) if condition.type == kind)


def with_evidence(**changes: Any) -> Observed:
    return replace(GOOD, evidence=replace(GOOD.evidence, **changes))


def test_has_eight_conditions_ready_first() -> None:
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


def test_ready_without_receiver_says_that_nobody_is_notified() -> None:
    assert found(GOOD, "Ready") == Condition(
        "Ready", "True", "NoReceivers", "No notifications are sent: configure a receiver in spec.receivers."
    )


def test_heartbeat_alone_notifies_nobody_of_an_alert() -> None:
    beating = replace_spec(Spec(heartbeat=Heartbeat(SecretRef("deadman", "url"))))
    receivers = resolve(beating, {"deadman": {"url": b"https://deadman.example.com"}}, {})
    assert found(replace(GOOD, receivers=receivers), "ReceiversReady", beating).reason == "NoReceivers"
    missing = found(replace(GOOD, receivers=resolve(beating, {}, {})), "ReceiversReady", beating)
    assert (missing.status, missing.reason) == ("False", "SecretNotUsable")


def replace_spec(spec: Spec) -> Monitoring:
    return Monitoring("sergas", "monitoring", "uid", 2, spec)


MAILED = replace_spec(
    Spec(
        receivers=(
            Receiver("mail", email=Email(("ops@example.com",), "alerts@example.com", "smtp:25")),
            Receiver("second", email=Email(("second@example.com",), "alerts@example.com", "smtp:25")),
        )
    )
)


@pytest.mark.parametrize(
    ("monitoring", "digest", "state", "reason", "message"),
    [
        (MONITORING, None, "True", "NotNeeded", "No email receiver gets info alerts, so no digest is needed."),
        (MAILED, None, "False", "NotCreated", "StatefulSet monitoring/sergas-digest does not exist yet."),
        (
            MAILED,
            {"status": {"availableReplicas": 0}},
            "False",
            "DigestNotReady",
            "The digest does not run, and the next mail may lack info alerts that begin and end now: type "
            "`kubectl -n monitoring get pods -l app.kubernetes.io/name=digest,app.kubernetes.io/instance=sergas`.",
        ),
        (
            MAILED,
            {"status": {"availableReplicas": 1}},
            "True",
            "DigestReady",
            "Info alerts are stored and mailed every 24h to mail, second.",
        ),
    ],
)
def test_digest_is_available_while_its_pod_is(
    monitoring: Monitoring, digest: Any, state: Any, reason: str, message: str
) -> None:
    observed = replace(GOOD, digest=digest)
    assert found(observed, "DigestAvailable", monitoring) == Condition("DigestAvailable", state, reason, message)


def test_refused_configuration_is_reported_with_the_parsers_message() -> None:
    refused = {"type": "Reconciled", "status": "False", "message": "provision: missing closing ]: `[)$`"}
    observed = replace(GOOD, alertmanager=child("alertmanager", 3, conditions=[refused]))
    message = (
        "provision: missing closing ]: `[)$`. Alertmanager keeps the configuration it loaded last; correct the spec."
    )
    assert found(observed, "ConfigLoaded") == Condition("ConfigLoaded", "False", "ConfigRefused", message)
    assert found(observed, "AlertmanagerAvailable").status == "True"
    assert found(observed, "Ready").message == message


@pytest.mark.parametrize(
    ("hashes", "state", "reason", "message"),
    [
        (
            (),
            "Unknown",
            "NotAsked",
            "No Alertmanager pod is ready yet, so none can be asked for its configuration.",
        ),
        (
            (HASH, "", HASH),
            "False",
            "Loading",
            f"2 of 3 replicas run configuration {HASH}; the others will load it.",
        ),
        (
            (HASH, None, HASH),
            "Unknown",
            "CannotAsk",
            "1 of 3 ready Alertmanager pods did not answer on port 9093: check that a NetworkPolicy lets the operator "
            "connect to them.",
        ),
        ((HASH, HASH, HASH), "True", "Loaded", f"Every replica runs configuration {HASH}."),
    ],
)
def test_config_loaded_is_what_the_alertmanagers_answer(hashes: Any, state: Any, reason: str, message: str) -> None:
    assert found(with_evidence(loaded=hashes), "ConfigLoaded") == Condition("ConfigLoaded", state, reason, message)


def test_prometheus_is_not_available_without_endpoints_alertmanagers_or_targets() -> None:
    no_endpoints = with_evidence(endpoints={"prometheus": 0, "alertmanager": 3})
    assert found(no_endpoints, "PrometheusAvailable") == Condition(
        "PrometheusAvailable",
        "False",
        "NoEndpoints",
        "Service monitoring/sergas-prometheus has no ready endpoint: type `kubectl -n monitoring get endpointslices -l "
        "kubernetes.io/service-name=sergas-prometheus`.",
    )
    assert found(with_evidence(discovered=0), "PrometheusAvailable") == Condition(
        "PrometheusAvailable",
        "False",
        "AlertmanagersNotDiscovered",
        "Prometheus monitoring/sergas has discovered no Alertmanager, so no alert is notified: check the endpoints of "
        "Service sergas-alertmanager.",
    )
    assert found(with_evidence(targets=0), "PrometheusAvailable") == Condition(
        "PrometheusAvailable",
        "False",
        "NoTargets",
        "Prometheus monitoring/sergas scrapes no target although ServiceMonitors exist: check "
        "spec.prometheus.discovery and the labels of the ServiceMonitors.",
    )
    assert found(with_evidence(targets=0, monitors=False), "PrometheusAvailable").status == "True"


def test_alertmanager_is_not_available_without_endpoints() -> None:
    observed = with_evidence(endpoints={"prometheus": 2, "alertmanager": 0})
    assert found(observed, "AlertmanagerAvailable").reason == "NoEndpoints"
    assert found(observed, "Ready").status == "False"


def test_ready_is_the_worst_of_its_parts() -> None:
    unknown = with_evidence(loaded=())
    assert found(unknown, "Ready").status == "Unknown"
    both = replace(unknown, prometheus=child("prometheus", 2, availableReplicas=0))
    assert (found(both, "Ready").status, found(both, "Ready").reason) == ("False", "ReplicasNotReady")


def test_problem_is_in_ready_and_progressing() -> None:
    problem = ApiError(403, "apply Service monitoring/sergas-prometheus", "services is forbidden")
    message = "apply Service monitoring/sergas-prometheus: services is forbidden"
    for kind in ("Ready", "Progressing"):
        assert found(replace(GOOD, problem=problem), kind) == Condition(kind, "False", "ApiServerRefused", message)


ROLLOUTS: dict[str, Observed] = {
    "a pod is not updated": replace(GOOD, prometheus=child("prometheus", 2, updatedReplicas=1)),
    "an Alertmanager is not seen": replace(
        GOOD, alertmanager=child("alertmanager", 3) | {"metadata": {"generation": 8}}
    ),
    "there is no StatefulSet": replace(GOOD, stateful_sets={}),
    "the StatefulSet keeps the old retention": replace(
        GOOD,
        stateful_sets={
            **GOOD.stateful_sets,
            "prometheus": stateful_set("prometheus", 2, args=["--storage.tsdb.retention.time=15d"]),
        },
    ),
    "the StatefulSet of Alertmanager has no retention": replace(
        GOOD, stateful_sets={**GOOD.stateful_sets, "alertmanager": stateful_set("alertmanager", 3, args=[])}
    ),
    "a Prometheus is paused": replace(
        GOOD,
        prometheus=GOOD.prometheus | {"spec": GOOD.prometheus["spec"] | {"paused": True}},
    ),
    "the StatefulSet keeps the old image": replace(
        GOOD, stateful_sets={**GOOD.stateful_sets, "prometheus": stateful_set("prometheus", 2, image="prometheus:v2")}
    ),
    "the StatefulSet keeps the old replicas": replace(
        GOOD, stateful_sets={**GOOD.stateful_sets, "alertmanager": stateful_set("alertmanager", 1)}
    ),
    "the StatefulSet is not seen": replace(
        GOOD, stateful_sets={**GOOD.stateful_sets, "alertmanager": stateful_set("alertmanager", 3, generation=4)}
    ),
}


def test_is_ready_when_prometheus_reads_its_retention_from_the_configuration_file() -> None:
    without = stateful_set("prometheus", 2, args=[])
    observed = replace(GOOD, stateful_sets={**GOOD.stateful_sets, "prometheus": without})
    assert found(observed, "Progressing").reason == "Converged"


@pytest.mark.parametrize("observed", ROLLOUTS.values(), ids=ROLLOUTS)
def test_is_not_ready_while_the_newest_generation_does_not_run(observed: Observed) -> None:
    progress = found(observed, "Progressing")
    assert (progress.status, progress.reason) == ("True", "RollingOut")
    assert found(observed, "Ready").status == "False"
    assert found(GOOD, "Progressing").reason == "Converged"


def test_rollout_names_what_is_rolled_out() -> None:
    assert found(replace(GOOD, stateful_sets={}), "Progressing").message == (
        "The Prometheus Operator is rolling out Prometheus and Alertmanager."
    )


def test_is_not_ready_while_a_configuration_is_loaded() -> None:
    observed = with_evidence(loaded=("", HASH, HASH))
    assert found(observed, "Progressing").reason == "LoadingConfig"
    assert found(observed, "Ready").status == "False"


@pytest.mark.parametrize(
    ("spec", "reason"), [(Spec(paused=True), "Paused"), (Spec(mode="Plan"), "Planned")], ids=["paused", "Plan"]
)
def test_is_not_ready_while_children_are_not_written(spec: Spec, reason: str) -> None:
    monitoring = replace_spec(spec)
    assert found(GOOD, "Progressing", monitoring).reason == reason
    assert (found(GOOD, "Ready", monitoring).status, found(GOOD, "Ready", monitoring).reason) == ("False", reason)


@pytest.mark.parametrize(
    ("wanted", "actual", "warning"),
    [
        (
            "Retain",
            "Delete",
            " deletionPolicy Retain is not in effect yet: deleting the SergasMonitoring now would delete the children.",
        ),
        (
            "Delete",
            "Retain",
            " deletionPolicy Delete is not in effect yet: deleting the SergasMonitoring now would keep the children.",
        ),
        ("Retain", "Retain", ""),
        ("Retain", "", ""),
    ],
)
@pytest.mark.parametrize("frozen", [{"paused": True}, {"mode": "Plan"}], ids=["paused", "Plan"])
def test_says_whether_deletion_policy_is_in_effect(
    frozen: dict[str, Any], wanted: str, actual: str, warning: str
) -> None:
    monitoring = replace_spec(Spec(deletion_policy=wanted, **frozen))
    observed = replace(GOOD, deletion_policy=actual)
    message = found(observed, "Progressing", monitoring).message
    assert message.endswith(warning or ".")
    assert ("not in effect" in message) == bool(warning)
    assert status(monitoring, observed, {}, NOW)["deletionPolicy"] == actual


def test_missing_child_in_mode_plan_says_why() -> None:
    planned = replace_spec(Spec(mode="Plan"))
    assert found(replace(GOOD, prometheus=None), "PrometheusAvailable", planned).message == (
        "Prometheus monitoring/sergas does not exist: spec.mode is Plan, set it to Apply to create it."
    )


def test_reports_message_of_prometheus_operator() -> None:
    refused = {"type": "Reconciled", "status": "False", "message": "invalid retention"}
    observed = replace(GOOD, prometheus=child("prometheus", 2, conditions=[refused]))
    assert found(observed, "PrometheusAvailable") == Condition(
        "PrometheusAvailable",
        "False",
        "NotReconciled",
        "The Prometheus Operator cannot reconcile Prometheus monitoring/sergas: invalid retention",
    )


def test_reports_pending_and_small_volumes() -> None:
    pending = replace(GOOD, volumes=[volume("prometheus", "")])
    assert found(pending, "StorageReady").message == (
        "1 of 1 volumes are not bound: type `kubectl -n monitoring describe pvc prometheus-0` to see why."
    )
    small = replace(GOOD, volumes=[volume("alertmanager", "1Gi"), volume("alertmanager", "1Gi", 1)])
    assert found(small, "StorageReady") == Condition(
        "StorageReady",
        "False",
        "VolumesTooSmall",
        "Volume alertmanager-0 holds 1Gi, less than the requested 2Gi, and is not resized automatically: type "
        "`kubectl -n monitoring patch pvc alertmanager-0 -p "
        '\'{"spec":{"resources":{"requests":{"storage":"2Gi"}}}}\'` if its StorageClass allows expansion. '
        "Do the same for alertmanager-1.",
    )


def test_ignores_volume_of_a_replica_that_is_gone() -> None:
    one = replace_spec(Spec(prometheus=Prometheus(replicas=1)))
    observed = replace(GOOD, volumes=[volume("prometheus", "50Gi"), volume("prometheus", "", 1)])
    assert found(observed, "StorageReady", one).reason == "VolumesReady"
    assert found(observed, "StorageReady").reason == "VolumesPending"


@pytest.mark.parametrize("capacity", ["53687091200000m", "1e11", "50Gi", "64424509440"])
def test_reads_capacity_in_any_notation(capacity: str) -> None:
    assert found(replace(GOOD, volumes=[volume("prometheus", capacity)]), "StorageReady").reason == "VolumesReady"


@pytest.mark.parametrize("capacity", ["1288490188800m", "nonsense"])
def test_reports_small_or_unreadable_capacity(capacity: str) -> None:
    condition = found(replace(GOOD, volumes=[volume("prometheus", capacity)]), "StorageReady")
    assert condition.reason == "VolumesTooSmall"
    assert condition.message.startswith(f"Volume prometheus-0 holds {capacity}, less than the requested 50Gi")


def test_condition_keeps_its_time_until_its_status_changes() -> None:
    before = status(MONITORING, GOOD, {}, "2020-01-01T00:00:00Z")
    after = status(MONITORING, with_evidence(loaded=()), before, NOW)
    times = {condition["type"]: condition["lastTransitionTime"] for condition in after["conditions"]}
    assert times["ConfigLoaded"] == times["Ready"] == NOW
    assert times["PrometheusAvailable"] == "2020-01-01T00:00:00Z"


def test_same_observation_gives_same_status() -> None:
    before = status(MONITORING, GOOD, {}, "2020-01-01T00:00:00Z")
    assert status(MONITORING, GOOD, before, NOW) == before


def test_failed_reconcile_keeps_the_rest_of_the_status() -> None:
    before = status(MONITORING, GOOD, {}, "2020-01-01T00:00:00Z")
    newer = Monitoring("sergas", "monitoring", "uid", 3, Spec())
    after = failed_status(newer, ApiError(500, "list Pod in monitoring", "etcd is slow"), before, NOW)
    assert after["observedGeneration"] == 3
    by_type = {condition["type"]: condition for condition in after["conditions"]}
    for kind in ("Ready", "Progressing"):
        assert by_type[kind]["message"] == "list Pod in monitoring: etcd is slow"
        assert (by_type[kind]["status"], by_type[kind]["observedGeneration"]) == ("False", 3)
    # What was not observed again speaks of the generation it was observed for.
    assert by_type["StorageReady"]["observedGeneration"] == 2
    assert after["prometheus"] == before["prometheus"]
    assert failed_status(newer, ApiError(500, "list Pod in monitoring", "etcd is slow"), after, "later") == after


def test_status_counts_what_the_columns_show() -> None:
    found_status = status(MONITORING, GOOD, {}, NOW)
    assert found_status["prometheus"]["ready"] == "2/2"
    assert found_status["alertmanager"]["ready"] == "3/3"
    assert found_status["config"] == {"appliedHash": HASH, "loadedHash": HASH}
    assert found_status["observedGeneration"] == 2


def test_larger_volumes_are_ready_and_named() -> None:
    observed = replace(GOOD, volumes=[volume("prometheus", "60Gi"), volume("alertmanager", "2Gi")])
    condition = found(observed, "StorageReady")
    assert (condition.status, condition.message) == (
        "True",
        "All 2 volumes have the requested size. "
        "Volumes never shrink: prometheus-0 keeps 60Gi, more than the requested 50Gi.",
    )
