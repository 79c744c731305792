"""What exists of one SergasMonitoring, without what differs between two that have the same spec."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

from kube import Namespace

KINDS = ("Secret", "Alertmanager", "Prometheus", "Service", "PodDisruptionBudget", "StatefulSet")
# Set by the API server, or derived from the name and the uid of the owner.
METADATA = ("uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "namespace", "selfLink")
HASHES = ("monitoring.sergas.com/desired-hash", "monitoring.sergas.com/config-hash")
ADDRESSES = ("clusterIP", "clusterIPs")
# A receiver of this name tells which configuration runs. The digest's URL in the configuration contains the name.
CONFIG_HASH = re.compile("_config-[0-9a-f]{16}")
TOKEN_KEY = "_digest-token"


def children(namespace: Namespace, name: str) -> dict[str, Any]:
    """The children of the SergasMonitoring `name`, by kind and name, with NAME in place of its name."""
    found = {}
    for kind in KINDS:
        for body in namespace.list(kind):
            own = body["metadata"]["name"]
            if own == name or own.startswith(f"{name}-"):
                found[f"{kind} {own}"] = _comparable(body)
    return dict(json.loads(CONFIG_HASH.sub("_config-HASH", json.dumps(found).replace(name, "NAME"))))


def conditions(namespace: Namespace, name: str) -> dict[str, tuple[str, str]]:
    """Status and reason of each condition."""
    listed = namespace.status(name).get("conditions") or []
    return {condition["type"]: (condition["status"], condition["reason"]) for condition in listed}


def difference(one: Any, other: Any, path: str = "") -> str | None:
    """The first difference, with its path; None when they are equal."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = sorted(one.keys() | other.keys())
        found = (difference(one.get(key), other.get(key), f"{path}.{key}") for key in keys)
        return next((text for text in found if text), None)
    return None if one == other else f"{path}: {one!r} instead of {other!r}"


def _comparable(body: dict[str, Any]) -> dict[str, Any]:
    metadata = {key: value for key, value in body["metadata"].items() if key not in METADATA}
    annotations = {key: value for key, value in metadata.get("annotations", {}).items() if key not in HASHES}
    owners = [{**owner, "uid": ""} for owner in metadata.get("ownerReferences", ())]
    content = {key: value for key, value in body.items() if key not in ("metadata", "status")}
    if "data" in content:
        decoded = {key: base64.b64decode(value).decode() for key, value in content["data"].items()}
        content["data"] = {**decoded, TOKEN_KEY: ""}
    if "spec" in content:
        content["spec"] = {key: value for key, value in content["spec"].items() if key not in ADDRESSES}
    return {**content, "metadata": {**metadata, "annotations": annotations, "ownerReferences": owners}}
