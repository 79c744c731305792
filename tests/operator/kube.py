"""A namespace of the test control plane, spoken to over plain HTTP: a request takes 2 ms where kubectl
takes 80.
"""

from __future__ import annotations

import base64
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from controlplane import TOKENS, ControlPlane

PATHS = {
    "SergasMonitoring": "apis/monitoring.sergas.com/v1alpha1/namespaces/{}/sergasmonitorings",
    "Prometheus": "apis/monitoring.coreos.com/v1/namespaces/{}/prometheuses",
    "Alertmanager": "apis/monitoring.coreos.com/v1/namespaces/{}/alertmanagers",
    "Secret": "api/v1/namespaces/{}/secrets",
    "Service": "api/v1/namespaces/{}/services",
    "PersistentVolumeClaim": "api/v1/namespaces/{}/persistentvolumeclaims",
    "StatefulSet": "apis/apps/v1/namespaces/{}/statefulsets",
    "PodDisruptionBudget": "apis/policy/v1/namespaces/{}/poddisruptionbudgets",
    "Event": "api/v1/namespaces/{}/events",
    "Lease": "apis/coordination.k8s.io/v1/namespaces/{}/leases",
}
CHILDREN = [
    ("Secret", "sergas-alertmanager-config"),
    ("Alertmanager", "sergas"),
    ("Prometheus", "sergas"),
    ("Service", "sergas-prometheus"),
    ("Service", "sergas-alertmanager"),
    ("PodDisruptionBudget", "sergas-prometheus"),
    ("PodDisruptionBudget", "sergas-alertmanager"),
]
WAIT_SECONDS = 20.0


class Refused(Exception):  # noqa: N818  # reads as what the API server did
    """The API server refused a request; the text is its own sentence."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class Namespace:
    """One namespace, as admin."""

    control_plane: ControlPlane
    name: str

    def request(self, method: str, path: str, body: Any = None, content_type: str = "application/json") -> Any:
        """The parsed answer; raises Refused."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {TOKENS['admin']}", "Content-Type": content_type}
        url = f"{self.control_plane.url}/{path}"
        request = urllib.request.Request(url, data=data, headers=headers, method=method)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=10, context=self.control_plane.tls) as answer:  # noqa: S310
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise Refused(error.code, json.loads(error.read())["message"]) from None

    def create(self, spec: dict[str, Any] | None = None, name: str = "sergas") -> Any:
        """Creates a SergasMonitoring, refusing unknown fields as kubectl does."""
        body = {
            "apiVersion": "monitoring.sergas.com/v1alpha1",
            "kind": "SergasMonitoring",
            "metadata": {"name": name},
            "spec": spec or {},
        }
        return self.request("POST", self._path("SergasMonitoring") + "?fieldValidation=Strict", body)

    def validate(self, body: dict[str, Any]) -> Any:
        """A SergasMonitoring as the API server would store it, with defaults; nothing is stored."""
        body = {
            **body,
            "apiVersion": "monitoring.sergas.com/v1alpha1",
            "kind": "SergasMonitoring",
            "metadata": {"name": body["metadata"]["name"]},
        }
        return self.request("POST", self._path("SergasMonitoring") + "?fieldValidation=Strict&dryRun=All", body)

    def patch(self, spec: dict[str, Any], name: str = "sergas") -> Any:
        """Merges `spec` into a SergasMonitoring's."""
        return self.patch_object("SergasMonitoring", name, {"spec": spec})

    def patch_object(self, kind: str, name: str, patch: Any, part: str = "") -> Any:
        """A merge patch, as admin."""
        path = f"{self._path(kind)}/{name}{part}?fieldValidation=Strict"
        return self.request("PATCH", path, patch, "application/merge-patch+json")

    def secret(self, name: str, *, allowed: bool = True, **data: str) -> Any:
        """Creates or replaces a Secret that receivers may use; underscores in keys become hyphens."""
        labels = {"monitoring.sergas.com/receiver": "true"} if allowed else {}
        encoded = {key.replace("_", "-"): base64.b64encode(value.encode()).decode() for key, value in data.items()}
        body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "labels": labels}, "data": encoded}
        if self.get("Secret", name):
            return self.request("PUT", f"{self._path('Secret')}/{name}", body)
        return self.request("POST", self._path("Secret"), body)

    def get(self, kind: str, name: str) -> Any:
        """An object, None when there is none."""
        try:
            return self.request("GET", f"{self._path(kind)}/{name}")
        except Refused as error:
            if error.status == 404:
                return None
            raise

    def list(self, kind: str) -> list[Any]:
        """Every object of a kind."""
        return list(self.request("GET", self._path(kind))["items"])

    def delete(self, kind: str, name: str) -> None:
        """Deletes an object."""
        self.request("DELETE", f"{self._path(kind)}/{name}")

    def status(self, name: str = "sergas") -> dict[str, Any]:
        """The status of a SergasMonitoring, empty while there is none."""
        body = self.get("SergasMonitoring", name)
        return dict((body or {}).get("status") or {})

    def condition(self, kind: str, name: str = "sergas") -> dict[str, Any]:
        """One condition of a SergasMonitoring, empty while there is none."""
        listed = self.status(name).get("conditions") or []
        return next((condition for condition in listed if condition["type"] == kind), {})

    def secret_data(self, name: str) -> dict[str, str]:
        """The decoded data of a Secret, empty when there is none."""
        body = self.get("Secret", name) or {}
        return {key: base64.b64decode(value).decode() for key, value in (body.get("data") or {}).items()}

    def wait(self, what: str, holds: Callable[[], Any], seconds: float = WAIT_SECONDS) -> Any:
        """What `holds` returns once it is true."""
        deadline = time.monotonic() + seconds
        while not (result := holds()):
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {seconds:g} s: {what}; status: {json.dumps(self.status(), indent=1)}")
            time.sleep(0.02)
        return result

    def wait_for_children(self) -> None:
        """Returns once every child of `sergas` is there and the status speaks of the newest generation."""
        self.wait("every child exists", lambda: all(self.get(kind, name) for kind, name in CHILDREN))
        self.wait_for_status()

    def wait_for_status(self) -> None:
        """Returns once the status speaks of the newest generation."""

        def current() -> bool:
            body = self.get("SergasMonitoring", "sergas")
            return bool((body.get("status") or {}).get("observedGeneration") == body["metadata"]["generation"])

        self.wait("the status is current", current)

    def wait_for_condition(self, kind: str, reason: str, seconds: float = WAIT_SECONDS) -> dict[str, Any]:
        """A condition once it has `reason`."""
        self.wait(f"{kind} is {reason}", lambda: self.condition(kind).get("reason") == reason, seconds)
        return self.condition(kind)

    def settle_as_prometheus_operator(self, kind: str = "Prometheus", **status: Any) -> None:
        """Writes the status prometheus-operator writes when all is well, for there are no pods here."""
        body = self.get(kind, "sergas")
        replicas, generation = body["spec"]["replicas"], body["metadata"]["generation"]
        condition = {"status": "True", "observedGeneration": generation, "lastTransitionTime": "2026-01-01T00:00:00Z"}
        settled = {
            "paused": False,
            "replicas": replicas,
            "updatedReplicas": replicas,
            "availableReplicas": replicas,
            "unavailableReplicas": 0,
            "conditions": [condition | {"type": kind} for kind in ("Available", "Reconciled")],
        }
        self.patch_object(kind, "sergas", {"status": settled | status}, "/status")
        self._settle_stateful_set(kind, body)

    def _settle_stateful_set(self, kind: str, body: Any) -> None:
        """Writes the StatefulSet that prometheus-operator makes, with all its pods up to date."""
        part, spec, replicas = kind.lower(), body["spec"], body["spec"]["replicas"]
        argument = {"prometheus": "--storage.tsdb.retention.time", "alertmanager": "--data.retention"}[part]
        labels = body["metadata"]["labels"] | {"app.kubernetes.io/managed-by": "prometheus-operator"}
        container = {"name": part, "image": spec["image"], "args": [f"{argument}={spec['retention']}"]}
        template = {"metadata": {"labels": {"set": part}}, "spec": {"containers": [container]}}
        claim = spec["storage"]["volumeClaimTemplate"]
        content = {
            "replicas": replicas,
            "serviceName": f"{part}-operated",
            "selector": {"matchLabels": {"set": part}},
            "template": template,
            "volumeClaimTemplates": [{"metadata": {"name": "db"}, "spec": claim["spec"]}],
        }
        name = f"{part}-sergas"
        if self.get("StatefulSet", name) is None:
            metadata = {"name": name, "labels": labels}
            document = {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": metadata, "spec": content}
            self.request("POST", self._path("StatefulSet"), document)
        else:
            self.patch_object("StatefulSet", name, {"spec": {"replicas": replicas, "template": template}})
        generation = self.get("StatefulSet", name)["metadata"]["generation"]
        counts = {"replicas": replicas, "readyReplicas": replicas, "updatedReplicas": replicas}
        self.patch_object("StatefulSet", name, {"status": counts | {"observedGeneration": generation}}, "/status")

    def empty(self) -> None:
        """Deletes everything a test may have left, and returns once it is gone."""
        kinds = [kind for kind in PATHS if kind != "Lease"]
        for kind in kinds:
            self.request("DELETE", self._path(kind))
        self.wait("nothing is left", lambda: not any(self.list(kind) for kind in kinds if kind != "Event"))

    def _path(self, kind: str) -> str:
        return PATHS[kind].format(self.name)
