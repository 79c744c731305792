"""The cluster, the operator under test, and what a failure shows."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(CHECKOUT / "examples" / "demo")]

import onecluster  # noqa: E402  after the path is set
import stacks  # noqa: E402
from sergas_demo import cleanup, manifests, monitoring, ownership  # noqa: E402
from sergas_demo.diagnosis import diagnose  # noqa: E402
from sergas_demo.install import image_values, rolled_out  # noqa: E402
from sergas_demo.kube import Kube, condition, path  # noqa: E402
from sergas_demo.sink import Sink  # noqa: E402
from sergas_demo.waiting import expect, until  # noqa: E402

from charts.helm import stubbed  # noqa: E402

FIRST_TEST_SECONDS = 900
OPERATOR = f"{stacks.OPERATOR_NAMESPACE}/{stacks.DEPLOYMENT}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs a cluster; the first test also waits for everything to be installed."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.timeout(FIRST_TEST_SECONDS))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Add to a failure what a person would look at first."""
    report = yield
    kube = getattr(item, "funcargs", {}).get("kube")
    namespace = getattr(getattr(item, "module", None), "NAMESPACE", None)
    # By the end of a session the way to the cluster is closed.
    if report.failed and report.when != "teardown" and kube is not None and namespace:
        lines = diagnose(kube, stacks.NAME, [namespace, stacks.SINK_NAMESPACE], OPERATOR)
        report.sections.append((f"what {namespace} looks like", "\n".join(lines)))
    return report


@pytest.fixture(scope="session")
def kube() -> Iterator[Kube]:
    """The cluster that KUBECONFIG names, once the guard has let us near it."""
    if not os.environ.get("KUBECONFIG"):
        pytest.exit("KUBECONFIG is not set. Run `make test-e2e`, which sets it and CLUSTER.", returncode=2)
    with onecluster.opened() as found:
        yield found


@pytest.fixture(scope="session")
def images() -> dict[str, str]:
    """References of the project's images, built and loaded."""
    return onecluster.images()


@pytest.fixture(scope="session")
def exporter_images() -> dict[str, str]:
    """References of the images of exporters, PostgreSQL and Redis, built and loaded where they cannot be pulled."""
    found: dict[str, str] = json.loads(onecluster.command("exporters", "--json"))
    return found


@dataclass(frozen=True)
class Suite:
    """The operator, the receivers' far end and the stacks, all of them started."""

    kube: Kube
    sink: Sink

    def ready(self, namespace: str, name: str = stacks.NAME, seconds: float = 180) -> dict[str, object]:
        """The SergasMonitoring of a namespace, once it is Ready and nothing is on its way any more."""
        where = f"{namespace}/{name}"
        return until(f"Readiness of {where}", lambda: monitoring.settled(self.kube, namespace, name), seconds=seconds)

    def says(self, namespace: str, kind: str, reason: str, seconds: float = 90) -> dict[str, object]:
        """The SergasMonitoring of a namespace, once a condition of its newest generation gives a reason."""

        def look() -> dict[str, object]:
            found = monitoring.current(self.kube, namespace, stacks.NAME)
            seen = condition(found, kind)
            expect(seen["reason"] == reason, f"{kind}={seen['status']} {seen['reason']}: {seen['message']}")
            return found

        return until(f"{kind} for the reason {reason} in {namespace}", look, seconds=seconds)

    def change(self, namespace: str, spec: dict[str, object], name: str = stacks.NAME) -> None:
        """Merge a change into a spec."""
        self.kube.patch(monitoring.where(namespace, name), {"spec": spec})


@pytest.fixture(scope="session")
def suite(kube: Kube, images: dict[str, str]) -> Iterator[Suite]:
    """Everything installed in namespaces of its own, started clean and removed at the end.

    E2E_KEEP=1 keeps it, and goes on with what an earlier such run kept: for a test that is being written.
    """
    names = [stacks.OPERATOR_NAMESPACE, stacks.SINK_NAMESPACE, stacks.INSTALL, stacks.INSTALL4, *stacks.SPECS]
    keep = bool(os.environ.get("E2E_KEEP"))
    if not (keep and kube.get(path("v1", "", "namespaces", stacks.OPERATOR_NAMESPACE))):
        remove_namespaces(kube, names)
    install_everything(kube, images, names)
    yield Suite(kube, Sink(kube, stacks.SINK_NAMESPACE))
    if not keep:
        delete_namespaces(kube, names)


def install_everything(kube: Kube, images: dict[str, str], names: list[str]) -> None:
    """Namespaces, CRD, the receivers' far end, the operator, and every stack at once."""
    ownership.create_namespaces(kube, [namespace(name) for name in names], ownership.E2E)
    onecluster.refresh_crd(kube)
    install_sink(kube, images["sink"])
    install_operator(kube, images["operator"])
    secrets = [manifests.secret(name, key, data) for name in stacks.SPECS for key, data in stacks.SECRETS.items()]
    resources = [monitoring.resource(stacks.NAME, spec) for spec in stacks.SPECS.values()]
    for resource, name in zip(resources, stacks.SPECS, strict=True):
        resource["metadata"]["namespace"] = name
    kube.apply(*secrets, *resources)


def namespace(name: str) -> dict[str, object]:
    """A namespace whose pods must keep to the restricted pod security standard."""
    labels = stacks.MADE_BY | {"pod-security.kubernetes.io/enforce": "restricted"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def remove_namespaces(kube: Kube, names: list[str]) -> None:
    """Delete what an earlier run created and left, and wait until it is gone."""
    delete_namespaces(kube, names)

    def look() -> None:
        left = ownership.owned_namespaces(kube, names, ownership.E2E)
        expect(not left, f"{', '.join(left)} still being emptied")

    until("The end of an earlier run's namespaces", look, seconds=120)


def delete_namespaces(kube: Kube, names: list[str]) -> None:
    """Stop what runs in the namespaces that the suite created, and have them deleted; no other is touched."""
    there = ownership.owned_namespaces(kube, names, ownership.E2E)
    if stacks.OPERATOR_NAMESPACE in there:
        kube.helm("uninstall", stacks.RELEASE, "--namespace", stacks.OPERATOR_NAMESPACE, "--ignore-not-found")
    cleanup.stop_stacks(kube, there)
    for name in there:
        kube.delete(path("v1", "", "namespaces", name))


def install_sink(kube: Kube, image: str) -> None:
    """Start the receivers' far end."""
    login = {"username": stacks.SMTP_USER, "password": stacks.SMTP_PASSWORD}
    kube.apply(
        manifests.secret(stacks.SINK_NAMESPACE, "sink-login", login), *manifests.far_end(image, stacks.SINK_NAMESPACE)
    )

    def look() -> None:
        found = kube.get(path("apps/v1", stacks.SINK_NAMESPACE, "deployments", "sink"))
        expect(found and rolled_out(found), "the sink is not ready")

    until("The start of the sink", look, seconds=90)


def chart_arguments(image: str, **values: object) -> list[str]:
    """Helm's arguments for a chart beside the cluster's own Prometheus Operator, with values of one's own."""
    off = {
        "kube-prometheus-stack.enabled": False,
        "prometheus-pushgateway.enabled": False,
        "prometheus-blackbox-exporter.enabled": False,
    }
    settings = [f"--set-json={key}={json.dumps(value)}" for key, value in (off | values).items()]
    return [str(stubbed()), *image_values(image), *settings, "--wait", "--timeout", "3m"]


def install_operator(kube: Kube, image: str) -> None:
    """Install the chart with an operator that acts in the suite's namespaces and resyncs often."""
    values = {
        "operator.namespaces": list(stacks.SPECS),
        "operator.resyncSeconds": stacks.RESYNC_SECONDS,
        "operator.logLevel": "DEBUG",
        "operator.allowedPagerDutyURLs": [stacks.PAGERDUTY_URL],
        "sergasMonitoring.create": False,
        # Another stack of this cluster that looks at all namespaces must not alert twice.
        "alerts.enabled": False,
    }
    where = ["--namespace", stacks.OPERATOR_NAMESPACE]
    kube.helm("upgrade", "--install", stacks.RELEASE, *where, *chart_arguments(image, **values))


@pytest.fixture(scope="session")
def install_arguments(kube: Kube, images: dict[str, str]) -> Callable[..., list[str]]:
    """Make Helm's arguments for a release of the chart with the image under test, on a cluster whose CRD is as new."""
    onecluster.refresh_crd(kube)
    return lambda **values: chart_arguments(images["operator"], **values)


@pytest.fixture(scope="session")
def audit() -> Callable[[], str] | None:
    """Reads the API server's audit log; None where the cluster's is not ours to read."""
    if os.environ.get("CLUSTER") == "existing":
        return None
    return lambda: onecluster.command("audit")
