"""A SergasMonitoring and what its status says."""

from sergas_demo.kube import Kube, Object, condition, path
from sergas_demo.waiting import NotYet, expect

API = "monitoring.sergas.com/v1alpha1"
PLURAL = "sergasmonitorings"


def resource(name: str, spec: Object) -> Object:
    """A SergasMonitoring to apply."""
    return {"apiVersion": API, "kind": "SergasMonitoring", "metadata": {"name": name}, "spec": spec}


def where(namespace: str, name: str) -> str:
    """Its API path."""
    return path(API, namespace, PLURAL, name)


def read(kube: Kube, namespace: str, name: str) -> Object:
    """The resource as it is.

    Raises:
        NotYet: When there is none.
    """
    found = kube.get(where(namespace, name))
    if found is None:
        raise NotYet(f"there is no SergasMonitoring {namespace}/{name}")
    return found


def current(kube: Kube, namespace: str, name: str) -> Object:
    """The resource, once its status speaks of its newest generation.

    Raises:
        NotYet: While it does not.
    """
    found = read(kube, namespace, name)
    observed = (found.get("status") or {}).get("observedGeneration")
    wanted = found["metadata"]["generation"]
    expect(observed == wanted, f"the status speaks of generation {observed}, the spec is at {wanted}")
    return found


def has(kube: Kube, namespace: str, name: str, kind: str, status: str = "True") -> Object:
    """The resource, once a condition of its newest generation has a status.

    Raises:
        NotYet: While it has another; tells its reason and message, and the replicas.
    """
    found = current(kube, namespace, name)
    seen = condition(found, kind)
    expect(seen["status"] == status, f"{kind}={seen['status']} {seen['reason']}: {seen['message']}{_replicas(found)}")
    return found


def settled(kube: Kube, namespace: str, name: str) -> Object:
    """The resource, once it is Ready and nothing is on its way any more.

    Raises:
        NotYet: While something is.
    """
    found = has(kube, namespace, name, "Ready")
    seen = condition(found, "Progressing")
    expect(seen["status"] == "False", f"Progressing {seen['reason']}: {seen['message']}{_replicas(found)}")
    return found


def _replicas(found: Object) -> str:
    status = found.get("status") or {}
    counts = [
        f"{app} {status[app]['ready']}" for app in ("prometheus", "alertmanager") if "ready" in status.get(app, {})
    ]
    return f" ({', '.join(counts)})" if counts else ""
