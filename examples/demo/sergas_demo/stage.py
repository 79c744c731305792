"""What the steps of the demo share, and how one of them fails."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from sergas_demo.app import App
from sergas_demo.kube import Kube
from sergas_demo.places import DEMO_NAMESPACE
from sergas_demo.progress import Telling
from sergas_demo.sink import Notification, Sink

ALERT = "HighErrorRate"
JOB = "sergas-api"


class StoryError(Exception):
    """A step failed; the text says why and what to do."""


@dataclass
class Stage:
    """The cluster and what has been learnt of it so far.

    Attributes:
        cluster: Its kind: packaged, kind or existing.
        kubeconfig: Its kubeconfig.
        images: References of the project's images by short name: operator, app, sink.
        mark: Number of the last message before the fault.
        arrivals: What the receivers got, in order.
    """

    open_kube: Callable[[Path], Kube]
    cluster: str = ""
    kubeconfig: Path = field(default_factory=Path)
    images: dict[str, str] = field(default_factory=dict)
    mark: str = "0"
    arrivals: list[Notification] = field(default_factory=list)
    _kube: Kube | None = None

    @property
    def kube(self) -> Kube:
        """The cluster; opened once its kubeconfig is known."""
        if self._kube is None:
            self._kube = self.open_kube(self.kubeconfig)
        return self._kube

    @property
    def sink(self) -> Sink:
        """The receivers' far end."""
        return Sink(self.kube, DEMO_NAMESPACE)

    @property
    def app(self) -> App:
        """The application that is watched."""
        return App(self.kube, DEMO_NAMESPACE)


@dataclass(frozen=True)
class Step:
    """One line of the closing table.

    Attributes:
        title: What it does.
        run: Does it and returns what came of it.
        look: Commands that show more when it fails, without KUBECONFIG.
    """

    title: str
    run: Callable[[Stage, Telling], str]
    look: tuple[str, ...] = ()
