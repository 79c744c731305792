"""kopf's handlers: every event about a SergasMonitoring only triggers a reconcile."""

from __future__ import annotations

import asyncio
from typing import Any

import kopf

from sergas_operator.cluster.api_server import in_cluster
from sergas_operator.controller.controller import Controller
from sergas_operator.controller.health import Health
from sergas_operator.model import kinds
from sergas_operator.model.spec import GROUP
from sergas_operator.settings import Settings


class Operator:
    """The operator: kopf's handlers and the controller they trigger."""

    def __init__(self, settings: Settings, health: Health | None = None) -> None:
        self.settings = settings
        self.health = health or Health()
        self.controller: Controller | None = None

    async def start(self) -> None:
        """Connect and start the controller."""
        self.controller = await Controller.connect(self.settings, self.health)
        await self.controller.start()

    async def stop(self) -> None:
        """Stop the controller."""
        if self.controller:
            await self.controller.stop()

    def event(self, event: kopf.RawEvent) -> None:
        """Hand an event about a SergasMonitoring to the controller."""
        if self.controller is None:
            return
        if event["type"] == "DELETED":
            self.controller.monitoring_deleted(event["object"])
        else:
            self.controller.monitoring_changed(event["object"])


def registry(operator: Operator) -> kopf.OperatorRegistry:
    """Return the handlers. None of them is a deletion handler, a timer or a daemon: those add finalizers."""
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

    kind = kinds.SERGAS_MONITORING

    @kopf.on.event(kind.group, kind.version, kind.plural, registry=found)
    async def monitoring(event: kopf.RawEvent, **_: Any) -> None:
        operator.event(event)

    return found


def configure(settings: kopf.OperatorSettings) -> None:
    """Set kopf up."""
    # The namespaces are given and the CRDs waited for: no cluster-wide rights are needed to scan for them.
    settings.scanning.disabled = True
    # The API server ends a watch after ten minutes; a connection that outlives that is dead.
    settings.watching.server_timeout = 600
    settings.watching.client_timeout = 660
    settings.posting.enabled = False
    # The list after a start is read in pages of this many objects, so that not all are in memory at once.
    settings.watching.chunk_size = 50
    # A worker per object keeps the object in memory for this time after its last event.
    settings.queueing.idle_timeout = 0.1
    settings.persistence.finalizer = f"{GROUP}/finalizer"
    settings.persistence.progress_storage = kopf.AnnotationsProgressStorage(prefix=GROUP)
    settings.persistence.diffbase_storage = kopf.AnnotationsDiffBaseStorage(prefix=GROUP)


async def run(operator: Operator, stop: asyncio.Event | None = None) -> None:
    """Serve the namespaces in the operator's settings until `stop` is set or the process is asked to end."""
    await kopf.operator(
        registry=registry(operator),
        standalone=True,
        namespaces=operator.settings.namespaces,
        stop_flag=stop,
    )
