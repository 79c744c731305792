"""A state machine over specs, edits of children and Secrets, deletions, restarts and interrupted connections.

A second SergasMonitoring with the same spec, created at the end of a run, shows what a fresh one has. The first one
must have the same children and conditions, whatever happened to it before.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from kube import Namespace, Refused
from objects import children, conditions, difference
from operator_thread import OperatorThread
from tcp_proxy import TcpProxy

SECONDS = 60.0
NUMBERS = itertools.count()
HOOK, CHAT = "hook", "chat"
RECEIVERS: list[dict[str, Any]] = [
    {"name": "hook", "webhook": {"urlSecretRef": {"name": HOOK, "key": "url"}}},
    {"name": "chat", "slack": {"channel": "#critical", "urlSecretRef": {"name": CHAT, "key": "url"}}},
    {
        "name": "mail",
        "email": {"to": ["ops@example.com"], "from": "alerts@example.com", "smarthost": "smtp.example.com:587"},
    },
]
RECEIVER_LISTS = st.lists(st.sampled_from(RECEIVERS), max_size=3, unique_by=lambda receiver: str(receiver["name"]))
GOOD = st.one_of(
    st.builds(lambda days: {"prometheus": {"retention": f"{days}d"}}, st.integers(1, 90)),
    st.builds(lambda count: {"prometheus": {"replicas": count}}, st.integers(1, 3)),
    st.builds(lambda count: {"alertmanager": {"replicas": count}}, st.integers(1, 3)),
    st.builds(lambda found: {"receivers": found}, RECEIVER_LISTS),
)
# The API server stores these; the operator must not act on them, or can only act on a part.
BAD = st.sampled_from(
    [
        {"paused": True},
        {"mode": "Plan"},
        {"receivers": [{**RECEIVERS[0], "webhook": {"urlSecretRef": {"name": "missing", "key": "url"}}}]},
        {"receivers": [{**RECEIVERS[0], "webhook": {"urlSecretRef": {"name": HOOK, "key": "missing"}}}]},
        {"receivers": [{**RECEIVERS[1], "slack": {**RECEIVERS[1]["slack"], "channel": "#{{ nonsense }}"}}]},
    ]
)
# Edits of children by hand: kind, suffix of the name, merge patch.
LABEL = "app.kubernetes.io/part-of"
EDITS = st.sampled_from(
    [
        ("Prometheus", "", {"spec": {"serviceMonitorSelector": None}}),
        ("Prometheus", "", {"spec": {"paused": True}}),
        ("Prometheus", "", {"spec": {"retention": "1h"}}),
        ("Prometheus", "", {"metadata": {"labels": {LABEL: None}}}),
        ("Alertmanager", "", {"spec": {"replicas": 7}}),
        ("Alertmanager", "", {"spec": {"configSecret": None}}),
        ("Service", "-alertmanager", {"spec": {"selector": {"extra": "key"}}}),
        ("Service", "-prometheus", {"spec": {"ports": [{"name": "other", "port": 9999, "targetPort": 1}]}}),
        ("Service", "-prometheus", {"metadata": {"labels": {"app.kubernetes.io/managed-by": "somebody"}}}),
        ("PodDisruptionBudget", "-prometheus", {"spec": {"maxUnavailable": 2}}),
        ("PodDisruptionBudget", "-alertmanager", {"metadata": {"labels": None}}),
        ("Secret", "-alertmanager-config", {"data": {"alertmanager.yaml": "e30="}}),
        ("Secret", "-alertmanager-config", {"data": {"extra": "eA=="}}),
        ("StatefulSet", "-digest", {"spec": {"replicas": 3}}),
    ]
)
CHILD = st.sampled_from(
    [
        ("Secret", "-alertmanager-config"),
        ("Alertmanager", ""),
        ("Prometheus", ""),
        ("Service", "-prometheus"),
        ("Service", "-alertmanager"),
        ("PodDisruptionBudget", "-prometheus"),
        ("PodDisruptionBudget", "-alertmanager"),
        ("StatefulSet", "-digest"),
        ("Service", "-digest"),
    ]
)
SECRET = st.sampled_from([HOOK, CHAT])


class Monitoring(RuleBasedStateMachine):
    """One run: everything that happens to one SergasMonitoring."""

    namespace: ClassVar[Namespace]
    operator: ClassVar[OperatorThread]
    proxy: ClassVar[TcpProxy]

    @initialize()
    def create(self) -> None:
        number = next(NUMBERS)
        self.name, self.twin = f"subject{number}", f"twin{number}"
        self.spec: dict[str, Any] = {}
        self.ownerless: set[tuple[str, str]] = set()
        for name in (HOOK, CHAT):
            self.namespace.secret(name, url="https://example.com/first")
        self.namespace.create({}, self.name)

    @rule(patch=GOOD)
    def change_spec(self, patch: dict[str, Any]) -> None:
        self._patch(patch)

    @rule(patch=BAD, wait=st.booleans())
    def change_spec_to_a_bad_one(self, patch: dict[str, Any], wait: bool) -> None:
        self._patch(patch)
        if wait:
            self.reconnect()
            self._until(self._is_current, "the status is current with a bad spec")

    @rule(edit=EDITS)
    def edit_child(self, edit: tuple[str, str, dict[str, Any]]) -> None:
        kind, suffix, patch = edit
        self._try(lambda: self.namespace.patch_object(kind, self.name + suffix, patch))

    @rule(child=CHILD)
    def delete_child(self, child: tuple[str, str]) -> None:
        self._try(lambda: self.namespace.delete(child[0], self.name + child[1]))

    @rule(child=CHILD)
    def remove_owner(self, child: tuple[str, str]) -> None:
        """The operator no longer touches it, and says so, until somebody deletes it."""
        patch = {"metadata": {"ownerReferences": None}}
        self._try(lambda: self.namespace.patch_object(child[0], self.name + child[1], patch))
        self.ownerless.add(child)

    @rule(name=SECRET, value=st.integers(0, 9))
    def write_secret(self, name: str, value: int) -> None:
        self.namespace.secret(name, url=f"https://example.com/{value}")

    @rule(name=SECRET)
    def remove_label_of_secret(self, name: str) -> None:
        self._try(lambda: self.namespace.patch_object("Secret", name, {"metadata": {"labels": None}}))

    @rule(name=SECRET)
    def delete_secret(self, name: str) -> None:
        self._try(lambda: self.namespace.delete("Secret", name))

    @rule()
    def delete_and_recreate(self) -> None:
        self.namespace.delete("SergasMonitoring", self.name)
        self.namespace.create(self.spec, self.name)

    @rule()
    def restart_operator(self) -> None:
        self.reconnect()
        self.operator.stop()
        self.operator.start()

    @rule()
    def disconnect(self) -> None:
        """Until the next rule that reconnects, every event is lost."""
        self.proxy.cut()

    @rule()
    def reconnect(self) -> None:
        self.proxy.restore()

    @rule()
    def converge(self) -> None:
        self.reconnect()
        self._until(self._is_current, "the status is current")

    def teardown(self) -> None:
        """Repair what only a user can repair, and compare with a fresh SergasMonitoring."""
        if not hasattr(self, "name"):
            return
        self.reconnect()
        for name in (HOOK, CHAT):
            self.namespace.secret(name, url="https://example.com/last")
        for kind, suffix in self.ownerless:
            self._try(lambda kind=kind, suffix=suffix: self.namespace.delete(kind, self.name + suffix))
        good = [receiver for receiver in RECEIVERS if receiver["name"] in {r["name"] for r in self._receivers()}]
        self._patch({"paused": False, "mode": "Apply", "receivers": good})
        self.namespace.create(self.spec, self.twin)
        try:
            self._until(lambda: self._compared() is None, "it equals a fresh one")
        except AssertionError as error:
            raise AssertionError(f"{error}: {self._compared()}") from None
        self._reconciles_without_writes()
        for name in (self.name, self.twin):
            self.namespace.delete("SergasMonitoring", name)

    def _receivers(self) -> list[dict[str, Any]]:
        return list(self.spec.get("receivers") or ())

    def _patch(self, patch: dict[str, Any]) -> None:
        for key, value in patch.items():
            self.spec[key] = {**self.spec.get(key, {}), **value} if isinstance(value, dict) else value
        self.namespace.patch(patch, self.name)

    def _try(self, act: Callable[[], object]) -> None:
        """Do it unless the object does not exist at the moment."""
        try:
            act()
        except Refused as error:
            if error.status != 404:
                raise

    def _is_current(self, name: str = "") -> bool:
        body = self.namespace.get("SergasMonitoring", name or self.name)
        return bool((body.get("status") or {}).get("observedGeneration") == body["metadata"]["generation"])

    def _compared(self) -> str | None:
        """The first difference from the fresh one."""
        if not (self._is_current() and self._is_current(self.twin)):
            return "the status is not current"
        ours, fresh = (
            {"children": children(self.namespace, name), "conditions": conditions(self.namespace, name)}
            for name in (self.name, self.twin)
        )
        return difference(ours, fresh)

    def _reconciles_without_writes(self) -> None:
        """A reconcile that begins after everything that was due has ended writes nothing."""
        key = (self.namespace.name, self.name)
        self.operator.reconcile(key)
        since = self.namespace.control_plane.audit_size()
        self.operator.reconcile(key)
        assert self.namespace.control_plane.writes(self.namespace.name, since, events=True) == []

    def _until(self, holds: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + SECONDS
        while not holds():
            if time.monotonic() > deadline:
                raise AssertionError(
                    f"not within {SECONDS:g} s: {what}; conditions: {conditions(self.namespace, self.name)}"
                )
            time.sleep(0.02)
