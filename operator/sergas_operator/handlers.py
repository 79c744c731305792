"""kopf's triggers: every one of them only asks the queue for a pass, and one reconcile does the work."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import kopf

from sergas_operator import metrics
from sergas_operator.cluster import KINDS, Cluster, in_cluster
from sergas_operator.errors import ApiError
from sergas_operator.health import Health, symptoms
from sergas_operator.names import DIGEST, INSTANCE, MANAGED_BY, MANAGER, NAME, PART_OF, PRODUCT
from sergas_operator.reconcile import Outcome, reconcile, secrets_of
from sergas_operator.settings import Settings
from sergas_operator.spec import GROUP, KIND
from sergas_operator.workqueue import Key, RetryError, Workqueue

log = logging.getLogger(__name__)

BEAT_SECONDS = 2.0
RETRY_SECONDS = 10.0
NOT_FOUND = 404
# Kinds whose objects are watched only where they carry our label. Secrets are not among them: users' are
# read as well.
OURS = f"{MANAGED_BY}={MANAGER}"
LABELLED = {
    "Prometheus": OURS,
    "Alertmanager": OURS,
    "Service": OURS,
    "PodDisruptionBudget": OURS,
    # prometheus-operator copies our labels to its own StatefulSets.
    "StatefulSet": f"{OURS},{NAME}={DIGEST}",
    "PersistentVolumeClaim": f"{PART_OF}={PRODUCT}",
}


class Operator:
    """The running operator: its cluster, its queue, and which Secret matters to whom."""

    def __init__(self, settings: Settings, health: Health | None = None) -> None:
        self.settings = settings
        self.health = health or Health()
        self.queue = Workqueue(self.pass_over, settings.workers)
        self._cluster: Cluster | None = None
        self._generations: dict[Key, tuple[str, int]] = {}
        self._secrets: dict[Key, frozenset[str]] = {}
        self._readers: dict[tuple[str, str], set[Key]] = defaultdict(set)
        self._tasks: list[asyncio.Task[None]] = []
        self._resynced = time.monotonic()

    @property
    def cluster(self) -> Cluster:
        """The cluster, once `start` has connected."""
        if self._cluster is None:
            raise RuntimeError("the operator has not started")
        return self._cluster

    async def start(self) -> None:
        """Connects, waits until the API server serves every kind, and begins to work."""
        self._cluster = await Cluster.connect()
        self._tasks.append(asyncio.create_task(self._beat(), name="beat"))
        await self._wait_for_kinds()
        self._resynced = time.monotonic()
        self._tasks.append(asyncio.create_task(self.queue.run(), name="queue"))
        self._tasks.append(asyncio.create_task(self._resync(), name="resync"))

    async def stop(self) -> None:
        """Ends the work and closes the connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._cluster:
            await self._cluster.close()

    def monitoring_event(self, event: str | None, body: Mapping[str, Any]) -> None:
        """A SergasMonitoring changed. A change to its status alone, our own above all, asks for nothing."""
        self.cluster.observe(KIND, event, body)
        metadata = body["metadata"]
        key = (metadata["namespace"], metadata["name"])
        if event == "DELETED":
            self._forget(key)
        elif self._generations.get(key) != _generation(body):
            self._know(key, _generation(body))
            self.queue.add(key)

    def child_event(self, kind: str, event: str | None, body: Mapping[str, Any]) -> None:
        """A child changed, by our hand or another's; the pass finds out. One that is gone is worth asking
        whose it was.
        """
        news = self.cluster.observe(kind, event, body)
        instance = (body["metadata"].get("labels") or {}).get(INSTANCE)
        if instance and (news or kind == "PersistentVolumeClaim"):
            self.queue.add((body["metadata"]["namespace"], instance), live=event == "DELETED")

    def secret_event(self, event: str | None, body: Mapping[str, Any]) -> None:
        """A Secret changed: one of our children, or one that receivers refer to."""
        metadata = body["metadata"]
        if (metadata.get("labels") or {}).get(MANAGED_BY) == MANAGER:
            self.child_event("Secret", event, body)
            return
        # Without a reader it may still be in the cache, and must not grow stale there.
        self.cluster.observe("Secret", event, body)
        for key in self._readers.get((metadata["namespace"], metadata["name"]), ()):
            self.queue.add(key)

    async def pass_over(self, key: Key, live: bool) -> float | None:
        """One pass over a SergasMonitoring; raises RetryError when it is to be tried again."""
        began = time.perf_counter()
        try:
            body = await self.cluster.get(KIND, *key, live=live)
            if body is None or body["metadata"].get("deletionTimestamp"):
                self._forget(key)
                return None
            # A pass that the first resync asked for may come before the watch's word.
            self._know(key, self._generations.get(key) or _generation(body))
            # Before the pass reads them: a Secret that changes meanwhile must find its way back here.
            self._refer(key, secrets_of(body))
            outcome = await reconcile(body, self.cluster, self.settings, live=live)
        except ApiError as error:
            if error.status == NOT_FOUND:
                # Deleted between the read and the report: the next pass finds it gone.
                self.queue.add(key, live=True)
                return None
            self._failed(key, error.reason, str(error))
            raise RetryError from error
        finally:
            metrics.RECONCILE_SECONDS.observe(time.perf_counter() - began)
        return self._finished(key, outcome)

    def _finished(self, key: Key, outcome: Outcome) -> float | None:
        for change in outcome.changes:
            fields = f" ({', '.join(change.fields)})" if change.fields else ""
            log.info("%s/%s: %sd %s %s%s", *key, change.action.lower(), change.kind, change.name, fields)
        if outcome.problem:
            self._failed(key, outcome.problem.reason, str(outcome.problem))
            raise RetryError
        metrics.RECONCILES.labels("success").inc()
        metrics.LAST_SUCCESS.set_to_current_time()
        return outcome.look_again

    def _failed(self, key: Key, reason: str, message: str) -> None:
        metrics.RECONCILES.labels("error").inc()
        metrics.ERRORS.labels(reason).inc()
        log.warning("%s/%s: %s", *key, message)

    def _refer(self, key: Key, secrets: frozenset[str]) -> None:
        for name in self._secrets.get(key, frozenset()) - secrets:
            readers = self._readers[(key[0], name)]
            readers.discard(key)
            if not readers:
                del self._readers[(key[0], name)]
                self.cluster.cache.forget(("Secret", key[0], name))
        for name in secrets:
            self._readers[(key[0], name)].add(key)
        self._secrets[key] = secrets

    def _know(self, key: Key, generation: tuple[str, int]) -> None:
        self._generations[key] = generation
        metrics.MONITORINGS.set(len(self._generations))

    def _forget(self, key: Key) -> None:
        self._refer(key, frozenset())
        self._secrets.pop(key, None)
        self._generations.pop(key, None)
        metrics.MONITORINGS.set(len(self._generations))
        self.queue.forget(key)

    async def _wait_for_kinds(self) -> None:
        while True:
            try:
                missing = await self.cluster.missing_kinds()
                if not missing:
                    return
                log.warning(
                    "the API server does not serve %s: install the CRDs of this chart and of the Prometheus Operator; "
                    "looking again in %d s",
                    ", ".join(missing),
                    RETRY_SECONDS,
                )
            except ApiError as error:
                log.warning("%s; trying again in %d s", error, RETRY_SECONDS)
            self._resynced = time.monotonic()
            await asyncio.sleep(RETRY_SECONDS)

    async def _resync(self) -> None:
        """Compares every SergasMonitoring with the live cluster, and so finds what a watch has missed."""
        while True:
            try:
                for namespace in self.settings.namespaces:
                    await self._list(namespace)
                self._resynced = time.monotonic()
                self.health.ready = True
                await asyncio.sleep(self.settings.resync_seconds)
            except ApiError as error:
                log.warning("the resync failed: %s; trying again in %d s", error, RETRY_SECONDS)
                await asyncio.sleep(RETRY_SECONDS)

    async def _list(self, namespace: str) -> None:
        for body in await self.cluster.list_objects(KIND, namespace):
            key = (namespace, body["metadata"]["name"])
            self.queue.add(key, live=key in self._generations)

    async def _beat(self) -> None:
        while True:
            debt, awaited = self.cluster.cache.oldest_debt()
            found = symptoms(
                debt=debt,
                awaited=" ".join(awaited or ()),
                lateness=self.queue.lateness(),
                since_resync=time.monotonic() - self._resynced,
                resync_seconds=self.settings.resync_seconds,
            )
            self.health.beat(found)
            await asyncio.sleep(BEAT_SECONDS)


def _generation(body: Mapping[str, Any]) -> tuple[str, int]:
    # With the uid: an object that was deleted and made again begins at generation 1 again.
    return body["metadata"]["uid"], body["metadata"]["generation"]


def registry(operator: Operator) -> kopf.OperatorRegistry:
    """The handlers for `operator`. None of them is a deletion handler, a timer or a daemon: those add
    finalizers.
    """
    found = kopf.OperatorRegistry()

    @kopf.on.startup(registry=found)
    async def start(settings: kopf.OperatorSettings, **_: Any) -> None:
        configure(settings)
        await operator.start()

    @kopf.on.cleanup(registry=found)
    async def stop(**_: Any) -> None:
        await operator.stop()

    @kopf.on.login(registry=found)
    def login(**kwargs: Any) -> kopf.ConnectionInfo | None:
        return kopf.login_with_service_account(**kwargs) if in_cluster() else kopf.login_with_kubeconfig(**kwargs)

    @kopf.on.event(*KINDS[KIND], registry=found)
    async def monitoring(event: kopf.RawEvent, **_: Any) -> None:
        operator.monitoring_event(event["type"], event["object"])

    @kopf.on.event(*KINDS["Secret"][1:], registry=found)
    async def secret(event: kopf.RawEvent, **_: Any) -> None:
        operator.secret_event(event["type"], event["object"])

    for kind in LABELLED:
        _watch_children(found, operator, kind)
    return found


def _watch_children(found: kopf.OperatorRegistry, operator: Operator, kind: str) -> None:
    @kopf.on.event(*filter(None, KINDS[kind]), registry=found, id=kind.lower())
    async def child(event: kopf.RawEvent, **_: Any) -> None:
        operator.child_event(kind, event["type"], event["object"])


def configure(settings: kopf.OperatorSettings) -> None:
    """Sets kopf up."""
    # The namespaces are given and the CRDs waited for: no cluster-wide rights are needed to scan for them.
    settings.scanning.disabled = True
    # The API server ends a watch after ten minutes; a connection that outlives that is dead.
    settings.watching.server_timeout = 600
    settings.watching.client_timeout = 660
    settings.posting.enabled = False
    settings.persistence.finalizer = f"{GROUP}/finalizer"
    settings.persistence.progress_storage = kopf.AnnotationsProgressStorage(prefix=GROUP)
    settings.persistence.diffbase_storage = kopf.AnnotationsDiffBaseStorage(prefix=GROUP)
    for kind, selector in LABELLED.items():
        group, version, plural = KINDS[kind]
        key = (group, version, plural) if group else (version, plural)
        settings.watching.label_selectors[key] = selector


async def run(operator: Operator, stop: asyncio.Event | None = None) -> None:
    """Serves the namespaces in the operator's settings until `stop` is set or the process is told to end."""
    await kopf.operator(
        registry=registry(operator),
        standalone=True,
        namespaces=operator.settings.namespaces,
        stop_flag=stop,
    )
