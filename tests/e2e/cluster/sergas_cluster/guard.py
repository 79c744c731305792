"""Refuses to let tests and the demo touch a cluster that is not theirs."""

import json
import os

from . import kindcluster, paths, topology
from .command import output
from .errors import ClusterError

VARIABLE = "SERGAS_E2E_CONTEXT"


def check(cluster: str) -> str:
    """The context in effect, once it is known to be the cluster's.

    Args:
        cluster: packaged, kind or existing.

    Raises:
        ClusterError: when KUBECONFIG's current context is another cluster's; says how to choose the right one.
    """
    if not (paths.BIN / "kubectl").exists():
        raise ClusterError("bin/kubectl is missing: type `make tools`")
    argv = [str(paths.BIN / "kubectl"), "config", "view", "-o=json"]
    view = json.loads(output(argv, f"read {source()}"))
    context = view.get("current-context") or ""
    server = server_of(view, context)
    allow(cluster, context, server, os.environ.get(VARIABLE, ""))
    return context


def server_of(view: dict, context: str) -> str:
    """The API server's address for a context, empty when a kubeconfig (as JSON) lacks it."""
    chosen = [entry["context"]["cluster"] for entry in view.get("contexts") or [] if entry["name"] == context]
    servers = {entry["name"]: entry["cluster"].get("server", "") for entry in view.get("clusters") or []}
    return servers.get(chosen[0], "") if chosen else ""


def source() -> str:
    """Where the current context comes from, for a reader."""
    return f"KUBECONFIG={os.environ['KUBECONFIG']}" if os.environ.get("KUBECONFIG") else "~/.kube/config"


def allow(cluster: str, context: str, server: str, expected: str) -> None:
    """Return when `context` on `server` is the cluster's; `expected` is the user's word for CLUSTER=existing.

    Raises:
        ClusterError: when it is not.
    """
    wanted, servers = {
        "packaged": (topology.CONTEXT, (topology.SERVER,)),
        "kind": (kindcluster.CONTEXT, ("https://127.0.0.1:", "https://[::1]:", "https://localhost:")),
        "existing": (expected, ("",)),
    }[cluster]
    if cluster == "existing" and not expected:
        raise ClusterError(
            f"CLUSTER=existing needs the context's name, so that no other cluster is touched: set {VARIABLE}={context}"
            f" if the cluster at {server} is meant"
        )
    if not context:
        raise ClusterError(f"{source()} has no current context; {_remedy(cluster, wanted)}")
    if context != wanted:
        raise ClusterError(
            f"the current context is {context} ({server}), not {wanted}, and nothing was done to it;"
            f" {_remedy(cluster, wanted)}"
        )
    if not server.startswith(servers):
        raise ClusterError(
            f"the context {context} points at {server}, not at {servers[0]}, and nothing was done to it;"
            f" {_remedy(cluster, wanted)}"
        )


def _remedy(cluster: str, wanted: str) -> str:
    if cluster == "existing":
        return f"type `kubectl config use-context {wanted}`, or set {VARIABLE} to the context that is meant"
    return "type `export KUBECONFIG=$(python tests/e2e/cluster kubeconfig)`"
