"""The digest service: it is fed by Alertmanager, keeps info alerts on its volume, and mails them once an interval."""

from __future__ import annotations

import json
from typing import Any

from sergas_operator import names
from sergas_operator.desired.routes import DIGEST
from sergas_operator.duration import to_seconds
from sergas_operator.hearers import digest_receivers
from sergas_operator.receivers import value_key
from sergas_operator.settings import Settings
from sergas_operator.spec import Monitoring, Receiver, Spec

# Its key in the config Secret; receivers' keys cannot begin with an underscore.
CONFIG_KEY = "_digest.json"
FILE = "digest.json"
FOLDER = "/etc/sergas-digest"
STATE = "/var/lib/sergas-digest"
PORT = 8080
# Ten thousand alerts of some kilobytes each, and as much again for the database's own files.
VOLUME = "1Gi"
USER = 10001


def feed(monitoring: Monitoring) -> dict[str, Any]:
    """The receiver by which Alertmanager tells the digest."""
    url = f"http://{names.digest(monitoring.name)}.{monitoring.namespace}.svc:{PORT}/alerts"
    return {"name": DIGEST, "webhook_configs": [{"send_resolved": True, "url": url}]}


def digest_config(spec: Spec) -> bytes:
    """What the digest reads, passwords aside: those are files beside it."""
    document = {
        "interval": to_seconds(spec.routing.info.digest),
        "environment": spec.environment,
        "receivers": [_receiver(receiver) for receiver in digest_receivers(spec)],
    }
    return json.dumps(document, indent=1).encode()


def _receiver(receiver: Receiver) -> dict[str, Any]:
    email = receiver.email
    assert email is not None  # noqa: S101  # digest_receivers chooses only those
    key = value_key(receiver)
    return {
        "name": receiver.name,
        "to": list(email.to),
        "from": email.from_,
        "smarthost": email.smarthost,
        "requireTLS": email.require_tls,
        "username": email.auth_username or "",
        "passwordFile": f"{FOLDER}/{key}" if key else "",
    }


def digest_service(monitoring: Monitoring) -> dict[str, Any]:
    """The Service Alertmanager and Prometheus reach it by."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": names.metadata(monitoring, names.digest(monitoring.name), names.DIGEST),
        "spec": {
            "type": "ClusterIP",
            "selector": _selector(monitoring),
            "ports": [{"name": names.PORT_NAME, "port": PORT, "targetPort": names.PORT_NAME, "protocol": "TCP"}],
        },
    }


def digest_stateful_set(monitoring: Monitoring, settings: Settings) -> dict[str, Any]:
    """One replica while a mail receiver hears of info, none otherwise: the operator never deletes anything."""
    storage = monitoring.spec.alertmanager.storage
    name = names.digest(monitoring.name)
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": names.metadata(monitoring, name, names.DIGEST),
        "spec": {
            "replicas": 1 if digest_receivers(monitoring.spec) else 0,
            "serviceName": name,
            "selector": {"matchLabels": _selector(monitoring)},
            "persistentVolumeClaimRetentionPolicy": {"whenDeleted": storage.when_deleted, "whenScaled": "Retain"},
            "template": {
                "metadata": {"labels": names.labels(monitoring, names.DIGEST)},
                "spec": _pod(monitoring, settings),
            },
            "volumeClaimTemplates": [_claim(monitoring)],
        },
    }


def _selector(monitoring: Monitoring) -> dict[str, str]:
    return {names.NAME: names.DIGEST, names.INSTANCE: monitoring.name}


def _pod(monitoring: Monitoring, settings: Settings) -> dict[str, Any]:
    scheduling = monitoring.spec.alertmanager.scheduling
    optional = {
        "nodeSelector": scheduling.node_selector,
        "tolerations": list(scheduling.tolerations),
        "imagePullSecrets": [{"name": name} for name in settings.image_pull_secrets],
    }
    return {
        "serviceAccountName": settings.alertmanager_service_account,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        # A mail under way takes 30 s at most.
        "terminationGracePeriodSeconds": 60,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(settings)],
        "volumes": [{"name": "config", "secret": _mounted(monitoring)}],
        **{name: value for name, value in optional.items() if value},
    }


def _container(settings: Settings) -> dict[str, Any]:
    return {
        "name": "digest",
        "image": settings.digest_image,
        "command": ["python", "-m", "sergas_digest"],
        "ports": [{"name": names.PORT_NAME, "containerPort": PORT, "protocol": "TCP"}],
        "readinessProbe": _probe("/readyz", 5),
        "livenessProbe": _probe("/healthz", 20),
        "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "config", "mountPath": FOLDER, "readOnly": True},
            {"name": "state", "mountPath": STATE},
        ],
    }


def _probe(path: str, period: int) -> dict[str, Any]:
    return {"httpGet": {"path": path, "port": names.PORT_NAME}, "periodSeconds": period, "timeoutSeconds": 5}


def _mounted(monitoring: Monitoring) -> dict[str, Any]:
    """Its own keys of the config Secret and no others: it has no use for Slack's addresses."""
    passwords = [key for receiver in digest_receivers(monitoring.spec) if (key := value_key(receiver))]
    return {
        "secretName": names.config_secret(monitoring.name),
        "items": [{"key": CONFIG_KEY, "path": FILE}, *({"key": key, "path": key} for key in passwords)],
        # A password that never was there must not keep the others' digests from running.
        "optional": True,
    }


def _claim(monitoring: Monitoring) -> dict[str, Any]:
    storage = monitoring.spec.alertmanager.storage
    spec: dict[str, Any] = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": VOLUME}}}
    if storage.storage_class_name:
        spec["storageClassName"] = storage.storage_class_name
    return {"metadata": {"name": "state", "labels": names.volume_labels(monitoring.name, names.DIGEST)}, "spec": spec}
