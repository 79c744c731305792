"""The objects of the demo, read from `manifests/` with what is only known at run time put in."""

import base64
import secrets
from typing import Any

import yaml

from sergas_demo.kube import Kube, Object, path
from sergas_demo.places import APPLICATION, DEMO_NAMESPACE, MANIFESTS, NAMESPACE

MADE_BY = {"app.kubernetes.io/managed-by": "sergas-demo"}
"""Label of every object that the demo applies in its namespaces."""

SINK = f"http://sink.{DEMO_NAMESPACE}.svc:8080"
SMTP_USER = "alerts"


def read(name: str) -> list[Object]:
    """The objects of a file in `manifests/`."""
    return [item for item in yaml.safe_load_all((MANIFESTS / name).read_text()) if item]


def namespaces() -> list[Object]:
    """Both namespaces, to be created; pods in them must keep to the restricted pod security standard."""
    return read("namespaces.yaml")


def far_end(image: str, namespace: str = DEMO_NAMESPACE) -> list[Object]:
    """The sink."""
    return in_namespace(with_image(read("sink.yaml"), image), namespace)


def application(image: str) -> list[Object]:
    """The application, which makes its own load, and in which faults can be switched on."""
    objects = with_faults([item for item in yaml.safe_load_all(APPLICATION.read_text()) if item])
    return in_namespace(with_image(objects, image), DEMO_NAMESPACE)


def sergas_monitoring() -> Object:
    """The SergasMonitoring as the demo first applies it."""
    return read("sergasmonitoring.yaml")[0]


def labelled(objects: list[Object]) -> list[Object]:
    """Label objects as the demo's own, so that it finds them again when it is removed."""
    for item in objects:
        item["metadata"]["labels"] = {**item["metadata"].get("labels", {}), **MADE_BY}
    return objects


def with_image(objects: list[Object], image: str) -> list[Object]:
    """Set the image of every container of every Deployment."""
    for item in objects:
        if item["kind"] == "Deployment":
            for container in item["spec"]["template"]["spec"]["containers"]:
                container["image"] = image
    return objects


def with_faults(objects: list[Object]) -> list[Object]:
    """Let faults be switched on in the application's Deployments."""
    for item in objects:
        if item["kind"] == "Deployment":
            for container in item["spec"]["template"]["spec"]["containers"]:
                container["env"].append({"name": "SERGAS_FAULTS", "value": "enabled"})
    return objects


def in_namespace(objects: list[Object], namespace: str) -> list[Object]:
    """Move objects to another namespace."""
    for item in objects:
        item["metadata"]["namespace"] = namespace
    return objects


def receiver_secrets(kube: Kube) -> list[Object]:
    """The receivers' Secrets, and the sink's mail login; values that are there already are kept."""
    password = existing(kube, NAMESPACE, "mail", "password") or secrets.token_urlsafe(24)
    routing_key = existing(kube, NAMESPACE, "pagerduty", "routing-key") or secrets.token_hex(16)
    values: dict[str, dict[str, Any]] = {
        "slack": {"critical-url": f"{SINK}/slack/critical", "warnings-url": f"{SINK}/slack/warnings"},
        "pagerduty": {"routing-key": routing_key},
        "mail": {"password": password},
        "hook": {"url": f"{SINK}/webhook/ops"},
    }
    login = secret(DEMO_NAMESPACE, "sink-login", {"username": SMTP_USER, "password": password})
    return [*(secret(NAMESPACE, name, data) for name, data in values.items()), login]


def secret(namespace: str, name: str, values: dict[str, str]) -> Object:
    """A Secret to apply. The label lets receivers use it."""
    meta = {"name": name, "namespace": namespace, "labels": {"monitoring.sergas.com/receiver": "true"}}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "stringData": values}


def existing(kube: Kube, namespace: str, name: str, key: str) -> str:
    """The value of a Secret's key; empty where there is none."""
    found = kube.get(path("v1", namespace, "secrets", name)) or {}
    return base64.b64decode((found.get("data") or {}).get(key, "")).decode()
