"""What each verb does on the cluster that was chosen."""

import os
import shlex
import sys
from pathlib import Path

from . import choosing, exporterimages, kindcluster, ownimages, packaged, paths, preflight, runtime, toolbuild
from . import guard as guarding
from .command import succeeds
from .errors import ClusterError
from .terminal import say


def up(*, bare: bool = False) -> None:
    """Start, complete or check the chosen cluster; bare, without prometheus-operator.

    Raises:
        ClusterError: for a bare cluster that is not kind's, and what else stands in the way.
    """
    choice = choosing.choose()
    say(f"using the {choice.cluster} cluster: {choice.reason}")
    if bare:
        if choice.cluster != "kind":
            raise ClusterError("a cluster without prometheus-operator is made by kind alone: type it with CLUSTER=kind")
        kindcluster.up(bare=True)
        return
    {"packaged": packaged.up, "kind": kindcluster.up, "existing": _check_existing}[choice.cluster]()


def _check_existing() -> None:
    toolbuild.build(["kubectl", "helm", "helm4"])
    context = guarding.check("existing")
    argv = [str(paths.BIN / "kubectl"), "--context", context, "get", "crd", "prometheuses.monitoring.coreos.com"]
    if not succeeds(argv):
        raise ClusterError(
            f"the cluster of context {context} has no Prometheus Operator; install it first:"
            " https://prometheus-operator.dev/docs/getting-started/installation/"
        )
    say(f"context {context} is reachable and has the Prometheus Operator")


def show_plan() -> None:
    """Print the commands that `up` runs for kind.

    Raises:
        ClusterError: for the other clusters, which are not a list of commands.
    """
    cluster = choosing.choose().cluster
    if cluster != "kind":
        raise ClusterError(
            "`up --dry-run` knows the kind cluster alone: type `CLUSTER=kind python tests/e2e/cluster up --dry-run`"
        )
    for argv in kindcluster.commands(kindcluster.write_files()):
        print(shlex.join(argv))


def down(*, everything: bool) -> None:
    """End the chosen cluster."""
    cluster = choosing.choose().cluster
    if cluster == "existing":
        raise ClusterError("CLUSTER=existing is your own cluster; it is not taken down")
    if cluster == "kind":
        kindcluster.down()
    else:
        packaged.down(everything=everything)


def status() -> dict[str, object]:
    """Facts about the chosen cluster."""
    cluster = choosing.choose().cluster
    if cluster == "packaged":
        return {"cluster": cluster} | packaged.status()
    config = kubeconfig()
    ready = succeeds([str(paths.BIN / "kubectl"), f"--kubeconfig={config}", "get", "--raw=/readyz"])
    return {"cluster": cluster, "ready": ready, "kubeconfig": str(config)}


def kubeconfig() -> Path:
    """The chosen cluster's kubeconfig.

    Raises:
        ClusterError: when the cluster is not up.
    """
    cluster = choosing.choose().cluster
    if cluster == "existing":
        return Path(os.environ.get("KUBECONFIG") or Path.home() / ".kube" / "config")
    path = kindcluster.kubeconfig() if cluster == "kind" else paths.kubeconfig()
    if not path.exists():
        raise ClusterError(f"the {cluster} cluster is not up: type `CLUSTER={cluster} python tests/e2e/cluster up`")
    return path


def guard() -> None:
    """Refuse unless the context in effect is the chosen cluster's."""
    say(f"context {guarding.check(choosing.choose().cluster)} is the right one")


def audit() -> None:
    """Print the audit log, oldest line first.

    Raises:
        ClusterError: for CLUSTER=existing, whose audit log is its owner's matter.
    """
    cluster = choosing.choose().cluster
    if cluster == "existing":
        raise ClusterError(
            "CLUSTER=existing: the audit log of your own cluster is not read; use CLUSTER=packaged or kind"
        )
    if cluster == "kind":
        sys.stdout.write(kindcluster.audit_log())
        return
    for file in [*sorted(paths.logs().glob("audit-*.log")), paths.audit_log()]:
        if file.exists():
            sys.stdout.write(file.read_text())


def images(chosen: list[str]) -> dict[str, str]:
    """Build the project's images and put them where the chosen cluster finds them; short name to full name."""
    cluster = choosing.choose().cluster
    if cluster == "packaged":
        return packaged.images(chosen)
    if cluster == "kind":
        return kindcluster.build_images(chosen)
    if given := ownimages.given():
        return {short: given[short] for short in chosen or given}
    registry = os.environ.get(ownimages.REGISTRY_VARIABLE)
    if not registry:
        raise ClusterError(ownimages.NO_REGISTRY)
    return kindcluster.push_images(chosen, registry)


def exporters() -> dict[str, str]:
    """Put the images of the exporters and databases where the packaged cluster finds them; the others pull them."""
    return packaged.exporters() if choosing.choose().cluster == "packaged" else exporterimages.names()


def tag_images(names: dict[str, str], tag: str) -> None:
    """Give images of the chosen cluster another tag, so that manifests of a release run what was built here.

    Raises:
        ClusterError: for CLUSTER=existing, which pulls what a release names from where it was published.
    """
    cluster = choosing.choose().cluster
    if cluster == "existing":
        raise ClusterError(
            "CLUSTER=existing pulls released images from their registry; run with CLUSTER=packaged or kind"
        )
    for name in names.values():
        other = f"{name.rpartition(':')[0]}:{tag}"
        {"packaged": runtime.tag, "kind": kindcluster.tag}[cluster](name, other)
        say(f"{name} is {other} too")


def needed_groups() -> list[str]:
    """The tool groups that the chosen cluster needs, and what runs on it. No cluster needs the linters' and the unit
    tests' programs; kind and an existing one bring their own control plane and Prometheus."""
    return [{"packaged": "cluster", "kind": "docker", "existing": "docker"}[choosing.choose().cluster]]


def check() -> None:
    """Check what must hold before anything is built for the chosen cluster."""
    choice = choosing.choose()
    preflight.check(choice.cluster)
    say(f"nothing stands in the way of the {choice.cluster} cluster: {choice.reason}")
