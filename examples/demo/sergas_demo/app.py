"""The application that is watched: its faults, switched over its own API."""

from sergas_demo.kube import Kube

SERVICES = ("sergas-api", "sergas-agents")


class App:
    """The application in a namespace of the cluster."""

    def __init__(self, kube: Kube, namespace: str) -> None:
        self._parts = {name: kube.service(namespace, name, "http") for name in SERVICES}

    def fail_requests(self, share: float) -> None:
        """Let a share of the API's requests, 0 to 1, end in 500."""
        self._parts["sergas-api"].send("POST", "/faults", {"errors": share})

    def clear_faults(self) -> None:
        """Let everything succeed again."""
        for part in self._parts.values():
            part.send("DELETE", "/faults")
