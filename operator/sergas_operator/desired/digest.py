"""The digest service: it stores the info alerts that Alertmanager sends, and mails them once an interval."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from sergas_operator.desired import workloads
from sergas_operator.desired.inputs import Inputs
from sergas_operator.desired.integrations import FOLDER as ALERTMANAGER_FOLDER
from sergas_operator.desired.receivers import value_key
from sergas_operator.desired.recipients import digest_receivers
from sergas_operator.desired.routes import DIGEST
from sergas_operator.model import names
from sergas_operator.model.duration import to_seconds
from sergas_operator.model.spec import Monitoring, Receiver, Spec
from sergas_operator.settings import Settings

# Keys of the config Secret: the digest's configuration, and the token by which it authenticates Alertmanager.
# Receivers' keys cannot begin with an underscore.
CONFIG_KEY = "_digest.json"
TOKEN_KEY = "_digest-token"  # noqa: S105  # the name of a key
TOKEN_FILE = "token"  # noqa: S105  # the name of a file
FILE = "digest.json"
FOLDER = "/etc/sergas-digest"
STATE = "/var/lib/sergas-digest"
PORT = 8080
# 10,000 alerts of some kilobytes each, and as much again for the database's own files.
VOLUME = "1Gi"
# Of the user in the operator's image.
IDS = {"runAsUser": 10001, "runAsGroup": 10001, "fsGroup": 10001}


def digest_webhook(monitoring: Monitoring) -> dict[str, Any]:
    """The Alertmanager receiver that delivers info alerts to the digest."""
    url = f"http://{names.digest(monitoring.name)}.{monitoring.namespace}.svc:{PORT}/alerts"
    authorization = {"type": "Bearer", "credentials_file": f"{ALERTMANAGER_FOLDER}/{TOKEN_KEY}"}
    webhook = {"send_resolved": True, "url": url, "http_config": {"authorization": authorization}}
    return {"name": DIGEST, "webhook_configs": [webhook]}


def digest_config(spec: Spec) -> bytes:
    """The digest's configuration. Passwords and the token are files beside it."""
    document = {
        "interval": to_seconds(spec.routing.info.digest),
        "environment": spec.environment,
        "receivers": [_receiver(receiver) for receiver in digest_receivers(spec)],
        "tokenFile": f"{FOLDER}/{TOKEN_FILE}",
    }
    return json.dumps(document, indent=1).encode()


def _receiver(receiver: Receiver) -> dict[str, Any]:
    email = receiver.email
    assert email is not None  # noqa: S101  # digest_receivers returns only email receivers
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


def digest_service(inputs: Inputs) -> dict[str, Any]:
    """The Service by which Alertmanager and Prometheus connect to the digest."""
    monitoring = inputs.monitoring
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


def digest_stateful_set(inputs: Inputs) -> dict[str, Any]:
    """The StatefulSet with the digest's only pod."""
    monitoring, settings = inputs.monitoring, inputs.settings
    storage = monitoring.spec.alertmanager.storage
    name = names.digest(monitoring.name)
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": names.metadata(monitoring, name, names.DIGEST),
        "spec": {
            "replicas": 1,
            # With OrderedReady a corrected image does not replace a pod whose image cannot be pulled.
            "podManagementPolicy": "Parallel",
            "serviceName": name,
            "selector": {"matchLabels": _selector(monitoring)},
            "persistentVolumeClaimRetentionPolicy": {"whenDeleted": storage.when_deleted, "whenScaled": "Retain"},
            "template": {
                "metadata": {"labels": names.labels(monitoring, names.DIGEST)},
                "spec": _pod(monitoring, settings),
            },
            "volumeClaimTemplates": [_claim_template(inputs)],
        },
    }


def _selector(monitoring: Monitoring) -> dict[str, str]:
    return {names.NAME: names.DIGEST, names.INSTANCE: monitoring.name}


def _pod(monitoring: Monitoring, settings: Settings) -> dict[str, Any]:
    scheduling = monitoring.spec.alertmanager.scheduling
    optional = {
        "nodeSelector": scheduling.node_selector,
        "tolerations": list(scheduling.tolerations),
        "priorityClassName": scheduling.priority_class_name,
        "imagePullSecrets": [{"name": name} for name in settings.image_pull_secrets],
    }
    return {
        "serviceAccountName": settings.alertmanager_service_account,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        # Sending a mail takes at most 30 s.
        "terminationGracePeriodSeconds": 60,
        "securityContext": workloads.security_context(settings, IDS),
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
    """The digest's own keys of the config Secret and no others."""
    passwords = [key for receiver in digest_receivers(monitoring.spec) if (key := value_key(receiver))]
    return {
        "secretName": names.config_secret(monitoring.name),
        "items": [
            {"key": CONFIG_KEY, "path": FILE},
            {"key": TOKEN_KEY, "path": TOKEN_FILE},
            *({"key": key, "path": key} for key in passwords),
        ],
        # A password that is missing must not keep the other receivers' digests from running.
        "optional": True,
    }


def _claim_template(inputs: Inputs) -> dict[str, Any]:
    monitoring = inputs.monitoring
    storage = msgspec.structs.replace(monitoring.spec.alertmanager.storage, size=VOLUME)
    metadata = {"name": "state", "labels": names.volume_labels(monitoring.name, names.DIGEST)}
    return {"metadata": metadata, "spec": workloads.claim_spec(workloads.claim_of(inputs, names.DIGEST, storage))}
