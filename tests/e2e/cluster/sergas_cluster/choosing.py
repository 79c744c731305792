"""Which cluster: packaged (made here), kind (where Docker is), existing (the user's own)."""

import os
from dataclasses import dataclass

from .command import succeeds
from .errors import ClusterError

KINDS = ("packaged", "kind", "existing")


@dataclass(frozen=True)
class Choice:
    """The cluster to use, and why it."""

    cluster: str
    reason: str


def choose() -> Choice:
    """The choice for this machine and environment."""
    wanted = os.environ.get("CLUSTER", "")
    return decide(wanted, docker=not wanted and succeeds(["docker", "info"]))


def decide(wanted: str, *, docker: bool) -> Choice:
    """The choice for a value of CLUSTER, empty when unset, and whether a Docker engine answers.

    Raises:
        ClusterError: for a value there is no such cluster for.
    """
    if wanted and wanted not in KINDS:
        raise ClusterError(f"CLUSTER={wanted} is unknown; write CLUSTER={', '.join(KINDS[:-1])} or {KINDS[-1]}")
    if wanted:
        return Choice(wanted, f"CLUSTER={wanted} says so")
    if docker:
        return Choice("kind", "a Docker engine answers; CLUSTER=packaged would not use it")
    return Choice("packaged", "no Docker engine answers; CLUSTER=kind would need one")
