"""Argo CD's Applications: the product's files as a user would have them, and what becomes of them."""

from dataclasses import dataclass

import yaml
from installation import NAMESPACE
from repositories import Repository
from sergas_demo.kube import Kube, Object, path
from sergas_demo.places import CHECKOUT
from sergas_demo.waiting import NotYet, expect, until
from yamlfiles import read

MANIFESTS = CHECKOUT / "manifests" / "argocd"
API = "argoproj.io/v1alpha1"
PRODUCT_URL = "https://github.com/sergas/sergas-monitoring"
USER_URL = "https://github.com/example/gitops"
PLATFORM_URL = "https://github.com/example/platform"
CRDS, CHART, MONITORING, ROOT = "sergas-crds", "sergas-chart", "sergas-monitoring", "sergas-root"
ALL = (CRDS, CHART, MONITORING)


def shipped(kube: Kube, product: Repository, user: Repository, values: Object) -> list[Object]:
    """AppProject and Applications of manifests/argocd/bring-your-own-operator.

    Changed are the addresses of both repositories, and the chart gets further values: an image that is here.
    """
    text = kube.kubectl("kustomize", str(MANIFESTS / "bring-your-own-operator"))
    found = read(local(text, product, user))
    for item in found:
        if item["metadata"]["name"] == CHART:
            item["spec"]["source"]["helm"]["valuesObject"] |= values
    return found


def root(product: Repository, user: Repository) -> Object:
    """The Application of Applications."""
    return read(local((MANIFESTS / "app-of-apps" / "root.yaml").read_text(), product, user))[0]


def local(text: str, product: Repository, user: Repository) -> str:
    """A text with the addresses of the repositories on this machine; one is the user's and the platform's."""
    return text.replace(PRODUCT_URL, product.url).replace(USER_URL, user.url).replace(PLATFORM_URL, user.url)


def where(name: str) -> str:
    """An Application's API path."""
    return path(API, NAMESPACE, "applications", name)


@dataclass(frozen=True)
class Applications:
    """The Applications on a cluster."""

    kube: Kube

    def read(self, name: str) -> Object:
        """An Application as it is.

        Raises:
            NotYet: when there is none.
        """
        found = self.kube.get(where(name))
        if found is None:
            raise NotYet(f"there is no Application {name}")
        return found

    def refresh(self, *names: str, kind: str = "normal") -> None:
        """Have Argo CD compare now, as a webhook of the git server does."""
        for name in names:
            self.kube.patch(where(name), {"metadata": {"annotations": {"argocd.argoproj.io/refresh": kind}}})

    def refreshed(self, name: str) -> Object:
        """An Application, once the refresh that was asked for is over.

        Raises:
            NotYet: while it is not.
        """
        found = self.read(name)
        asked = (found["metadata"].get("annotations") or {}).get("argocd.argoproj.io/refresh")
        expect(not asked, f"{name} is being refreshed")
        return found

    def synced(self, name: str, revision: str = "") -> Object:
        """An Application, once the cluster is as git says, at a revision.

        Raises:
            NotYet: while it is not.
        """
        found = self.read(name)
        status = found.get("status") or {}
        sync = status.get("sync") or {}
        at = [sync.get("revision"), *(sync.get("revisions") or [])]
        expect(sync.get("status") == "Synced", f"{account(found)}")
        expect(not revision or revision in at, f"{name} is at {at}, not at {revision}")
        # An Application that found everything as it should be had nothing to do.
        phase = (status.get("operationState") or {}).get("phase", "Succeeded")
        expect(phase == "Succeeded", account(found))
        return found

    def health(self, name: str, wanted: str = "Healthy") -> Object:
        """An Application, once its health is as wanted.

        Raises:
            NotYet: while it is not.
        """
        found = self.read(name)
        seen = ((found.get("status") or {}).get("health") or {}).get("status")
        expect(seen == wanted, account(found))
        return found

    def resource(self, name: str, kind: str) -> Object:
        """What an Application says of its resource of a kind, with Argo CD's view of its health.

        Raises:
            NotYet: while it does not speak of one.
        """
        listed = (self.read(name).get("status") or {}).get("resources") or []
        for item in listed:
            if item["kind"] == kind:
                return dict(item)
        raise NotYet(f"{name} lists no {kind}")

    def wait_synced(self, revision: str, *names: str, seconds: float = 90) -> None:
        """Return when all are as git says at a revision."""
        for name in names:
            until(f"Synced of {name}", lambda name=name: self.synced(name, revision), seconds=seconds)

    def wait_healthy(self, *names: str, seconds: float = 150) -> None:
        """Return when all are healthy."""
        for name in names:
            until(f"Health of {name}", lambda name=name: self.health(name), seconds=seconds)


def account(found: Object) -> str:
    """What one wants to know of an Application that is not as it should be."""
    status = found.get("status") or {}
    operation = status.get("operationState") or {}
    wrong = [
        f"{item['kind']}/{item['name']} {item.get('status', '')}"
        for item in status.get("resources") or []
        if item.get("status") not in (None, "Synced") or item.get("requiresPruning")
    ]
    said = [item["message"] for item in status.get("conditions") or []]
    parts = [
        f"{found['metadata']['name']} is {(status.get('sync') or {}).get('status', 'not compared')}",
        f"{(status.get('health') or {}).get('status', 'of no health')}",
        f"operation {operation.get('phase', 'none')}: {operation.get('message', '')}",
        *wrong,
        *said,
    ]
    return "; ".join(parts)


def dump(kube: Kube) -> str:
    """Every Application in a line, for a failure."""
    return "\n".join(account(item) for item in kube.items(path(API, NAMESPACE, "applications")))


def manifest(name: str, spec: Object) -> Object:
    """A SergasMonitoring as it lies in the user's repository."""
    return {
        "apiVersion": "monitoring.sergas.com/v1alpha1",
        "kind": "SergasMonitoring",
        "metadata": {"name": name},
        "spec": yaml.safe_load(yaml.safe_dump(spec)),
    }
