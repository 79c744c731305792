"""One operator per namespace: a Lease names the release that serves it, and a second release does not start there.

The operator creates the Lease itself, because Argo CD neither applies nor deletes Leases. The RoleBinding that the
chart creates in the namespace owns it, so that it is deleted with the release.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sergas_operator.cluster.api_server import Body
from sergas_operator.cluster.objects import CONFLICT, Cluster
from sergas_operator.errors import ApiError
from sergas_operator.model import kinds, names
from sergas_operator.supervision import log

NAME = names.OPERATOR
# A holder that has not renewed its Lease for this time is gone. The client libraries of Kubernetes use 15 s for the
# election of replicas; a release is replaced rarely, and a longer time costs fewer writes.
DURATION_SECONDS = 60
RENEW_SECONDS = 20.0


@dataclass
class NamespaceLease:
    """The Lease of one namespace.

    Attributes:
        cluster: the cluster.
        namespace: the namespace.
        identity: the release of this operator.
        acquired: called when the namespace may be served from now on.
        holder: the release that serves the namespace now, as last seen.
        held: whether that is this operator.
    """

    cluster: Cluster
    namespace: str
    identity: str
    acquired: Callable[[str], None]
    holder: str = ""
    held: bool = False
    _reported: str = ""
    _renewed: float = field(default=0.0)
    _seen: tuple[str, str] = ("", "")
    _since: float = field(default=0.0)

    async def run(self) -> None:
        """Acquire the Lease and renew it until cancelled."""
        while True:
            held = await self._try_to_renew()
            if held and not self.held:
                self.acquired(self.namespace)
            elif not held and self.holder not in ("", self.identity, self._reported):
                log.error("%s", self.refusal())
            self._reported = "" if held else self.holder
            self.held = held
            await asyncio.sleep(RENEW_SECONDS)

    async def release(self) -> None:
        """Give the Lease up, so that another release can serve the namespace at once."""
        if not self.held:
            return
        self.held = False
        try:
            live = await self.cluster.read_lease(self.namespace, NAME)
            if live is not None and _holder(live) == self.identity:
                await self.cluster.write_lease(self.namespace, NAME, self._spec(holder="", live=live), live)
        except ApiError as error:
            log.warning("%s: another release can serve %s in %d s", error, self.namespace, DURATION_SECONDS)

    def refusal(self) -> str:
        """Why this operator does not serve the namespace, and what to do."""
        return (
            f"the namespace {self.namespace} is served by the release {self.holder}: uninstall that release, or remove "
            f"{self.namespace} from the namespaces of {self.identity}"
        )

    async def _try_to_renew(self) -> bool:
        """Whether this operator holds the Lease now. One that it cannot renew is lost when it expires, not before."""
        now = asyncio.get_running_loop().time
        try:
            held = await self._renew()
        except ApiError as error:
            log.warning("%s: the Lease is renewed again in %d s", error, RENEW_SECONDS)
            return self.held and now() - self._renewed < DURATION_SECONDS
        if held:
            self._renewed = now()
        return held

    async def _renew(self) -> bool:
        live = await self.cluster.read_lease(self.namespace, NAME)
        self.holder = _holder(live)
        if self.holder not in ("", self.identity) and not self._expired(live):
            return False
        renewing = self.held and self.holder == self.identity
        owner = None if renewing else await self.cluster.get(kinds.ROLE_BINDING, self.namespace, NAME)
        spec = self._spec(holder=self.identity, live=live)
        try:
            await self.cluster.write_lease(self.namespace, NAME, spec, live, owner)
        except ApiError as error:
            if error.status != CONFLICT:
                raise
            return False
        self.holder = self.identity
        return True

    def _expired(self, live: Body | None) -> bool:
        """Whether the holder has not renewed for DURATION_SECONDS, by our clock: clocks of two nodes may differ."""
        now = asyncio.get_running_loop().time()
        seen = (self.holder, str(((live or {}).get("spec") or {}).get("renewTime")))
        if seen != self._seen:
            self._seen, self._since = seen, now
        return now - self._since > DURATION_SECONDS

    def _spec(self, *, holder: str, live: Body | None) -> dict[str, Any]:
        before = (live or {}).get("spec") or {}
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        same = before.get("holderIdentity") == holder
        return {
            "holderIdentity": holder,
            "leaseDurationSeconds": DURATION_SECONDS,
            "acquireTime": before.get("acquireTime", now) if same else now,
            "renewTime": now,
        }


def _holder(live: Body | None) -> str:
    return str(((live or {}).get("spec") or {}).get("holderIdentity") or "")
