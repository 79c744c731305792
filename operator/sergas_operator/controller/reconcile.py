"""One idempotent reconcile of one SergasMonitoring: read what exists, write what differs, report what runs.

Everything is read from the API server, so that a stale view never causes a write. A second reconcile of an unchanged
cluster writes nothing.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sergas_operator.cluster.api_server import Body
from sergas_operator.cluster.objects import CONFLICT, Cluster
from sergas_operator.controller import convergence
from sergas_operator.controller.convergence import Memory
from sergas_operator.desired.alertmanager_config import render
from sergas_operator.desired.digest import TOKEN_KEY
from sergas_operator.desired.inputs import Inputs
from sergas_operator.desired.receivers import Resolved, referenced_secrets, resolve
from sergas_operator.desired.registry import desired
from sergas_operator.errors import ApiError, InternalError, OperatorError
from sergas_operator.model import kinds, names
from sergas_operator.model.spec import Monitoring, Spec, identity, read
from sergas_operator.observed import state as states
from sergas_operator.observed.pods import Key, Pods
from sergas_operator.observed.state import State, read_secrets, read_state
from sergas_operator.reporting.events import events
from sergas_operator.reporting.observed import Change, Observed
from sergas_operator.reporting.rollout import available
from sergas_operator.reporting.status import failed_status, status
from sergas_operator.settings import Settings

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """The result of a reconcile. `problem` is what stopped it; it is in the status, and the reconcile is retried."""

    changes: tuple[Change, ...] = ()
    problem: OperatorError | None = None


class Reconciler:
    """Reconciles SergasMonitorings of one cluster."""

    def __init__(self, cluster: Cluster, pods: Pods, settings: Settings) -> None:
        self._cluster = cluster
        self._pods = pods
        self._settings = settings

    async def reconcile(self, key: Key, memory: Memory) -> Outcome | None:
        """Reconcile one SergasMonitoring; None when it does not exist.

        Raises:
            ApiError: the SergasMonitoring could not be read, or its status not written. Every other failure is
                reported in the status and returned.
        """
        try:
            state = await read_state(self._cluster, *key)
            if state is None:
                return None
            monitoring = read(state.body)
        except OperatorError as error:
            return await self._fail(key, error)
        except Exception as error:
            log.exception("the reconcile of %s/%s failed", *key)
            return await self._fail(key, InternalError(error))
        if memory.uid != monitoring.uid:
            memory.forget(monitoring.uid)
        memory.generation = monitoring.generation
        return await self._run(key, monitoring, state, memory)

    async def _run(self, key: Key, monitoring: Monitoring, state: State, memory: Memory) -> Outcome | None:
        changes: list[Change] = []
        try:
            observed = await self._converge(monitoring, state, memory, changes)
            observed = self._look(key, monitoring, observed)
            await self._report(key, state.body, monitoring, observed)
        except ApiError as error:
            if error.status == CONFLICT:
                # Something changed between read and write: a new reconcile reads it.
                raise
            return await self._fail(key, error, changes)
        except Exception as error:
            log.exception("the reconcile of %s/%s failed", *key)
            return await self._fail(key, InternalError(error), changes)
        done = tuple(observed.changes) if monitoring.spec.mode == "Apply" else ()
        return Outcome(done, observed.problem)

    async def _converge(self, monitoring: Monitoring, state: State, memory: Memory, changes: list[Change]) -> Observed:
        """Write the children, and return what is known of them afterwards. Refused writes are its `problem`."""
        # Before they are read: a Secret that changes meanwhile must trigger another reconcile.
        memory.secrets = referenced_secrets(monitoring)
        inputs, receivers = await self._inputs(monitoring, state, memory.secrets)
        observed = Observed(receivers=receivers, volumes=state.volumes, stateful_sets=state.stateful_sets)
        children = dict(state.children)
        try:
            states.check_ownership(monitoring, state)
            steps = convergence.plan(monitoring, desired(inputs), state, memory)
            if monitoring.spec.mode == "Plan":
                changes += [step.change for step in steps]
            elif not monitoring.spec.paused:
                written = await convergence.execute(steps, self._cluster, memory, changes)
                children = {child: body for child, body in {**children, **written}.items() if body}
        except OperatorError as error:
            if isinstance(error, ApiError) and error.status == CONFLICT:
                raise
            observed = replace(observed, problem=error)
        return self._known(monitoring, replace(state, children=children), observed, changes)

    async def _inputs(
        self, monitoring: Monitoring, state: State, wanted: frozenset[str]
    ) -> tuple[Inputs, tuple[Resolved, ...]]:
        found = await read_secrets(self._cluster, monitoring.namespace, wanted)
        known = states.last_good(monitoring, state)
        receivers = resolve(monitoring, found, known, self._settings.pagerduty_urls)
        token = known.get(TOKEN_KEY) or secrets.token_urlsafe(32).encode()
        inputs = Inputs(
            monitoring,
            self._settings,
            render(monitoring, receivers, token),
            claims=state.claims(),
            smallest_volume=state.smallest_volume(names.PROMETHEUS, monitoring.spec.prometheus.replicas),
        )
        return inputs, receivers

    def _known(self, monitoring: Monitoring, state: State, observed: Observed, changes: list[Change]) -> Observed:
        name = monitoring.name
        config = state.child(kinds.SECRET, names.config_secret(name)) or {"metadata": {}}
        annotations = config["metadata"].get("annotations") or {}
        return replace(
            observed,
            prometheus=state.child(kinds.PROMETHEUS, names.resource(name)),
            alertmanager=state.child(kinds.ALERTMANAGER, names.resource(name)),
            digest=state.child(kinds.STATEFUL_SET, names.digest(name)),
            config_hash=annotations.get(names.CONFIG_HASH_ANNOTATION, ""),
            changes=tuple(changes),
            deletion_policy=states.deletion_policy(monitoring, state),
        )

    def _look(self, key: Key, monitoring: Monitoring, observed: Observed) -> Observed:
        """Add the newest evidence of the pods, and ask them again."""
        running = bool(available(observed.alertmanager) or available(observed.prometheus))
        self._pods.ask(key, monitoring.uid, observed.config_hash, running=running)
        return replace(observed, evidence=self._pods.evidence(key, monitoring.uid))

    async def _report(self, key: Key, body: Body, monitoring: Monitoring, observed: Observed) -> None:
        before = body.get("status") or {}
        current = before.get("observedGeneration") == monitoring.generation
        if current and not observed.changes and not observed.problem and self._pods.awaited(key):
            # After a restart nothing is known of the pods yet. Their answer triggers a reconcile that writes the status
            # if it changed; until then the previous status is the best evidence there is.
            return
        now = _now()
        found = status(monitoring, observed, before, now)
        done = observed.changes if monitoring.spec.mode == "Apply" else ()
        await self._write_status(body, found, done, now)

    async def _fail(self, key: Key, problem: OperatorError, changes: Sequence[Change] = ()) -> Outcome | None:
        """Report a reconcile that failed. None when the SergasMonitoring is gone."""
        body = await self._cluster.get(kinds.SERGAS_MONITORING, *key)
        if body is None:
            return None
        now = _now()
        found = failed_status(identity(body, Spec()), problem, body.get("status") or {}, now)
        await self._write_status(body, found, changes, now)
        return Outcome(tuple(changes), problem)

    async def _write_status(self, body: Body, found: Body, changes: Sequence[Change], now: str) -> None:
        """Write the status if it changed, and the Events about what changed. Events that fail are only logged."""
        metadata = body["metadata"]
        if found != (body.get("status") or {}):
            await self._cluster.apply_status(metadata["namespace"], metadata["name"], metadata["uid"], found)
        for event in events(body, found, changes, now):
            try:
                await self._cluster.post_event(event)
            except ApiError as error:
                log.warning("an Event was not posted: %s", error)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
