"""Namespaces with an application of their own, in which something can break without disturbing what others look at."""

from dataclasses import dataclass

import yaml
from sergas_demo import manifests
from sergas_demo.kube import Kube, Object, Web
from sergas_demo.places import APPLICATION

COMPONENTS = ("api", "agents")
SWITCHES = {"SERGAS_MISHAPS": "0", "SERGAS_FAULTS": "enabled"}


@dataclass(frozen=True)
class Room:
    """A namespace, and which parts of the application run in it.

    Attributes:
        namespace: Its name.
        api: Settings of the API, such as `{"SERGAS_LOAD_RATE": "5"}`; None: it does not run here.
        agents: The same of the agents.
    """

    namespace: str
    api: dict[str, str] | None = None
    agents: dict[str, str] | None = None

    def objects(self, image: str) -> list[Object]:
        """What runs here."""
        settings = {"api": self.api, "agents": self.agents}
        every = [item for item in yaml.safe_load_all(APPLICATION.read_text()) if item]
        wanted = [item for item in every if settings[_component(item)] is not None]
        for item in wanted:
            if item["kind"] == "Deployment":
                _set(item, settings[_component(item)] or {})
        return manifests.in_namespace(manifests.with_image(wanted, image), self.namespace)


def _component(item: Object) -> str:
    return str(item["metadata"]["labels"]["app.kubernetes.io/component"])


def _set(deployment: Object, settings: dict[str, str]) -> None:
    """Change the environment of a Deployment's container. Nothing goes wrong in it but faults that are switched on."""
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    changed = {one["name"]: one["value"] for one in container["env"]} | SWITCHES | settings
    container["env"] = [{"name": name, "value": value} for name, value in changed.items()]


@dataclass(frozen=True)
class Application:
    """One part of the application in a room, by its own API."""

    web: Web

    def switch_on(self, **faults: object) -> None:
        """Begin faults; examples/sergas-app/README.md names them."""
        self.web.send("POST", "/faults", faults)

    def mend(self) -> None:
        """End every fault."""
        self.web.send("DELETE", "/faults")

    def load(self, rate: float) -> None:
        """Set requests or tasks per second."""
        self.web.send("PUT", "/load", {"rate": rate})


def application(kube: Kube, namespace: str, component: str) -> Application:
    """A part of the application: `api` or `agents`."""
    return Application(kube.service(namespace, f"sergas-{component}", "http"))
