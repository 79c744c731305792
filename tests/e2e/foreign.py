"""Objects that somebody else has in a namespace, none of them this product's, and whether they are as they were."""

from dataclasses import dataclass, field

from sergas_demo.kube import Kube, Object, path
from sergas_demo.waiting import expect, until

from sergas_operator.settings import Settings

NAME = "theirs"
LABELS = {"app.kubernetes.io/name": NAME}
PAUSE = "registry.k8s.io/pause:3.10"
KINDS = (
    ("apps/v1", "deployments"),
    ("v1", "secrets"),
    ("v1", "persistentvolumeclaims"),
    ("monitoring.coreos.com/v1", "prometheuses"),
)
START_SECONDS = 120


@dataclass
class Foreign:
    """A Deployment with a mounted volume, a Secret, and a Prometheus that the Prometheus Operator runs.

    Attributes:
        kube: The cluster.
        namespace: Where they are.
        creates_namespace: Whether the namespace is theirs too, without a label and with nothing of ours.
    """

    kube: Kube
    namespace: str
    creates_namespace: bool = False
    before: dict[str, object] = field(default_factory=dict)

    def create(self) -> None:
        """Create them, wait until all run, and note what they are."""
        if self.creates_namespace:
            self.kube.create(path("v1", "", "namespaces"), {"metadata": {"name": self.namespace}})
        self.kube.apply(*self._objects(), arguments=["--field-manager=somebody"])
        until("The start of the foreign objects", self._started, seconds=START_SECONDS)
        self.before = self.seen()

    def seen(self) -> dict[str, object]:
        """Identity, generation, labels and annotations of each object, pods and namespace included."""
        found = {plural: self._facts(path(api, self.namespace, plural, NAME)) for api, plural in KINDS}
        pods = self.kube.items(path("v1", self.namespace, "pods"))
        mine = [pod for pod in pods if pod["metadata"]["name"].startswith((f"{NAME}-", f"prometheus-{NAME}-"))]
        found["pods"] = sorted(pod["metadata"]["uid"] for pod in mine if not pod["metadata"].get("deletionTimestamp"))
        found["namespace"] = self._facts(path("v1", "", "namespaces", self.namespace))
        return found

    def unharmed(self) -> None:
        """Assert that each is as it was."""
        assert self.seen() == self.before

    def remove(self) -> None:
        """Delete them, and their namespace where it is theirs."""
        for api, plural in KINDS:
            self.kube.delete(path(api, self.namespace, plural, NAME))
        if self.creates_namespace:
            self.kube.delete(path("v1", "", "namespaces", self.namespace))

    def _facts(self, place: str) -> object:
        found = self.kube.get(place)
        if found is None:
            return "gone"
        meta, phase = found["metadata"], (found.get("status") or {}).get("phase")
        facts = {key: meta.get(key) for key in ("uid", "generation", "labels", "annotations", "deletionTimestamp")}
        return facts | {"phase": phase, "data": found.get("data")}

    def _started(self) -> None:
        expect(len(self.seen()["pods"]) == 2, "not both pods are there")  # type: ignore[arg-type]  a list
        for pod in self.kube.items(path("v1", self.namespace, "pods")):
            expect(pod["status"].get("phase") == "Running", f"{pod['metadata']['name']} does not run yet")
        claim = self.kube.get(path("v1", self.namespace, "persistentvolumeclaims", NAME)) or {}
        expect(claim.get("status", {}).get("phase") == "Bound", "the volume is not bound yet")
        server = self.kube.get(path("monitoring.coreos.com/v1", self.namespace, "prometheuses", NAME)) or {}
        expect((server.get("status") or {}).get("availableReplicas") == 1, "their Prometheus is not available yet")

    def _objects(self) -> list[Object]:
        meta = {"name": NAME, "namespace": self.namespace, "labels": LABELS}
        container = {"name": "pause", "image": PAUSE, "volumeMounts": [{"name": "data", "mountPath": "/data"}]}
        container["securityContext"] = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
        safe = {"runAsNonRoot": True, "runAsUser": 65534, "seccompProfile": {"type": "RuntimeDefault"}}
        volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": NAME}}]
        pod = {"containers": [container], "volumes": volumes, "securityContext": safe}
        return [
            {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "stringData": {"password": "theirs"}},
            {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "metadata": meta,
                "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
            },
            {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": meta,
                "spec": {
                    "selector": {"matchLabels": LABELS},
                    "template": {"metadata": {"labels": LABELS}, "spec": pod},
                },
            },
            {
                "apiVersion": "monitoring.coreos.com/v1",
                "kind": "Prometheus",
                "metadata": meta,
                "spec": {
                    "replicas": 1,
                    "image": Settings().prometheus_image,
                    "securityContext": {**safe, "fsGroup": 65534},
                    "resources": {"requests": {"cpu": "5m", "memory": "32Mi"}},
                },
            },
        ]
