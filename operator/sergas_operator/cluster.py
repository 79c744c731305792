"""The cluster, and the only module that knows the Kubernetes client.

Reads are answered from the cache where watches keep it fresh. Writes are server-side apply with one field
manager.
"""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp

# The client comes without types: hence the ignores of calls into it below.
from kubernetes.aio import client, config
from kubernetes.aio.dynamic import DynamicClient, Resource

from sergas_operator import alertmanagers, metrics
from sergas_operator.cache import Body, Cache, Key, trimmed
from sergas_operator.errors import ApiError
from sergas_operator.names import MANAGED_BY, MANAGER, volume_labels
from sergas_operator.spec import GROUP, KIND, VERSION

log = logging.getLogger(__name__)

REQUEST_SECONDS = 15
NOT_FOUND, CONFLICT, INVALID = 404, 409, 422
EVENT_MESSAGE_LENGTH = 1024
SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")

# The kinds this operator touches: API group, version, and the name in URLs.
KINDS: dict[str, tuple[str, str, str]] = {
    KIND: (GROUP, VERSION, "sergasmonitorings"),
    "Prometheus": ("monitoring.coreos.com", "v1", "prometheuses"),
    "Alertmanager": ("monitoring.coreos.com", "v1", "alertmanagers"),
    "Secret": ("", "v1", "secrets"),
    "Service": ("", "v1", "services"),
    "PodDisruptionBudget": ("policy", "v1", "poddisruptionbudgets"),
    "StatefulSet": ("apps", "v1", "statefulsets"),
    "PersistentVolumeClaim": ("", "v1", "persistentvolumeclaims"),
    "Pod": ("", "v1", "pods"),
    "Event": ("", "v1", "events"),
}
CHILDREN = ("Secret", "Alertmanager", "Prometheus", "Service", "PodDisruptionBudget", "StatefulSet")
# Children whose watches are told only of objects with our label; users' Secrets are watched as well.
FILTERED = ("Alertmanager", "Prometheus", "Service", "PodDisruptionBudget", "StatefulSet")
CUSTOM = (KIND, "Prometheus", "Alertmanager")


class Cluster:
    """One API server. Errors come out as ApiError, naming verb, kind and object."""

    def __init__(self, api: client.ApiClient, cache: Cache | None = None) -> None:
        self.cache = cache or Cache()
        self._api = api
        self._dynamic = DynamicClient(api)  # type: ignore[no-untyped-call]
        self._resources = {kind: _resource(kind, self._dynamic) for kind in KINDS}

    @classmethod
    async def connect(cls) -> Cluster:
        """A cluster from KUBECONFIG, or from the pod's service account where there is one."""
        configuration = client.Configuration()
        # The API server is reached directly, as kopf does: a look for proxies would cost every request a thread.
        configuration.client_session_kwargs = {"trust_env": False}
        if in_cluster():
            config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
        else:
            await config.load_kube_config(  # type: ignore[no-untyped-call]
                config_file=os.environ.get("KUBECONFIG"),
                client_configuration=configuration,
                persist_config=False,
            )
        return cls(client.ApiClient(configuration))

    async def close(self) -> None:
        """Closes the connections."""
        await self._api.close()  # type: ignore[no-untyped-call]

    async def get(self, kind: str, namespace: str, name: str, *, live: bool = False) -> Body | None:
        """An object, or None when there is none. `live` asks the API server even when the object is known."""
        key = (kind, namespace, name)
        if not live and (known := self.cache.get(key)):
            return known
        self.cache.track(key)
        try:
            body = await self._request("get", kind, namespace, name)
        except ApiError as error:
            if error.status != NOT_FOUND:
                raise
            self.cache.gone(key)
            return None
        if kind in FILTERED and not _labelled(body):
            # No watch will ever tell of it.
            self.cache.forget(key)
            return trimmed(body)
        self.cache.answered(key, body, written=False)
        return self.cache.get(key) or body

    async def list_objects(self, kind: str, namespace: str, labels: Mapping[str, str] | None = None) -> list[Body]:
        """Objects of a kind that carry all of `labels`, live."""
        selector = ",".join(f"{name}={value}" for name, value in (labels or {}).items())
        answer = await self._request("list", kind, namespace, "", label_selector=selector or None)
        return list(answer.get("items") or ())

    async def apply(self, desired: Mapping[str, Any], *, created: bool) -> Body:
        """Makes a child what `desired` says, taking its fields over from whoever set them.

        A list the API server merges by key can end up invalid that way, such as two Service ports of one
        name after someone renumbered ours: it is then replaced as a whole.
        """
        kind, metadata = desired["kind"], desired["metadata"]
        namespace, name = metadata["namespace"], metadata["name"]
        try:
            body = await self._request("apply", kind, namespace, name, body=desired, force_conflicts=True)
        except ApiError as error:
            if error.status != INVALID:
                raise
            content_type = "application/merge-patch+json"
            body = await self._request("patch", kind, namespace, name, body=desired, content_type=content_type)
        metrics.WRITES.labels(kind, "create" if created else "update").inc()
        self.cache.answered((kind, namespace, name), body, written=True)
        return body

    async def apply_status(self, namespace: str, name: str, status: Mapping[str, Any]) -> Body:
        """Writes the status of a SergasMonitoring."""
        document = {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": KIND,
            "metadata": {"name": name, "namespace": namespace},
            "status": status,
        }
        body = await self._request("apply", KIND, namespace, name, body=document, force_conflicts=True, part="/status")
        metrics.WRITES.labels(KIND, "status").inc()
        self.cache.answered((KIND, namespace, name), body, written=True)
        return body

    async def event(self, about: Mapping[str, Any], kind: str, reason: str, message: str, now: str) -> None:
        """Posts an Event about a SergasMonitoring; the same one again only renews its time.

        An Event that cannot be posted is logged and let go: the status says the same.

        Args:
            about: the SergasMonitoring.
            kind: Normal or Warning.
            reason: one word.
            message: a sentence, cut to what an Event can hold.
            now: the time, in RFC 3339.
        """
        metadata = about["metadata"]
        digest = hashlib.sha256(f"{metadata['uid']} {kind} {reason} {message}".encode()).hexdigest()[:16]
        namespace, name = metadata["namespace"], f"{metadata['name']}.{digest}"
        document = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": namespace},
            "involvedObject": {
                "apiVersion": f"{GROUP}/{VERSION}",
                "kind": KIND,
                "name": metadata["name"],
                "namespace": namespace,
                "uid": metadata["uid"],
            },
            "type": kind,
            "reason": reason,
            "message": message if len(message) <= EVENT_MESSAGE_LENGTH else message[: EVENT_MESSAGE_LENGTH - 1] + "…",
            "source": {"component": MANAGER},
            "reportingComponent": MANAGER,
            "reportingInstance": MANAGER,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
        try:
            await self._post(namespace, name, document)
        except ApiError as error:
            log.warning("an Event was not posted: %s", error)

    async def _post(self, namespace: str, name: str, document: Body) -> None:
        try:
            await self._request("create", "Event", namespace, "", body=document)
        except ApiError as error:
            if error.status != CONFLICT:
                raise
            again = {"lastTimestamp": document["lastTimestamp"]}
            content_type = "application/merge-patch+json"
            await self._request("patch", "Event", namespace, name, body=again, content_type=content_type)
        metrics.WRITES.labels("Event", "create").inc()

    async def secret_data(self, namespace: str, name: str, *, live: bool = False) -> dict[str, bytes] | None:
        """The decoded data of a Secret, or None when there is none."""
        body = await self.get("Secret", namespace, name, live=live)
        return (
            None if body is None else {key: base64.b64decode(value) for key, value in (body.get("data") or {}).items()}
        )

    async def volume_claims(self, namespace: str, instance: str) -> list[Body]:
        """The PersistentVolumeClaims of a SergasMonitoring's replicas, by name."""
        claims = await self.list_objects("PersistentVolumeClaim", namespace, volume_labels(instance))
        return sorted(claims, key=lambda claim: str(claim["metadata"]["name"]))

    async def alertmanager_receivers(self, namespace: str, name: str) -> Sequence[Sequence[str] | None]:
        """Per running Alertmanager pod the receivers it has loaded, None for one that does not answer."""
        pods = await self.list_objects("Pod", namespace, {"alertmanager": name})
        addresses = [
            address
            for pod in pods
            if (address := (pod.get("status") or {}).get("podIP")) and not pod["metadata"].get("deletionTimestamp")
        ]
        return await alertmanagers.receivers(addresses)

    async def missing_kinds(self) -> list[str]:
        """Kinds this operator cannot work without and the API server does not serve."""
        missing = []
        for kind in CUSTOM:
            group, version, plural = KINDS[kind]
            try:
                answer = await self._send("get", f"/apis/{group}/{version}", f"find out whether {kind} is served")
                if plural not in {resource["name"] for resource in answer.get("resources") or ()}:
                    missing.append(f"{plural}.{group}")
            except ApiError as error:
                if error.status != NOT_FOUND:
                    raise
                missing.append(f"{plural}.{group}")
        return missing

    def observe(self, kind: str, event: str | None, body: Mapping[str, Any]) -> bool:
        """Takes in what a watch told; returns whether it was news about an object this operator reads."""
        metrics.WATCH_EVENTS.labels(kind).inc()
        metadata = body["metadata"]
        key: Key = (kind, metadata.get("namespace", ""), metadata["name"])
        if event == "DELETED":
            known = self.cache.get(key) is not None
            self.cache.gone(key, int(metadata.get("resourceVersion") or 0))
            return known
        keep = kind == KIND or (kind in CHILDREN and _labelled(body))
        return self.cache.event(key, body, keep=keep)

    async def _request(
        self, verb: str, kind: str, namespace: str, name: str, *, part: str = "", **options: Any
    ) -> Body:
        doing = f"{verb} {kind} {namespace}/{name}".rstrip("/")
        path = self._resources[kind].path(name=name or None, namespace=namespace)  # type: ignore[no-untyped-call]
        method = {"get": "get", "list": "get", "create": "post"}.get(verb, "patch")
        if verb == "apply":
            options["content_type"] = "application/apply-patch+yaml"
        if method != "get":
            options["field_manager"] = MANAGER
        return await self._send(method, path + part, doing, **options)

    async def _send(self, method: str, path: str, doing: str, **options: Any) -> Body:
        # Bounded, so that an API server that hangs costs a retry and not a worker.
        timeout = aiohttp.ClientTimeout(total=REQUEST_SECONDS)
        try:
            answer = await self._dynamic.request(method, path, serialize=False, _request_timeout=timeout, **options)
            body: Body = await answer.json()
        except client.ApiException as error:
            raise ApiError(error.status or 0, doing, _detail(error)) from error
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise ApiError(
                0, doing, f"the API server did not answer ({type(error).__name__}): it is tried again"
            ) from error
        return body


def _labelled(body: Mapping[str, Any]) -> bool:
    return bool((body["metadata"].get("labels") or {}).get(MANAGED_BY) == MANAGER)


def in_cluster() -> bool:
    """Whether the pod's service account is to be used: it is there, and KUBECONFIG does not say otherwise."""
    return SERVICE_ACCOUNT.exists() and not os.environ.get("KUBECONFIG")


def _resource(kind: str, dynamic: DynamicClient) -> Resource:
    # Made by hand: discovery would cost requests, memory and a cache file, and these kinds do not change.
    group, version, plural = KINDS[kind]
    prefix = "apis" if group else "api"
    return Resource(  # type: ignore[no-untyped-call]
        prefix=prefix,
        group=group,
        api_version=version,
        kind=kind,
        namespaced=True,
        verbs=[],
        name=plural,
        client=dynamic,
    )


def _detail(error: client.ApiException) -> str:
    """The API server's own sentence."""
    try:
        return str(json.loads(error.body or "")["message"])
    except (ValueError, KeyError, TypeError):
        return str(error.reason)
