"""The operator's settings from environment variables. Only `read` reads them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sergas_operator.errors import OperatorError
from sergas_operator.model.spec import PAGERDUTY_URLS


class SettingsError(OperatorError):
    """An environment variable is missing or has an invalid value."""


@dataclass(frozen=True)
class Settings:
    """The operator's settings. Ports of 0 mean any free port.

    Attributes:
        namespaces: the namespaces whose SergasMonitorings are reconciled; never empty.
        resync_seconds: how often every SergasMonitoring is compared with the live cluster.
        workers: how many SergasMonitorings are reconciled at a time.
        digest_image: the operator's own image, which also contains the digest. Empty: read it from the operator's pod.
        image_pull_secrets: Secrets with which the digest's image is pulled.
        assign_ids: whether pods get fixed user and group IDs. False where the cluster assigns them, as OpenShift does.
        pagerduty_urls: URLs to which receivers may send routing keys.
        identity: the release this operator belongs to, as `namespace/name`. Two operators with different identities
            never serve one namespace.
        pod: namespace and name of the operator's own pod; empty outside of a cluster.
    """

    namespaces: tuple[str, ...] = ("default",)
    resync_seconds: float = 300.0
    workers: int = 8
    prometheus_service_account: str = "sergas-prometheus"
    alertmanager_service_account: str = "sergas-alertmanager"
    prometheus_image: str = "quay.io/prometheus/prometheus:v3.13.5"
    alertmanager_image: str = "quay.io/prometheus/alertmanager:v0.35.0"
    digest_image: str = "ghcr.io/sergas/sergas-operator:0.1.0"
    image_pull_secrets: tuple[str, ...] = ()
    assign_ids: bool = True
    pagerduty_urls: tuple[str, ...] = PAGERDUTY_URLS
    identity: str = "local/sergas-operator"
    pod: tuple[str, str] | None = None
    metrics_port: int = 8080
    health_port: int = 8081
    log_level: str = "INFO"
    log_format: str = "json"


def read(environment: Mapping[str, str]) -> Settings:
    """Return the settings in `environment`; README.md of the chart lists the variables.

    Raises:
        SettingsError: naming the variable and what to set it to.
    """
    default = Settings()
    pod_namespace, pod_name = environment.get("SERGAS_POD_NAMESPACE", ""), environment.get("SERGAS_POD_NAME", "")
    pod = (pod_namespace, pod_name) if pod_namespace and pod_name else None
    return Settings(
        namespaces=_namespaces(environment),
        resync_seconds=_number(environment, "SERGAS_RESYNC_SECONDS", int(default.resync_seconds), 1, 86400),
        workers=_number(environment, "SERGAS_WORKERS", default.workers, 1, 64),
        prometheus_service_account=environment.get(
            "SERGAS_PROMETHEUS_SERVICE_ACCOUNT", default.prometheus_service_account
        ),
        alertmanager_service_account=environment.get(
            "SERGAS_ALERTMANAGER_SERVICE_ACCOUNT", default.alertmanager_service_account
        ),
        prometheus_image=_image(environment, "SERGAS_PROMETHEUS_IMAGE", default.prometheus_image),
        alertmanager_image=_image(environment, "SERGAS_ALERTMANAGER_IMAGE", default.alertmanager_image),
        digest_image=environment.get("SERGAS_DIGEST_IMAGE", "") or ("" if pod else default.digest_image),
        image_pull_secrets=_names(environment, "SERGAS_IMAGE_PULL_SECRETS"),
        assign_ids=_choice(environment, "SERGAS_ASSIGN_IDS", ("true", "false"), "true") == "true",
        pagerduty_urls=_names(environment, "SERGAS_ALLOWED_PAGERDUTY_URLS") or default.pagerduty_urls,
        identity=environment.get("SERGAS_IDENTITY", "") or default.identity,
        pod=pod,
        metrics_port=_number(environment, "SERGAS_METRICS_PORT", default.metrics_port, 0, 65535),
        health_port=_number(environment, "SERGAS_HEALTH_PORT", default.health_port, 0, 65535),
        log_level=_choice(environment, "SERGAS_LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR"), default.log_level),
        log_format=_choice(environment, "SERGAS_LOG_FORMAT", ("json", "plain"), default.log_format),
    )


def version(image: str) -> str:
    """Return the version in an image's tag, which prometheus-operator needs to configure that version.

    Raises:
        SettingsError: the tag is not a version.
    """
    tag = re.search(r":(v[0-9]+\.[0-9]+\.[0-9]+[-.+a-zA-Z0-9]*)(@sha256:[0-9a-f]{64})?$", image)
    if tag is None:
        raise SettingsError(
            f"the image {image!r} has no version as its tag: write one such as quay.io/prometheus/prometheus:v3.13.5"
        )
    return tag[1]


def _names(environment: Mapping[str, str], variable: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in environment.get(variable, "").split(",") if name.strip())


def _namespaces(environment: Mapping[str, str]) -> tuple[str, ...]:
    names = _names(environment, "SERGAS_NAMESPACES")
    if not names:
        raise SettingsError("SERGAS_NAMESPACES is empty: set it to the namespaces to serve, such as monitoring")
    return names


def _number(environment: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = environment.get(name, "") or str(default)
    if not text.isdigit() or not least <= int(text) <= most:
        raise SettingsError(f"{name} is {text!r}: set it to a whole number from {least} to {most}, such as {default}")
    return int(text)


def _choice(environment: Mapping[str, str], name: str, choices: tuple[str, ...], default: str) -> str:
    text = environment.get(name, "") or default
    found = next((choice for choice in choices if choice.lower() == text.lower()), None)
    if found is None:
        raise SettingsError(f"{name} is {text!r}: set it to one of {', '.join(choices)}")
    return found


def _image(environment: Mapping[str, str], name: str, default: str) -> str:
    image = environment.get(name, "") or default
    version(image)
    return image
