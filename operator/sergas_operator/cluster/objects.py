"""Reads and writes of objects. Every read is live; writes are server-side apply with one field manager."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from sergas_operator import metrics
from sergas_operator.cluster import api_server
from sergas_operator.cluster.api_server import ApiServer, Body
from sergas_operator.cluster.fields import adopted
from sergas_operator.errors import ApiError
from sergas_operator.model import kinds
from sergas_operator.model.kinds import Kind
from sergas_operator.model.names import MANAGER
from sergas_operator.model.spec import API_VERSION, KIND

NOT_FOUND, CONFLICT, INVALID, FORBIDDEN = 404, 409, 422, 403
PAGE = 250


class Cluster:
    """The objects of one API server. Errors are ApiError, which names verb, kind and object."""

    def __init__(self, api: ApiServer) -> None:
        self.api = api

    async def close(self) -> None:
        """Close the connections."""
        await self.api.close()

    async def get(self, kind: Kind, namespace: str, name: str) -> Body | None:
        """Return an object as it is now; None when it does not exist."""
        try:
            return await self.api.request("GET", kind.path(namespace, name), _doing("get", kind, namespace, name))
        except ApiError as error:
            if error.status != NOT_FOUND:
                raise
            return None

    async def list_objects(self, kind: Kind, namespace: str, selector: str = "", limit: int = 0) -> list[Body]:
        """Return the objects of a kind that match the label selector, at most `limit` of them when it is not 0."""
        query = ({"labelSelector": selector} if selector else {}) | ({"limit": str(limit)} if limit else {})
        answer = await self.api.request("GET", kind.path(namespace), _doing("list", kind, namespace), query=query)
        return list(answer.get("items") or ())

    async def current_version(self, kind: Kind, namespace: str, selector: str = "") -> str:
        """Return the resourceVersion from which a watch sees every later change."""
        query = {"limit": "1"} | ({"labelSelector": selector} if selector else {})
        doing, accept = _doing("list", kind, namespace), api_server.METADATA_LIST
        answer = await self.api.request("GET", kind.path(namespace), doing, query=query, accept=accept)
        return str(answer["metadata"]["resourceVersion"])

    async def list_names(self, kind: Kind, namespace: str) -> list[str]:
        """Return the names of the objects of a kind, read in pages."""
        found: list[str] = []
        query = {"limit": str(PAGE)}
        while True:
            doing, accept = _doing("list", kind, namespace), api_server.METADATA_LIST
            answer = await self.api.request("GET", kind.path(namespace), doing, query=query, accept=accept)
            found += [item["metadata"]["name"] for item in answer.get("items") or ()]
            page = answer["metadata"].get("continue")
            if not page:
                return found
            query["continue"] = page

    def watch(self, kind: Kind, namespace: str, selector: str, version: str, seconds: int) -> AsyncIterator[Body]:
        """Yield the watch events after a resourceVersion, with the metadata of the objects, for some seconds."""
        query = {"resourceVersion": version, "timeoutSeconds": str(seconds)}
        query |= {"labelSelector": selector} if selector else {}
        return self.api.watch(kind.path(namespace), _doing("watch", kind, namespace), query)

    async def apply(self, kind: Kind, desired: Mapping[str, Any], live: Body | None, *, exclusive: bool) -> Body:
        """Apply `desired` and return the stored object.

        Args:
            kind: the kind of the object.
            desired: the fields this operator sets.
            live: the object as it was read; None creates it.
            exclusive: also remove content fields that another field manager set. See fields.py.

        Raises:
            ApiError: the write was refused. Status 409 means that the object changed since it was read.
        """
        metadata = desired["metadata"]
        namespace, name = metadata["namespace"], metadata["name"]
        if live is None:
            return await self._apply(kind, namespace, name, desired, "create")
        # With the uid, the API server refuses to change an object of this name that was created since.
        desired = {**desired, "metadata": {**metadata, "uid": live["metadata"]["uid"]}}
        if exclusive:
            await self._adopt_fields(kind, namespace, name, live)
        try:
            return await self._apply(kind, namespace, name, desired, "update")
        except ApiError as error:
            if error.status != INVALID or exclusive:
                raise
        # A list merged by key can become invalid with another manager's item, such as two ports of one name.
        return await self.apply(kind, desired, live, exclusive=True)

    async def delete(self, kind: Kind, live: Body, propagation: str = "Background") -> None:
        """Delete exactly the object that was read; one that is already gone is no error."""
        metadata = live["metadata"]
        namespace, name = metadata["namespace"], metadata["name"]
        options = {"preconditions": {"uid": metadata["uid"]}, "propagationPolicy": propagation}
        try:
            doing = _doing("delete", kind, namespace, name)
            await self.api.request("DELETE", kind.path(namespace, name), doing, body=options)
        except ApiError as error:
            if error.status != NOT_FOUND:
                raise
        metrics.WRITES.labels(kind.name, "delete").inc()

    async def apply_status(self, namespace: str, name: str, uid: str, status: Mapping[str, Any]) -> None:
        """Write the status of exactly the SergasMonitoring with this uid."""
        metadata = {"name": name, "namespace": namespace, "uid": uid}
        document = {"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "status": status}
        await self._apply(kinds.SERGAS_MONITORING, namespace, name, document, "status", part="status")

    async def post_event(self, event: Body) -> None:
        """Create an Event; when one of this name exists, only renew its time."""
        namespace, name = event["metadata"]["namespace"], event["metadata"]["name"]
        doing, query = _doing("create", kinds.EVENT, namespace, name), {"fieldManager": MANAGER}
        try:
            await self.api.request("POST", kinds.EVENT.path(namespace), doing, query=query, body=event)
        except ApiError as error:
            if error.status != CONFLICT:
                raise
            renewed = {"lastTimestamp": event["lastTimestamp"]}
            path, content_type = kinds.EVENT.path(namespace, name), api_server.MERGE_PATCH
            await self.api.request("PATCH", path, doing, query=query, body=renewed, content_type=content_type)
        metrics.WRITES.labels("Event", "create").inc()

    async def read_lease(self, namespace: str, name: str) -> Body | None:
        """Return a Lease; None when it does not exist."""
        return await self.get(kinds.LEASE, namespace, name)

    async def write_lease(
        self, namespace: str, name: str, spec: Mapping[str, Any], live: Body | None, owner: Body | None = None
    ) -> None:
        """Create a Lease, or replace the spec of exactly the state that was read.

        With an owner, the Lease is deleted by Kubernetes when the owner is.

        Raises:
            ApiError: with status 409 when somebody else wrote it since.
        """
        doing, query = _doing("write", kinds.LEASE, namespace, name), {"fieldManager": MANAGER}
        owned = {"ownerReferences": [_owner_reference(owner)]} if owner else {}
        if live is None:
            head = {"apiVersion": kinds.LEASE.api_version, "kind": kinds.LEASE.name}
            document = {**head, "metadata": {"name": name, "namespace": namespace} | owned, "spec": spec}
            await self.api.request("POST", kinds.LEASE.path(namespace), doing, query=query, body=document)
        else:
            document = {**live, "metadata": live["metadata"] | owned, "spec": spec}
            await self.api.request("PUT", kinds.LEASE.path(namespace, name), doing, query=query, body=document)

    async def missing_kinds(self) -> list[str]:
        """Return the CRDs that this operator needs and the API server does not serve."""
        missing = []
        for kind in kinds.CUSTOM:
            try:
                answer = await self.api.request("GET", f"/apis/{kind.api_version}", f"discover {kind.name}")
            except ApiError as error:
                if error.status != NOT_FOUND:
                    raise
                answer = {}
            if kind.plural not in {found["name"] for found in answer.get("resources") or ()}:
                missing.append(f"{kind.plural}.{kind.group}")
        return missing

    async def _apply(  # noqa: PLR0917  # all are short and of different types
        self, kind: Kind, namespace: str, name: str, document: Mapping[str, Any], verb: str, part: str = ""
    ) -> Body:
        body = await self.api.request(
            "PATCH",
            kind.path(namespace, name, part),
            _doing("apply", kind, namespace, name),
            query={"fieldManager": MANAGER, "force": "true"},
            body=document,
            content_type=api_server.APPLY,
        )
        metrics.WRITES.labels(kind.name, verb).inc()
        return body

    async def _adopt_fields(self, kind: Kind, namespace: str, name: str, live: Body) -> None:
        """Make this operator the owner of all content fields, so that the next apply removes undesired ones."""
        patch = [
            {"op": "test", "path": "/metadata/uid", "value": live["metadata"]["uid"]},
            {"op": "replace", "path": "/metadata/resourceVersion", "value": live["metadata"]["resourceVersion"]},
            {"op": "replace", "path": "/metadata/managedFields", "value": adopted(live)},
        ]
        await self.api.request(
            "PATCH",
            kind.path(namespace, name),
            _doing("take ownership of the fields of", kind, namespace, name),
            query={"fieldManager": MANAGER},
            body=patch,
            content_type=api_server.JSON_PATCH,
        )
        metrics.WRITES.labels(kind.name, "adopt").inc()


def _doing(verb: str, kind: Kind, namespace: str, name: str = "") -> str:
    return f"{verb} {kind.name} {namespace}/{name}" if name else f"{verb} {kind.name} in {namespace}"


def _owner_reference(owner: Body) -> dict[str, str]:
    own = {name: owner["metadata"][name] for name in ("name", "uid")}
    return {"apiVersion": owner["apiVersion"], "kind": owner["kind"], **own}
