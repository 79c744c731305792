"""Asks the pods what they run. This happens outside of the reconcile, so that a pod that does not answer holds no
worker: a reconcile uses the newest evidence there is, and new evidence triggers another one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import msgspec

from sergas_operator.cluster.api_server import Body
from sergas_operator.cluster.objects import Cluster
from sergas_operator.desired.alertmanager_config import loaded_hash
from sergas_operator.errors import ApiError
from sergas_operator.model import kinds, names
from sergas_operator.supervision import log

Key = tuple[str, str]  # namespace, name

ANSWER_SECONDS = 2.0
# Waits between questions while an answer is not what is expected, doubling from the first to the last.
FIRST_WAIT_SECONDS, LAST_WAIT_SECONDS = 1.0, 60.0
# SergasMonitorings whose pods are asked at the same time.
CONCURRENCY = 16


@dataclass(frozen=True)
class Evidence:
    """What the pods of one SergasMonitoring answered.

    Attributes:
        loaded: per Alertmanager pod that is ready, the hash of its configuration; None when it did not answer.
        starting: Alertmanager pods that are not ready, which are not asked.
        discovered: the smallest number of Alertmanagers that a ready Prometheus has discovered; None when unknown.
        targets: the largest number of targets that a ready Prometheus scrapes; None when unknown.
        monitors: whether a ServiceMonitor exists in the namespace.
        endpoints: ready addresses behind the Service of each part that has a ready pod.
    """

    loaded: tuple[str | None, ...] = ()
    starting: int = 0
    discovered: int | None = None
    targets: int | None = None
    monitors: bool = False
    endpoints: dict[str, int] = field(default_factory=dict)

    def complete(self, expected: str) -> bool:
        """Whether everything runs as it should, so that there is no need to ask again soon."""
        return (
            bool(self.loaded)
            and set(self.loaded) == {expected}
            and not self.starting
            and self.discovered != 0
            and not (self.monitors and self.targets == 0)
            and all(self.endpoints.values())
        )


@dataclass
class _Asked:
    uid: str
    evidence: Evidence = field(default_factory=Evidence)
    expected: str = ""
    failures: int = 0
    answered: bool = False
    task: asyncio.Task[None] | None = None
    again: bool = False


class Pods:
    """Collects evidence per SergasMonitoring and calls `changed` when it is the first or differs from before."""

    def __init__(self, cluster: Cluster, changed: Callable[[Key], None]) -> None:
        self._cluster = cluster
        self._changed = changed
        self._asked: dict[Key, _Asked] = {}
        self._slots = asyncio.Semaphore(CONCURRENCY)
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS), trust_env=False)

    async def close(self) -> None:
        """Stop asking."""
        for key in list(self._asked):
            self.forget(key)
        await self._session.close()

    def forget(self, key: Key) -> None:
        """Drop the evidence of a SergasMonitoring."""
        asked = self._asked.pop(key, None)
        if asked and asked.task:
            asked.task.cancel()

    def evidence(self, key: Key, uid: str) -> Evidence:
        """The newest evidence."""
        asked = self._asked.get(key)
        return asked.evidence if asked and asked.uid == uid else Evidence()

    def awaited(self, key: Key) -> bool:
        """Whether the first evidence is being collected. `changed` is called when that has ended, also in an error."""
        asked = self._asked.get(key)
        return bool(asked and asked.task and not asked.answered)

    def ask(self, key: Key, uid: str, expected: str, *, running: bool) -> None:
        """Ask the pods, in the background.

        Args:
            key: the SergasMonitoring.
            uid: its uid.
            expected: the hash of the configuration that Alertmanager should load. Pods are asked again until they
                report it, with growing waits.
            running: whether any replica is available. Without one there is nobody to ask.
        """
        asked = self._asked.get(key)
        if asked is None or asked.uid != uid:
            self.forget(key)
            asked = self._asked[key] = _Asked(uid)
        if asked.expected != expected:
            asked.expected, asked.failures = expected, 0
            if asked.task:
                asked.task.cancel()
                asked.task = None
        if asked.task and not asked.task.done():
            asked.again = True
        elif running or asked.evidence != Evidence():
            asked.task = asyncio.create_task(self._collect(key, asked), name=f"pods of {key[0]}/{key[1]}")

    async def _collect(self, key: Key, asked: _Asked) -> None:
        while True:
            asked.again = False
            try:
                async with self._slots:
                    found = await self._answers(*key)
            except ApiError as error:
                log.warning("%s/%s: %s", *key, error)
                found = asked.evidence
            if found != asked.evidence or not asked.answered:
                asked.evidence, asked.answered = found, True
                self._changed(key)
            if found.complete(asked.expected) and not asked.again:
                asked.failures = 0
                return
            wait = min(FIRST_WAIT_SECONDS * 2**asked.failures, LAST_WAIT_SECONDS)
            asked.failures = min(asked.failures + 1, 10)
            await asyncio.sleep(wait)

    async def _answers(self, namespace: str, name: str) -> Evidence:
        parts = (names.ALERTMANAGER, names.PROMETHEUS)
        found, slices, monitors = await asyncio.gather(
            asyncio.gather(*(self._cluster.list_objects(kinds.POD, namespace, f"{part}={name}") for part in parts)),
            asyncio.gather(*(self._endpoint_slices(namespace, f"{name}-{part}") for part in parts)),
            self._cluster.list_objects(kinds.SERVICE_MONITOR, namespace, limit=1),
        )
        ready = {part: [_address(pod) for pod in pods if _ready(pod)] for part, pods in zip(parts, found, strict=True)}
        endpoints = {part: _endpoints(listed) for part, listed in zip(parts, slices, strict=True) if ready[part]}
        loaded, counts = await asyncio.gather(
            asyncio.gather(*(self._loaded(address) for address in ready[names.ALERTMANAGER])),
            asyncio.gather(*(self._counts(address) for address in ready[names.PROMETHEUS])),
        )
        known = [count for count in counts if count]
        return Evidence(
            loaded=tuple(loaded),
            starting=len(found[0]) - len(loaded),
            discovered=min((discovered for discovered, _ in known), default=None),
            targets=max((targets for _, targets in known), default=None),
            monitors=bool(monitors),
            endpoints=endpoints,
        )

    async def _endpoint_slices(self, namespace: str, service: str) -> list[Body]:
        return await self._cluster.list_objects(
            kinds.ENDPOINT_SLICE, namespace, f"kubernetes.io/service-name={service}"
        )

    async def _loaded(self, address: str) -> str | None:
        answer = await self._get(f"http://{address}:9093/api/v2/receivers")
        try:
            return loaded_hash(str(receiver["name"]) for receiver in answer)
        except (KeyError, TypeError):
            return None

    async def _counts(self, address: str) -> tuple[int, int] | None:
        """Discovered Alertmanagers and scraped targets of one Prometheus."""
        discovered, targets = await asyncio.gather(
            self._get(f"http://{address}:9090/api/v1/alertmanagers"),
            self._get(f"http://{address}:9090/api/v1/query?query=count(up)"),
        )
        try:
            result = targets["data"]["result"]
            return len(discovered["data"]["activeAlertmanagers"]), int(result[0]["value"][1]) if result else 0
        except (KeyError, IndexError, TypeError, ValueError):
            return None

    async def _get(self, url: str) -> Any:
        """The decoded answer, None when there is none."""
        try:
            async with self._session.get(url) as answer:
                answer.raise_for_status()
                return msgspec.json.decode(await answer.read())
        except (TimeoutError, aiohttp.ClientError, OSError, msgspec.DecodeError):
            return None


def _address(pod: Body) -> str:
    address = str(pod["status"]["podIP"])
    return f"[{address}]" if ":" in address else address


def _ready(pod: Body) -> bool:
    status = pod.get("status") or {}
    conditions = {condition["type"]: condition["status"] for condition in status.get("conditions") or ()}
    deleted = bool(pod["metadata"].get("deletionTimestamp"))
    return bool(status.get("podIP")) and conditions.get("Ready") == "True" and not deleted


def _endpoints(slices: Sequence[Body]) -> int:
    found = [endpoint for one in slices for endpoint in one.get("endpoints") or ()]
    # A condition that is missing means ready: https://kubernetes.io/docs/concepts/services-networking/endpoint-slices
    return sum((endpoint.get("conditions") or {}).get("ready") is not False for endpoint in found)
