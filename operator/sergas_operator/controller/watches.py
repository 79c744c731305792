"""Watches the children and the Secrets that receivers refer to. An event only triggers a reconcile.

No object is stored: a reconcile reads what it needs. So nothing can be stale, and nothing that vanished while a watch
was interrupted can be missed: after an interruption, every SergasMonitoring of the namespace is reconciled.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from sergas_operator import metrics
from sergas_operator.cluster.api_server import Body
from sergas_operator.cluster.objects import Cluster
from sergas_operator.errors import ApiError
from sergas_operator.model import names
from sergas_operator.model.kinds import Kind
from sergas_operator.model.spec import KIND
from sergas_operator.supervision import log

# The API server ends a watch after this time. It is then continued without a gap.
WATCH_SECONDS = 600


@dataclass(frozen=True)
class ChildWatch:
    """A watch of one kind in one namespace.

    Attributes:
        cluster: the cluster.
        kind: the kind.
        namespace: the namespace.
        selector: the label selector.
        changed: called with each changed object's metadata.
        interrupted: called when changes may have been missed.
        started: set once every later change is seen.
    """

    cluster: Cluster
    kind: Kind
    namespace: str
    selector: str
    changed: Callable[[Kind, Body], None]
    interrupted: Callable[[str], None]
    started: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Watch until cancelled. Ends with an ApiError that the supervisor logs, and is started again."""
        version = await self.cluster.current_version(self.kind, self.namespace, self.selector)
        # Whatever happened before this version is found by reconciling everything.
        self.interrupted(self.namespace)
        self.started.set()
        try:
            while True:
                version = await self._watch(version)
        except ApiError as error:
            log.warning("%s: all SergasMonitorings of %s are reconciled", error, self.namespace)

    async def _watch(self, version: str) -> str:
        """Follow one watch until the API server ends it, and return the last resourceVersion."""
        async for event in self.cluster.watch(self.kind, self.namespace, self.selector, version, WATCH_SECONDS):
            metadata = event["object"]["metadata"]
            version = metadata["resourceVersion"]
            if event["type"] != "BOOKMARK":
                metrics.WATCH_EVENTS.labels(self.kind.name).inc()
                self.changed(self.kind, metadata)
        return version


def owner_name(metadata: Body) -> str:
    """Return the name of the SergasMonitoring that a child belongs to, by its owner or its label; empty for others."""
    owners = (owner["name"] for owner in metadata.get("ownerReferences") or () if owner["kind"] == KIND)
    return next(owners, "") or (metadata.get("labels") or {}).get(names.INSTANCE, "")
