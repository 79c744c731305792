"""CLUSTER=kind: the same cluster for machines with a Docker engine. kind pulls third-party images; the project's own
are built by `docker build` and loaded."""

import os
import tempfile
from pathlib import Path

import yaml

from . import addons, buildcontext, operatorstack, ownimages, paths, toolbuild
from .command import output, succeeds
from .errors import ClusterError
from .terminal import say, step
from .waiting import until

NAME = "sergas"
CONTEXT = f"kind-{NAME}"
CONTROL_PLANE = f"{NAME}-control-plane"
AUDIT_FOLDER = "/var/log/kubernetes"
POLICY = "/etc/kubernetes/audit-policy.yaml"


def configuration(policy: Path) -> str:
    """kind's cluster configuration: one node, with the audit log of the packaged cluster."""
    kubeadm = {
        # Since v1beta4 extraArgs is a list, before it was a map; the pinned kind's node image speaks v1beta4.
        "apiVersion": "kubeadm.k8s.io/v1beta4",
        "kind": "ClusterConfiguration",
        "apiServer": {
            "extraArgs": [
                {"name": "audit-policy-file", "value": POLICY},
                {"name": "audit-log-path", "value": f"{AUDIT_FOLDER}/audit.log"},
                {"name": "audit-log-maxsize", "value": "50"},
                {"name": "audit-log-maxbackup", "value": "2"},
            ],
            "extraVolumes": [
                _volume("audit-policy", POLICY, "File", read_only=True),
                _volume("audit-log", AUDIT_FOLDER, "DirectoryOrCreate", read_only=False),
            ],
        },
    }
    node = {
        "role": "control-plane",
        "extraMounts": [{"hostPath": str(policy), "containerPath": POLICY, "readOnly": True}],
        "kubeadmConfigPatches": [yaml.safe_dump(kubeadm)],
    }
    return yaml.safe_dump({"kind": "Cluster", "apiVersion": "kind.x-k8s.io/v1alpha4", "name": NAME, "nodes": [node]})


def _volume(name: str, path: str, kind: str, *, read_only: bool) -> dict[str, object]:
    return {"name": name, "hostPath": path, "mountPath": path, "readOnly": read_only, "pathType": kind}


def kubeconfig() -> Path:
    """kind's kubeconfig, apart from the user's own."""
    return paths.cluster() / "kind.kubeconfig"


def commands(config: Path) -> list[list[str]]:
    """What `up` runs, in order; `up --dry-run` shows it."""
    kubectl = [str(paths.BIN / "kubectl"), f"--kubeconfig={kubeconfig()}", "--context", CONTEXT]
    crds = str(operatorstack.crds())
    namespace = f"--namespace={operatorstack.NAMESPACE}"
    return [
        [_kind(), "create", "cluster", f"--config={config}", f"--kubeconfig={kubeconfig()}", "--wait=120s"],
        [*kubectl, *addons.APPLY, "-f", crds],
        [*kubectl, "wait", "--for=condition=Established", "--timeout=60s", "-f", crds],
        [*kubectl, *addons.APPLY, "-f", str(config.with_name("prometheus-operator.yaml"))],
        [*kubectl, "rollout", "status", "deployment/prometheus-operator", namespace, "--timeout=300s"],
    ]


def _kind() -> str:
    return str(paths.BIN / "kind")


def write_files() -> Path:
    """Write kind's configuration and prometheus-operator's manifest; the configuration's path."""
    folder = paths.cluster() / "kind"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "prometheus-operator.yaml").write_text(operatorstack.manifest(operatorstack.folder() / "rbac"))
    config = folder / "kind.yaml"
    config.write_text(configuration(paths.MANIFESTS / "audit-policy.yaml"))
    return config


def up(*, bare: bool = False) -> None:
    """Create the kind cluster unless it is there, and see that prometheus-operator runs on it; bare, that it does not.

    Raises:
        ClusterError: when no Docker engine answers, or a step fails.
    """
    toolbuild.build(["kind", "kubectl", "helm", "helm4"])
    require_docker()
    create, *rest = commands(write_files())
    if not exists():
        with step(f"creating the kind cluster {NAME}", f"created the kind cluster {NAME}"):
            output(create, f"create the kind cluster {NAME}")
    output([_kind(), "export", "kubeconfig", f"--name={NAME}", f"--kubeconfig={kubeconfig()}"], "write its kubeconfig")
    if bare:
        _require_bare()
        return
    with step("installing prometheus-operator", "prometheus-operator is ready"):
        for argv in rest:
            if "wait" in argv:
                # kubectl fails at once on a CRD so new that it has no conditions yet.
                until(lambda argv=argv: succeeds(argv), "definitions that are served", 60)
            else:
                output(argv, "install prometheus-operator")


def _require_bare() -> None:
    """Raise ClusterError when prometheus-operator runs: kube-prometheus-stack brings one, and two would fight."""
    kubectl = [str(paths.BIN / "kubectl"), f"--kubeconfig={kubeconfig()}", "--context", CONTEXT]
    if succeeds([*kubectl, "get", "namespace", operatorstack.NAMESPACE]):
        raise ClusterError(
            f"the kind cluster {NAME} runs prometheus-operator already, and kube-prometheus-stack would bring a second"
            " one; take it down first: CLUSTER=kind python tests/e2e/cluster down"
        )


def require_docker() -> None:
    """Raise ClusterError unless a Docker engine answers."""
    if not succeeds(["docker", "info"]):
        raise ClusterError(
            "CLUSTER=kind needs a Docker engine and none answers `docker info`; start or install one"
            " (https://docs.docker.com/engine/install/), or run with CLUSTER=packaged"
        )


def exists() -> bool:
    """Whether the kind cluster is there."""
    return NAME in output([_kind(), "get", "clusters"], "list kind clusters").split()


def down() -> None:
    """Delete the kind cluster."""
    toolbuild.build(["kind"])
    require_docker()
    output([_kind(), "delete", "cluster", f"--name={NAME}", f"--kubeconfig={kubeconfig()}"], "delete the kind cluster")
    say(f"kind cluster {NAME} is gone")


def audit_log() -> str:
    """The audit log's text; empty before the first write."""
    return output(["docker", "exec", CONTROL_PLANE, "sh", "-c", f"cat {AUDIT_FOLDER}/audit*.log"], "read the audit log")


def build_images(chosen: list[str]) -> dict[str, str]:
    """Build the project's images with Docker and load them into the kind cluster; short name to full name."""
    require_docker()
    names = ownimages.names(chosen, ownimages.REGISTRY_BASE)
    for short, tag in names.items():
        docker_build(short, tag)
    output([_kind(), "load", "docker-image", f"--name={NAME}", *names.values()], "load images into kind")
    return names


def tag(name: str, other: str) -> None:
    """Give an image of the Docker engine another name, and load it into the kind cluster under it."""
    output(["docker", "tag", name, other], f"tag {name} as {other}")
    output([_kind(), "load", "docker-image", f"--name={NAME}", other], f"load {other} into kind")


def push_images(chosen: list[str], registry: str) -> dict[str, str]:
    """Build the project's images with Docker and push them to `registry`; short name to full name."""
    require_docker()
    names = {}
    for short, tag in ownimages.names(chosen, ownimages.REGISTRY_BASE).items():
        names[short] = f"{registry.rstrip('/')}/{tag.rpartition('/')[2]}"
        docker_build(short, names[short])
        output(["docker", "push", "--quiet", names[short]], f"push {names[short]}")
    return names


def docker_build(short: str, tag: str) -> None:
    """`docker build` one image unless the engine has that tag."""
    if succeeds(["docker", "image", "inspect", tag]):
        return
    paths.images().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".context-", dir=paths.images()) as context:
        buildcontext.stage(ownimages.dockerfile(short), paths.CHECKOUT, Path(context))
        file = Path(context) / ownimages.DOCKERFILES[short]
        with step(f"building {tag}", f"built {tag}"):
            argv = ["docker", "build", "--quiet", f"--file={file}", f"--tag={tag}", context]
            output(argv, f"build {tag}", env=os.environ | {"DOCKER_BUILDKIT": "1"})
