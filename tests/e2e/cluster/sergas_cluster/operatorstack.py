"""prometheus-operator, as its own Go module ships it: custom resource definitions, rights, Deployment and Service."""

import json
import os
import shutil
import tempfile
from pathlib import Path

import yaml

from . import paths, pins, toolbuild
from .command import output
from .locks import held
from .terminal import step

NAMESPACE = "prometheus-operator"  # its own: users install the chart into theirs
PARTS = ("cluster-role", "cluster-role-binding", "service-account", "deployment", "service")
# No limits on the reloaders' CPU: a throttled reloader is a slow test. The module's own arguments ask for the Service
# kube-system/kubelet, which a ServiceMonitor of the kubelet selects.
ARGUMENTS = ("--config-reloader-cpu-limit=0", "--config-reloader-memory-limit=0")


def folder() -> Path:
    """Folder with crds/*.yaml and rbac/*.yaml, copied out of the Go module cache once for each pinned version."""
    unit = pins.select(["prometheus-operator"])[0]
    sums = (pins.module_folder(unit) / "go.sum").read_bytes()
    target = paths.tools() / f"prometheus-operator-manifests-{toolbuild.digest([sums])}"
    if not target.exists():
        with held(paths.tools() / ".lock", "building tools"):
            if not target.exists():
                with step("fetching prometheus-operator's manifests", "fetched prometheus-operator's manifests"):
                    _copy(pins.module_folder(unit), target)
    return target


def _copy(module: Path, target: Path) -> None:
    argv = ["go", "mod", "download", "-json", pins.OPERATOR]
    environment = os.environ | toolbuild.BUILD_ENVIRONMENT
    source = Path(json.loads(output(argv, "fetch prometheus-operator", cwd=module, env=environment))["Dir"])
    with tempfile.TemporaryDirectory(prefix=".copying-", dir=target.parent) as scratch:
        whole = Path(scratch) / "whole"
        for name, place in {
            "crds": "example/prometheus-operator-crd",
            "rbac": "example/rbac/prometheus-operator",
        }.items():
            (whole / name).mkdir(parents=True)
            for file in sorted((source / place).glob("*.yaml")):
                shutil.copyfile(file, whole / name / file.name)
        whole.rename(target)


def crds() -> Path:
    """Folder of the custom resource definitions."""
    return folder() / "crds"


def manifest(rbac: Path) -> str:
    """Namespace, rights, Deployment and Service as one YAML text, from the module's rbac folder."""
    objects: list[dict[str, object]] = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}]
    for part in PARTS:
        objects.append(in_namespace(yaml.safe_load((rbac / f"prometheus-operator-{part}.yaml").read_text())))
    return yaml.safe_dump_all(objects)


def in_namespace(thing: dict) -> dict:
    """The object moved to our namespace, a Deployment with our arguments."""
    if thing["kind"] not in {"ClusterRole", "ClusterRoleBinding"}:
        thing["metadata"]["namespace"] = NAMESPACE
    for subject in thing.get("subjects", []):
        subject["namespace"] = NAMESPACE
    if thing["kind"] == "Deployment":
        container = thing["spec"]["template"]["spec"]["containers"][0]
        container["args"] = [*container["args"], *ARGUMENTS]
        container["resources"] = {"requests": {"cpu": "20m", "memory": "64Mi"}, "limits": {"memory": "300Mi"}}
    return thing
