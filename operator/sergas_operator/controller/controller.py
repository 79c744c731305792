"""The controller: which SergasMonitorings exist, what triggers their reconcile, and the loops that keep it going."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from sergas_operator import metrics
from sergas_operator.cluster.api_server import ApiServer
from sergas_operator.cluster.objects import CONFLICT, NOT_FOUND, Cluster
from sergas_operator.controller.convergence import Memory
from sergas_operator.controller.health import Health, symptoms
from sergas_operator.controller.lease import NamespaceLease
from sergas_operator.controller.reconcile import Outcome, Reconciler
from sergas_operator.controller.watches import ChildWatch, owner_name
from sergas_operator.controller.workqueue import Key, RetryError, Workqueue
from sergas_operator.desired.registry import WATCHED
from sergas_operator.errors import ApiError
from sergas_operator.model import kinds
from sergas_operator.model.kinds import Kind
from sergas_operator.observed.pods import Pods
from sergas_operator.settings import Settings
from sergas_operator.supervision import supervise

log = logging.getLogger(__name__)

HEALTH_SECONDS = 2.0
RETRY_SECONDS = 10.0
WATCHES_SECONDS = 10.0
CONFLICT_SECONDS = 0.2


class Controller:
    """The running controller."""

    def __init__(self, settings: Settings, cluster: Cluster, health: Health) -> None:
        self.settings = settings
        self.health = health
        self.queue = Workqueue(self.reconcile, settings.workers)
        self._cluster = cluster
        self._pods = Pods(cluster, self.queue.add)
        self._reconciler = Reconciler(cluster, self._pods, settings)
        self._memories: dict[Key, Memory] = {}
        # Of each running reconcile, the uid and generation that an event announced meanwhile.
        self._announced: dict[Key, tuple[str, int] | None] = {}
        self._readers: dict[tuple[str, str], set[Key]] = defaultdict(set)
        self._leases = {
            namespace: NamespaceLease(cluster, namespace, settings.identity, self._acquired)
            for namespace in settings.namespaces
        }
        self._listed: dict[str, float] = {}
        self._started = time.monotonic()
        self._tasks: list[asyncio.Task[None]] = []

    @classmethod
    async def connect(cls, settings: Settings, health: Health) -> Controller:
        """Connect to the API server, and complete the settings from the operator's own pod."""
        cluster = Cluster(await ApiServer.connect())
        return cls(await _with_own_image(settings, cluster), cluster, health)

    async def start(self) -> None:
        """Wait until the API server serves every kind, and start to work."""
        self._spawn("the health check", self._check_health)
        await self._wait_for_kinds()
        watches = [
            ChildWatch(self._cluster, kind, namespace, selector, self.child_changed, self._interrupted)
            for namespace in self._leases
            for kind, selector in WATCHED.items()
        ]
        for watch in watches:
            self._spawn(f"the watch of {watch.kind.plural} in {watch.namespace}", watch.run)
        await self._wait_for_watches(watches)
        for namespace, lease in self._leases.items():
            self._spawn(f"the Lease of {namespace}", lease.run)
        self._spawn("the queue", self.queue.run)
        self._spawn("the resync", self._resync)

    async def stop(self) -> None:
        """End the work, release the namespaces and close the connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(lease.release() for lease in self._leases.values()))
        await self._pods.close()
        await self._cluster.close()

    def monitoring_changed(self, body: Mapping[str, Any]) -> None:
        """Handle an event about a SergasMonitoring. A change of its status alone needs no reconcile.

        A deletion is only a trigger as well: the reconcile finds out whether the object is gone, or a new one of this
        name exists already.
        """
        metadata = body["metadata"]
        key = (metadata["namespace"], metadata["name"])
        seen = (metadata["uid"], metadata["generation"])
        if key in self._announced:
            # A reconcile is running. When it ends, it is known whether it has read this generation.
            self._announced[key] = seen
        elif seen != self._reconciled(key):
            self.queue.add(key)

    def monitoring_deleted(self, body: Mapping[str, Any]) -> None:
        """Handle the deletion of a SergasMonitoring."""
        self.queue.add((body["metadata"]["namespace"], body["metadata"]["name"]))

    def child_changed(self, kind: Kind, metadata: Mapping[str, Any]) -> None:
        """Handle an event about a child or a Secret that receivers refer to. Our own writes need no reconcile."""
        namespace, name = metadata["namespace"], metadata["name"]
        readers = self._readers.get((namespace, name), ()) if kind is kinds.SECRET else ()
        for key in readers:
            self.queue.add(key)
        key = (namespace, owner_name(dict(metadata)))
        memory = self._memories.get(key)
        if memory and memory.written.get((kind.name, name)) != metadata["resourceVersion"]:
            self.queue.add(key)

    async def reconcile(self, key: Key) -> float | None:
        """Reconcile one SergasMonitoring and return the seconds until its next resync.

        Raises:
            RetryError: the reconcile failed; it has been reported.
        """
        if not self._leases[key[0]].held:
            return None
        began = time.perf_counter()
        memory = self._memories.setdefault(key, Memory())
        before = memory.secrets
        self._announced[key] = None
        try:
            outcome = await self._reconciler.reconcile(key, memory)
        except ApiError as error:
            if error.status in (CONFLICT, NOT_FOUND):
                # Another write came first, or the object was deleted meanwhile: read everything again.
                log.info("%s/%s: %s; it is read again", *key, error)
                return CONFLICT_SECONDS
            self._failed(key, error.reason, str(error))
            raise RetryError from error
        finally:
            if self._announced.pop(key) not in (None, self._reconciled(key)):
                self.queue.add(key)
            self._refer(key, before, memory.secrets)
            metrics.RECONCILE_SECONDS.observe(time.perf_counter() - began)
        if outcome is None:
            self._forget(key)
            return None
        return self._finished(key, outcome)

    def _reconciled(self, key: Key) -> tuple[str, int]:
        """The uid and the generation that the last reconcile read."""
        memory = self._memories.get(key, Memory())
        return memory.uid, memory.generation

    def _finished(self, key: Key, outcome: Outcome) -> float:
        metrics.MONITORINGS.set(len(self._memories))
        for change in outcome.changes:
            fields = f" ({', '.join(change.fields)})" if change.fields else ""
            log.info("%s/%s: %sd %s %s%s", *key, change.action.lower(), change.kind, change.name, fields)
        if outcome.problem:
            self._failed(key, outcome.problem.reason, str(outcome.problem))
            raise RetryError
        metrics.RECONCILES.labels("success").inc()
        metrics.LAST_SUCCESS.set_to_current_time()
        # Spread, so that the resyncs of many resources do not coincide.
        return self.settings.resync_seconds * random.uniform(0.9, 1.1)  # noqa: S311  # not for security

    def _failed(self, key: Key, reason: str, message: str) -> None:
        metrics.RECONCILES.labels("error").inc()
        metrics.ERRORS.labels(reason).inc()
        log.warning("%s/%s: %s", *key, message)

    def _refer(self, key: Key, before: frozenset[str], now: frozenset[str]) -> None:
        for name in before - now:
            readers = self._readers[(key[0], name)]
            readers.discard(key)
            if not readers:
                del self._readers[(key[0], name)]
        for name in now - before:
            self._readers[(key[0], name)].add(key)

    def _forget(self, key: Key) -> None:
        memory = self._memories.pop(key, None)
        self._refer(key, memory.secrets if memory else frozenset(), frozenset())
        self._pods.forget(key)
        metrics.MONITORINGS.set(len(self._memories))

    def _acquired(self, namespace: str) -> None:
        log.info("this operator serves the namespace %s", namespace)
        self._listed.pop(namespace, None)
        # Another release may have served the known ones meanwhile.
        self._interrupted(namespace)

    def _interrupted(self, namespace: str) -> None:
        for key in self._memories:
            if key[0] == namespace:
                self.queue.add(key)

    def _spawn(self, name: str, loop: Any) -> None:
        self._tasks.append(asyncio.create_task(supervise(name, loop), name=name))

    async def _wait_for_watches(self, watches: Iterable[ChildWatch]) -> None:
        """Wait until all watches have started, because each that starts later causes a reconcile of everything.

        One that cannot start must not keep the others from being of use: the supervisor logs why and tries again.
        """
        try:
            async with asyncio.timeout(WATCHES_SECONDS):
                await asyncio.gather(*(watch.started.wait() for watch in watches))
        except TimeoutError:
            log.warning("not every watch has started: SergasMonitorings are reconciled without waiting for them")

    async def _wait_for_kinds(self) -> None:
        while True:
            try:
                missing = await self._cluster.missing_kinds()
                if not missing:
                    return
                log.warning(
                    "the API server does not serve %s: install the CRDs of this chart and of the Prometheus Operator; "
                    "the operator checks again in %d s",
                    ", ".join(missing),
                    RETRY_SECONDS,
                )
            except ApiError as error:
                log.warning("%s; the operator checks again in %d s", error, RETRY_SECONDS)
            self._started = time.monotonic()
            await asyncio.sleep(RETRY_SECONDS)

    async def _resync(self) -> None:
        """List the SergasMonitorings of every namespace again and again, and reconcile those that no event announced.

        Known ones are resynced one by one: each reconcile schedules the next.
        """
        while True:
            for namespace, lease in self._leases.items():
                due = self._listed.get(namespace, float("-inf")) + self.settings.resync_seconds
                if lease.held and time.monotonic() >= due:
                    for name in await self._cluster.list_names(kinds.SERGAS_MONITORING, namespace):
                        if (namespace, name) not in self._memories:
                            self.queue.add((namespace, name))
                    self._listed[namespace] = time.monotonic()
            await asyncio.sleep(min(1.0, self.settings.resync_seconds))

    async def _check_health(self) -> None:
        while True:
            oldest = min((self._listed.get(namespace, self._started) for namespace in self._leases), default=0.0)
            waiting = [lease.refusal() for lease in self._leases.values() if lease.holder and not lease.held]
            self.health.waiting = waiting or [
                f"the namespace {namespace} has not been listed yet"
                for namespace in self._leases
                if namespace not in self._listed
            ]
            found = symptoms(
                lateness=self.queue.lateness(),
                since_resync=0.0 if waiting else time.monotonic() - oldest,
                resync_seconds=self.settings.resync_seconds,
            )
            self.health.report(found)
            await asyncio.sleep(HEALTH_SECONDS if self._listed else 0.1)


async def _with_own_image(settings: Settings, cluster: Cluster) -> Settings:
    """Return the settings with the digest's image: that of the operator's own pod, however it was rewritten."""
    if settings.digest_image or settings.pod is None:
        return settings
    pod = await cluster.get(kinds.POD, *settings.pod)
    containers = pod["spec"]["containers"] if pod else []
    image = next((str(found["image"]) for found in containers if found["name"] == "operator"), "")
    if not image:
        raise ApiError(
            0, f"get Pod {'/'.join(settings.pod)}", "it has no container `operator`: set SERGAS_DIGEST_IMAGE"
        )
    return replace(settings, digest_image=image)
