"""What runs in the cluster before anybody's workload: DNS, storage class, prometheus-operator; and its readiness."""

import json
import os
from pathlib import Path

from . import operatorstack, paths, thirdparty, toolbuild, topology
from .command import output, succeeds
from .waiting import until

APPLY = ("apply", "--server-side", "--force-conflicts", "--field-manager=sergas-cluster")
DEPLOYMENTS = (("kube-system", "coredns"), (operatorstack.NAMESPACE, "prometheus-operator"))


def kubectl(*arguments: str) -> list[str]:
    """A call of the pinned kubectl on our kubeconfig, whatever KUBECONFIG says."""
    return [str(paths.BIN / "kubectl"), f"--kubeconfig={paths.kubeconfig()}", "--context", topology.CONTEXT, *arguments]


def environment() -> dict[str, str]:
    """kubectl's discovery cache stays in the run folder, so that no stale one outlives a cluster."""
    return os.environ | {"KUBECACHEDIR": str(paths.run() / "kubectl-cache")}


def api_ready() -> bool:
    """Whether the API server says it is ready."""
    return succeeds(kubectl("get", "--raw=/readyz", "--request-timeout=2s"), env=environment())


def node_ready() -> bool:
    """Whether our node is Ready."""
    condition = "{.status.conditions[?(@.type=='Ready')].status}"
    argv = kubectl("get", "node", topology.NODE, "--ignore-not-found", f"-o=jsonpath={condition}")
    return output(argv, "read the node", env=environment()) == "True"


def _apply(text: str, what: str) -> None:
    output(kubectl(*APPLY, "-f", "-"), what, stdin=text, env=environment())


def _applied() -> Path:
    return paths.run() / "applied"


def wanted_key() -> str:
    """Twelve hex digits over all that is applied."""
    parts = [_node_objects(), operatorstack.manifest(operatorstack.folder() / "rbac"), str(operatorstack.crds())]
    return toolbuild.digest(part.encode() for part in parts)


def mark_applied() -> None:
    """Note what was applied, so that the next `up` need not."""
    _applied().write_text(wanted_key())


def current() -> bool:
    """Whether all of it was applied already, in these versions."""
    return _applied().exists() and _applied().read_text() == wanted_key()


def apply_definitions() -> None:
    """Apply prometheus-operator's custom resource definitions and wait until they are served."""
    if current():
        return
    folder = str(operatorstack.crds())
    output(kubectl(*APPLY, "-f", folder), "apply prometheus-operator's CRDs", env=environment())
    argv = kubectl("wait", "--for=condition=Established", "--timeout=60s", "-f", folder)
    output(argv, "wait for prometheus-operator's CRDs", env=environment())


def apply_node_objects() -> None:
    """Apply DNS, kube-proxy's rights and the storage class."""
    if not current():
        _apply(_node_objects(), "apply the node's objects")


def _node_objects() -> str:
    dns = (paths.MANIFESTS / "coredns.yaml").read_text().replace("{image}", thirdparty.coredns_image())
    return dns + "---\n" + (paths.MANIFESTS / "node.yaml").read_text()


def images_in_use() -> set[str]:
    """Names of the images of all pods."""
    names = "{.items[*].spec['initContainers', 'containers'][*].image}"
    return set(output(kubectl("get", "pods", "-A", f"-o=jsonpath={names}"), "read pods", env=environment()).split())


def apply_operator() -> None:
    """Apply prometheus-operator's rights, Deployment and Service."""
    if not current():
        _apply(operatorstack.manifest(operatorstack.folder() / "rbac"), "apply prometheus-operator")


def wait_ready() -> None:
    """Wait until DNS and prometheus-operator are available and the default ServiceAccount exists."""
    until(_available, "DNS and prometheus-operator", 90, ("kubelet", "containerd", "kube-apiserver"))


def _available() -> bool:
    listed = output(kubectl("get", "deployments", "-A", "-o=json"), "read Deployments", env=environment())
    found = {(item["metadata"]["namespace"], item["metadata"]["name"]): item for item in json.loads(listed)["items"]}
    return all(name in found and available(found[name]) for name in DEPLOYMENTS)


def available(deployment: dict) -> bool:
    """Whether the Deployment's current generation is wholly available."""
    status, wanted = deployment.get("status", {}), deployment["spec"]["replicas"]
    seen = status.get("observedGeneration") == deployment["metadata"]["generation"]
    return seen and status.get("availableReplicas", 0) >= wanted and status.get("updatedReplicas", 0) >= wanted
