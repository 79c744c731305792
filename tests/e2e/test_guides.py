"""The guides, followed to the letter: every shell block of docs/guides/*.md and README.md runs on the cluster.

What stands in for what a reader has: stubs for the dependencies from Helm repositories (the cluster brings the
Prometheus Operator), this checkout's operator image under the tag of the release, and an address of nobody as
SLACK_URL. Guides that go on where another one ended are one story; every other page begins with a cluster that has no
namespace `monitoring`.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import onecluster
import pytest
import yaml
from foreign import Foreign
from sergas_demo import cleanup, monitoring
from sergas_demo.kube import Kube, path
from sergas_demo.places import CHART, CHECKOUT
from sergas_demo.waiting import expect, until

sys.path.insert(0, str(CHECKOUT))

from charts.stubs import write_stubs
from docs.shell_blocks import Block, blocks, pages

NAMESPACE = "monitoring"
RELEASE = "sergas"
TOLD = [["helm.md", "upgrade.md", "uninstall.md"]]
BLOCK_SECONDS = 420
REMOVALS = ("helm uninstall", "kubectl delete --kustomize")
COPIED = ("charts", "manifests", "examples", "docs", "tests")
VARIABLES = {"SLACK_URL": "http://127.0.0.1:9/nobody"}


def stories() -> list[list[Path]]:
    """Pages with something to run, those that go on from one another together."""
    found = {page.name: page for page in pages() if any(not block.excuse for block in blocks(page))}
    told = [[found.pop(name) for name in names] for names in TOLD]
    return told + [[page] for page in found.values()]


STORIES = stories()


@pytest.fixture(scope="module")
def shell(kube: Kube, released_image, tmp_path_factory) -> Callable[[Block], str]:
    """Runs a block in a copy of the checkout, so that what guides write stays out of it."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in COPIED:
        shutil.copytree(CHECKOUT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / ".venv").symlink_to(CHECKOUT / ".venv")
    for stub in write_stubs(folder / "charts" / "sergas-monitoring"):
        # A stub refuses to be installed. A reader has the real chart, which `helm dependency update` fetches.
        (stub / "templates" / "refusal.yaml").unlink()
    helm = {f"HELM_{kind}_HOME": str(folder / ".helm" / kind.lower()) for kind in ("CACHE", "CONFIG", "DATA")}
    environment = os.environ | VARIABLES | helm | {"KUBECONFIG": str(kube.kubeconfig)}
    environment["PATH"] = f"{CHECKOUT / 'bin'}{os.pathsep}{environment['PATH']}"

    def run(block: Block) -> str:
        command = ["bash", "-euo", "pipefail", "-c", block.text]
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=BLOCK_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{block.place} ended with {done.returncode}:\n{block.text}\n{done.stdout}"
        return done.stdout

    return run


@pytest.fixture(scope="module", autouse=True)
def cluster_of_ours() -> None:
    """The guides create the namespace `monitoring`, and this module deletes it: not on somebody's own cluster."""
    if os.environ.get("CLUSTER") == "existing":
        pytest.skip("CLUSTER=existing: the guides' namespace `monitoring` may be in use; run with packaged or kind")


@pytest.fixture(scope="module")
def released_image(images: dict[str, str]) -> None:
    """The operator's image under the tag that the chart's defaults name."""
    version = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))["appVersion"]
    onecluster.command("images", "operator", "--also-as", version)


@pytest.fixture
def bare(kube: Kube) -> Iterator[None]:
    """A cluster without the namespace of the guides, before and after."""
    onecluster.refresh_crd(kube)
    clear(kube)
    yield
    clear(kube)


def clear(kube: Kube) -> None:
    """Remove the guides' release, their stack and their namespace, and wait for the end of it."""
    place = path("v1", "", "namespaces", NAMESPACE)
    if kube.get(place) is None:
        return
    kube.helm("uninstall", RELEASE, "--namespace", NAMESPACE, "--ignore-not-found")
    cleanup.stop_stacks(kube, [NAMESPACE])
    kube.delete(place)
    until(f"The end of namespace {NAMESPACE}", lambda: expect(not kube.get(place), "it is there"), seconds=120)


class Kept:
    """What a removal must keep: objects of somebody else in the namespace, and volumes that are to be retained."""

    def __init__(self, kube: Kube) -> None:
        self._kube = kube
        retained = {"storage": {"whenDeleted": "Retain"}}
        place = monitoring.where(NAMESPACE, RELEASE)
        kube.patch(place, {"spec": {"prometheus": retained, "alertmanager": retained}})
        self._foreign = Foreign(kube, NAMESPACE)
        self._foreign.create()
        until("Readiness", lambda: monitoring.settled(kube, NAMESPACE, RELEASE), seconds=180)
        self._volumes = self._seen()
        assert {name.partition("-")[0] for name in self._volumes} >= {"prometheus", "alertmanager"}

    def unharmed(self) -> None:
        """Assert that all of it is there, and as it was, once the stack is gone."""
        ended = partial(cleanup.no_stack_pods, self._kube, NAMESPACE, RELEASE)
        until("The end of the stack's pods", ended, seconds=120)
        self._foreign.unharmed()
        assert self._seen() == self._volumes

    def _seen(self) -> dict[str, str]:
        """Identity of each bound volume of the stack, by name."""
        claims = self._kube.items(path("v1", NAMESPACE, "persistentvolumeclaims"))
        bound = [claim["metadata"] for claim in claims if claim["status"]["phase"] == "Bound"]
        return {meta["name"]: meta["uid"] for meta in bound if f"-{RELEASE}-" in meta["name"]}


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize("story", STORIES, ids=["+".join(page.stem for page in story) for story in STORIES])
def test_every_block_of_the_guide_runs(story, shell, kube, capsys):
    ran, excused, kept = [], [], None
    for block in (block for page in story for block in blocks(page)):
        (excused if block.excuse else ran).append(block)
        if not block.excuse:
            if block.text.startswith(REMOVALS):
                kept = Kept(kube)
            shell(block)
    assert ran
    assert bool(kept) == any(page.stem in {"kustomize", "uninstall"} for page in story)
    if kept:
        kept.unharmed()
    with capsys.disabled():
        print(f"\n{', '.join(page.name for page in story)}: {len(ran)} shell blocks run, {len(excused)} excused")
        for block in excused:
            print(f"  {block.place} not run: {block.excuse}")
