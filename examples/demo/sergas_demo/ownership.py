"""Which objects that outlive a namespace, or hold what others put there, somebody here created.

The mark is written when the object is created and never added later. So an object that was there before, whatever it is
called, is never changed, and never deleted.
"""

from sergas_demo.kube import Kube, Object, path

MARK = "monitoring.sergas.com/created-by"
"""Annotation; its value is the creator: `sergas-demo` or `sergas-e2e`."""
DEMO, E2E = "sergas-demo", "sergas-e2e"


class ForeignError(Exception):
    """An object of that name exists and is somebody else's."""


def marked(item: Object, creator: str) -> Object:
    """An object to create, with the mark of its creator."""
    meta = item["metadata"]
    return {**item, "metadata": {**meta, "annotations": {**meta.get("annotations", {}), MARK: creator}}}


def owns(found: Object | None, creator: str) -> bool:
    """Whether an object exists and the creator made it."""
    return bool(found) and ((found or {})["metadata"].get("annotations") or {}).get(MARK) == creator


def create_namespaces(kube: Kube, items: list[Object], creator: str) -> None:
    """Create namespaces; those that the creator made before stay as they are.

    Raises:
        ForeignError: One exists that it did not create. Nothing was changed then.
    """
    names = [item["metadata"]["name"] for item in items]
    existing = {name: found for name in names if (found := kube.get(path("v1", "", "namespaces", name)))}
    for name, found in existing.items():
        if not owns(found, creator):
            raise ForeignError(
                f"The namespace {name} exists and was not created by {creator}: it has no annotation {MARK}={creator}. "
                "Nothing was changed. Rename or delete that namespace, or use another cluster."
            )
    for item in items:
        if item["metadata"]["name"] not in existing:
            kube.create(path("v1", "", "namespaces"), marked(item, creator))


def owned_namespaces(kube: Kube, names: list[str], creator: str) -> list[str]:
    """Those of the names that are namespaces which the creator made."""
    return [name for name in names if owns(kube.get(path("v1", "", "namespaces", name)), creator)]
