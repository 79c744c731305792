"""A cluster that belongs to somebody else, with objects of theirs, and the demo's and the suite's commands on it.

It is the packaged cluster under another context: nothing in the checkout knows it as ours there.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(CHECKOUT / "tests" / "e2e"), str(CHECKOUT / "examples" / "demo")]

import onecluster  # noqa: E402  after the path is set
from foreign import Foreign  # noqa: E402
from sergas_demo.kube import Kube  # noqa: E402

CONTEXT = "someone-elses"
TEST_SECONDS = 900


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs the packaged cluster."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.timeout(TEST_SECONDS))


@pytest.fixture(scope="session")
def images() -> dict[str, str]:
    """References of the project's images, in the cluster already."""
    if os.environ.get("CLUSTER") != "packaged":
        pytest.exit("this lends out the packaged cluster as somebody else's; run `make test-existing`", returncode=2)
    return onecluster.images()


@pytest.fixture(scope="session")
def environment(images: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What a user with a cluster of their own sets."""
    config = tmp_path_factory.mktemp("existing") / "kubeconfig"
    config.write_text(Path(os.environ["KUBECONFIG"]).read_text())
    config.chmod(0o600)
    settings = os.environ | {
        "CLUSTER": "existing",
        "KUBECONFIG": str(config),
        "SERGAS_E2E_CONTEXT": CONTEXT,
        "SERGAS_E2E_IMAGES": ",".join(f"{short}={image}" for short, image in images.items()),
    }
    rename = ["kubectl", "config", "rename-context", "sergas-packaged", CONTEXT]
    subprocess.run(rename, env=settings, check=True, capture_output=True)
    return settings


@pytest.fixture(scope="session")
def kube(environment: dict[str, str]) -> Iterator[Kube]:
    """The cluster, by its owner's context."""
    with Kube(Path(environment["KUBECONFIG"])) as found:
        yield found


@pytest.fixture(scope="session")
def foreign(kube: Kube) -> Iterator[Foreign]:
    """Objects of the cluster's owner in their namespace `monitoring`, running."""
    objects = Foreign(kube, "monitoring", creates_namespace=True)
    objects.create()
    yield objects
    objects.remove()
