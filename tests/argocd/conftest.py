"""A cluster, Argo CD beside it, two git repositories, and the table of what happened."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
PLACES = (Path(__file__).parent, CHECKOUT / "tests" / "e2e", CHECKOUT / "examples" / "demo", CHECKOUT)
sys.path[:0] = map(str, PLACES)

import applications  # noqa: E402  after the path is set
import installation  # noqa: E402
import onecluster  # noqa: E402
import repositories  # noqa: E402
from ledger import Ledger  # noqa: E402
from scene import MONITORING_NAMESPACE, Scene, clear  # noqa: E402
from sergas_demo.kube import Kube  # noqa: E402

from docs import argocd_proven  # noqa: E402

FIRST_TEST_SECONDS = 600
# A stack that runs is taken over from one module to the next.
ORDER = ["test_health", "test_gitops", "test_deletion", "test_environments"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs a cluster or Argo CD; the first test also waits for Argo CD to start."""
    ours = [item for item in items if item.path.parent == Path(__file__).parent]
    for item in ours:
        item.add_marker(pytest.mark.e2e)
        item.add_marker(pytest.mark.timeout(FIRST_TEST_SECONDS))
    ours.sort(key=lambda item: ORDER.index(item.path.stem))
    items[:] = [item for item in items if item not in ours] + ours


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Add to a failure the Applications and the ends of Argo CD's logs."""
    report = yield
    scene = getattr(item, "funcargs", {}).get("scene")
    if report.failed and scene is not None and call.when != "teardown":
        report.sections.append(("Applications", applications.dump(scene.kube)))
        for name in scene.argocd.processes.names():
            report.sections.append((f"the end of {name}'s log", scene.argocd.processes.tail(name)))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table."""
    ledger = getattr(terminalreporter.config, "argocd_ledger", None)
    if ledger and ledger.events:
        terminalreporter.section("Argo CD")
        terminalreporter.write_line("\n".join(argocd_proven.table(ledger.rows())))


@pytest.fixture(scope="session")
def kube() -> Iterator[Kube]:
    """The cluster that KUBECONFIG names, once the guard has let us near it."""
    if not os.environ.get("KUBECONFIG"):
        pytest.exit("KUBECONFIG is not set. Run `make test-argocd`, which sets it and CLUSTER.", returncode=2)
    with onecluster.opened() as found:
        yield found


@pytest.fixture(scope="session")
def ledger(pytestconfig: pytest.Config) -> Iterator[Ledger]:
    """The table of this run."""
    made = Ledger(lambda: onecluster.command("audit"), [MONITORING_NAMESPACE])
    pytestconfig.argocd_ledger = made
    yield made
    made.save()


@pytest.fixture(scope="session")
def scene(kube: Kube, ledger: Ledger, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Argo CD running, and two repositories that it may read. Everything is taken away at the end."""
    clear(kube)
    folder = tmp_path_factory.mktemp("argocd")
    argocd = installation.ArgoCD(kube, folder)
    product = repositories.product(folder / "product", release="v0.1.0")
    made = Scene(kube, argocd, product, repositories.Repository(folder / "gitops"), ledger, onecluster.images())
    try:
        argocd.start()
        yield made
        clear(kube)
    finally:
        argocd.stop()
        installation.remove(kube)
