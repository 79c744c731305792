"""What must hold of pods, the chart's and its real dependencies'. Each check yields a sentence for each problem."""

from collections.abc import Iterator
from typing import Any

from charts.rendered import Rendered, pods

# It reads the host itself; values.yaml says what that needs.
PRIVILEGED = "node-exporter"
# How the Prometheus Operator is told what its reloaders may use; 0 is no request and no limit.
RELOADER = ("cpu-request", "memory-request", "memory-limit")
# https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
HOST_NAMESPACES = ("hostNetwork", "hostPID", "hostIPC")
VOLUMES = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
}


def every_container_has_requests_and_limits(case: Rendered) -> Iterator[str]:
    """CPU and memory are requested and memory is limited, also for the reloaders that the Prometheus Operator adds."""
    for name, pod in named_pods(case.objects):
        for container in containers(pod):
            for missing in unlimited(container.get("resources") or {}):
                yield f"container {container['name']} of {name} has no {missing}"
            told = dict(str(argument).partition("=")[::2] for argument in container.get("args") or [])
            if "--prometheus-config-reloader" in told:
                for key in RELOADER:
                    if told.get(f"--config-reloader-{key}", "0") == "0":
                        yield f"the reloaders of {name} have no {key}"


def every_pod_passes_restricted(case: Rendered) -> Iterator[str]:
    """Pod Security "restricted", but for node-exporter."""
    for name, pod in named_pods(case.objects):
        if PRIVILEGED not in name:
            for problem in violations(pod):
                yield f"{name} {problem}"


def named_pods(items: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every pod's spec, with kind and name of the object that holds it."""
    for item in items:
        for pod in pods(item):
            yield f"{item['kind']} {item['metadata']['name']}", pod


def containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    """All containers of a pod."""
    return [*(pod.get("initContainers") or []), *pod["containers"]]


def unlimited(resources: dict[str, Any]) -> list[str]:
    """What a container's resources lack."""
    wanted = (("requests", "cpu"), ("requests", "memory"), ("limits", "memory"))
    return [f"{part}.{name}" for part, name in wanted if name not in (resources.get(part) or {})]


def violations(pod: dict[str, Any]) -> Iterator[str]:
    """How a pod violates Pod Security "restricted"."""
    yield from (f"has {name}" for name in HOST_NAMESPACES if pod.get(name))
    for volume in pod.get("volumes") or []:
        kinds = volume.keys() - {"name"}
        if not kinds <= VOLUMES:
            yield f"mounts {', '.join(sorted(kinds - VOLUMES))}"
    shared = pod.get("securityContext") or {}
    for container in containers(pod):
        own = container.get("securityContext") or {}
        context = shared | own
        name = container["name"]
        if own.get("privileged"):
            yield f"runs {name} privileged"
        if own.get("allowPrivilegeEscalation") is not False:
            yield f"lets {name} gain privileges"
        if "ALL" not in ((own.get("capabilities") or {}).get("drop") or []):
            yield f"lets {name} keep capabilities"
        if context.get("runAsNonRoot") is not True or context.get("runAsUser") == 0:
            yield f"may run {name} as root"
        if (context.get("seccompProfile") or {}).get("type") not in {"RuntimeDefault", "Localhost"}:
            yield f"runs {name} without a seccomp profile"
        if any(port.get("hostPort") for port in container.get("ports") or []):
            yield f"gives {name} a port of the host"
