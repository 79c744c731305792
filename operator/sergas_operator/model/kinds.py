"""The kinds of objects this operator reads or writes, and their API paths."""

from __future__ import annotations

from dataclasses import dataclass

from sergas_operator.model import spec


@dataclass(frozen=True)
class Kind:
    """A namespaced kind. `group` is empty for the core API."""

    name: str
    group: str
    version: str
    plural: str

    @property
    def api_version(self) -> str:
        """The apiVersion of its objects."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str, name: str = "", subresource: str = "") -> str:
        """The URL path of an object, or of the collection when `name` is empty."""
        root = "apis" if self.group else "api"
        parts = (root, self.api_version, "namespaces", namespace, self.plural, name, subresource)
        return "/" + "/".join(part for part in parts if part)


SERGAS_MONITORING = Kind(spec.KIND, spec.GROUP, spec.VERSION, "sergasmonitorings")
PROMETHEUS = Kind("Prometheus", "monitoring.coreos.com", "v1", "prometheuses")
ALERTMANAGER = Kind("Alertmanager", "monitoring.coreos.com", "v1", "alertmanagers")
SERVICE_MONITOR = Kind("ServiceMonitor", "monitoring.coreos.com", "v1", "servicemonitors")
SECRET = Kind("Secret", "", "v1", "secrets")
SERVICE = Kind("Service", "", "v1", "services")
POD = Kind("Pod", "", "v1", "pods")
EVENT = Kind("Event", "", "v1", "events")
VOLUME_CLAIM = Kind("PersistentVolumeClaim", "", "v1", "persistentvolumeclaims")
STATEFUL_SET = Kind("StatefulSet", "apps", "v1", "statefulsets")
DISRUPTION_BUDGET = Kind("PodDisruptionBudget", "policy", "v1", "poddisruptionbudgets")
ENDPOINT_SLICE = Kind("EndpointSlice", "discovery.k8s.io", "v1", "endpointslices")
LEASE = Kind("Lease", "coordination.k8s.io", "v1", "leases")
ROLE_BINDING = Kind("RoleBinding", "rbac.authorization.k8s.io", "v1", "rolebindings")

# Kinds defined by CRDs, which may be missing when the operator starts.
CUSTOM = (SERGAS_MONITORING, PROMETHEUS, ALERTMANAGER)
