"""Who wrote what: the API server's audit log, counted by field manager and object."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

VERBS = {"create", "update", "patch", "delete", "deletecollection"}
# Kinds that Kubernetes and a kubelet make and remake for every pod, and kinds that tell and do not decide.
NOISE = {"events", "pods", "endpoints", "endpointslices", "controllerrevisions", "replicasets", "leases"}
# Where Argo CD keeps its books.
BOOKS = {"applications", "appprojects", "applicationsets"}
ACCOUNTS = {
    "system:kube-controller-manager": "kube-controller-manager",
    "system:kube-scheduler": "kube-scheduler",
    "system:apiserver": "kube-apiserver",
}
# Who writes without naming a field manager, by the program's name for itself: every deletion, and Argo CD's writes of
# roles and bindings.
PROGRAMS = {
    "argocd": "argocd-controller",
    "argocd-application-controller": "argocd-controller",
    "python-httpx": "user",
}


@dataclass(frozen=True)
class Write:
    """One write: who, what, and to what. `part` is `status` for a write to that alone."""

    manager: str
    verb: str
    resource: str
    namespace: str
    name: str
    part: str = ""

    @property
    def target(self) -> str:
        """The object, and the part of it."""
        return f"{self.resource}/{self.name}{'/' + self.part if self.part else ''}"


def parse(line: str) -> Write | None:
    """The write in a line of the audit log; None for what is no write or was refused."""
    entry = json.loads(line)
    about = entry.get("objectRef") or {}
    if entry["verb"] not in VERBS or entry.get("responseStatus", {}).get("code", 200) >= 300:
        return None
    if "dryRun=All" in entry["requestURI"]:
        return None
    resource, namespace, name = (about.get(key, "") for key in ("resource", "namespace", "name"))
    return Write(manager(entry), entry["verb"], resource, namespace, name, about.get("subresource", ""))


def manager(entry: dict[str, object]) -> str:
    """Who wrote: the field manager the request names, else a part of Kubernetes, else the program."""
    named = parse_qs(urlsplit(str(entry["requestURI"])).query).get("fieldManager")
    if named:
        return named[0]
    user = str(entry["user"]["username"])  # type: ignore[index]
    if user.startswith("system:serviceaccount:kube-system:"):
        return "kube-controller-manager"
    program = str(entry.get("userAgent", "")).partition("/")[0]
    return ACCOUNTS.get(user) or PROGRAMS.get(program) or program or user


def parsed(lines: Iterable[str]) -> list[Write]:
    """All writes in lines of the audit log."""
    return [found for line in lines if (found := parse(line))]


def those_that_matter(writes: Iterable[Write], namespaces: Iterable[str]) -> list[Write]:
    """Writes to what is deployed: in some namespaces, or cluster-wide."""
    wanted = {*namespaces, ""}
    return [w for w in writes if w.namespace in wanted and w.resource not in NOISE | BOOKS]


def by_manager(writes: Iterable[Write]) -> Counter[str]:
    """How many writes each field manager made."""
    return Counter(write.manager for write in writes)


def managers_of(writes: Iterable[Write]) -> dict[str, set[str]]:
    """Target to the managers that wrote to it."""
    found: dict[str, set[str]] = {}
    for write in writes:
        found.setdefault(write.target, set()).add(write.manager)
    return found
