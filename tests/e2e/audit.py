"""What the operator wrote: from the API server's audit log, or from resource versions where there is none."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import stacks
from sergas_demo.kube import Kube, path

USER = f"system:serviceaccount:{stacks.OPERATOR_NAMESPACE}:{stacks.RELEASE}-operator"
WRITES = ("create", "update", "patch", "delete", "deletecollection")
WATCHED = (
    ("monitoring.sergas.com/v1alpha1", "sergasmonitorings"),
    ("monitoring.coreos.com/v1", "prometheuses"),
    ("monitoring.coreos.com/v1", "alertmanagers"),
    ("v1", "secrets"),
    ("v1", "services"),
    ("v1", "events"),
    ("policy/v1", "poddisruptionbudgets"),
    ("apps/v1", "statefulsets"),
)


@contextmanager
def writes_by_operator(
    kube: Kube, namespace: str, audit: Callable[[], str] | None
) -> Iterator[Callable[[], list[str]]]:
    """Give a function that lists what the operator has written to a namespace since.

    Args:
        kube: The cluster.
        namespace: Only writes to it count.
        audit: Reads the API server's audit log; None compares resource versions, which also shows the writes of others.
    """
    if audit is None:
        before = versions(kube, namespace)
        yield lambda: sorted(
            f"{name} {version}" for name, version in versions(kube, namespace).items() - before.items()
        )
    else:
        start = len(audit().splitlines())
        yield lambda: [line for line in entries(audit().splitlines()[start:]) if line.startswith(f"{namespace} ")]


def versions(kube: Kube, namespace: str) -> dict[str, str]:
    """The resource version of everything the operator may write in a namespace."""
    return {
        f"{plural}/{item['metadata']['name']}": item["metadata"]["resourceVersion"]
        for api, plural in WATCHED
        for item in kube.items(path(api, namespace, plural))
        if plural != "events" or (item.get("source") or {}).get("component", "").startswith("sergas")
    }


def entries(lines: list[str]) -> Iterator[str]:
    """Yield `<namespace> <verb> <resource>/<name>` for each write of the operator in an audit log."""
    for line in lines:
        entry = json.loads(line)
        if entry["user"]["username"] == USER and entry["verb"] in WRITES:
            about = entry.get("objectRef", {})
            yield f"{about.get('namespace', '')} {entry['verb']} {about.get('resource')}/{about.get('name', '')}"
