"""Render charts/sergas-monitoring with Helm, for generators and tests. No cluster is asked."""

import atexit
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from charts.stubs import copy_with_stubs
from charts.versions import PARTS

ROOT = Path(__file__).parent.parent
CHART = ROOT / "charts" / "sergas-monitoring"
# Helm asks no cluster when it renders, so it must be told a Kubernetes version the chart allows.
KUBE_VERSION = PARTS["kubernetes"].version


class RenderError(Exception):
    """Helm refused; the text is Helm's own."""


def tool(name: str) -> str:
    """Path of a pinned program: bin/<name>, else the one on PATH.

    Raises:
        FileNotFoundError: saying how to get it.
    """
    pinned = ROOT / "bin" / name
    found = str(pinned) if pinned.exists() else shutil.which(name)
    if not found:
        raise FileNotFoundError(f"{name} is in neither bin/ nor PATH. Run `make tools`.")
    return found


@cache
def stubbed() -> Path:
    """A copy of the chart with stubs alone, whatever its charts/ holds. It goes when the process ends."""
    folder = Path(tempfile.mkdtemp(prefix="sergas-chart-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return copy_with_stubs(folder / CHART.name)


def template(
    values: Iterable[Path] = (),
    settings: Iterable[str] = (),
    *,
    release: str = "sergas",
    namespace: str = "monitoring",
    extra: Iterable[str] = (),
    chart: Path | None = None,
    program: str = "helm",
) -> str:
    """What `helm template` prints for these values files, `--set-json` settings and further arguments.

    Args:
        values: files, a later one over an earlier one.
        settings: `path=<JSON>`, over the files.
        release: its name.
        namespace: of the release.
        extra: more arguments.
        chart: folder of the chart; with stubs of its dependencies when none is given.
        program: helm or helm4.

    Raises:
        RenderError: with Helm's error text.
    """
    command = [tool(program), "template", release, str(chart or stubbed()), "--namespace", namespace]
    command += ["--kube-version", KUBE_VERSION]
    for file in values:
        command += ["--values", str(file)]
    for setting in settings:
        command += ["--set-json", setting]
    done = subprocess.run([*command, *extra], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RenderError(done.stderr)
    return done.stdout


def objects(rendered: str) -> list[dict[str, Any]]:
    """The Kubernetes objects in rendered text, in its order."""
    return [document for document in yaml.safe_load_all(rendered) if document]


def rule_groups(rendered: str) -> list[dict[str, Any]]:
    """The groups of every PrometheusRule in rendered manifests."""
    rules = [item for item in objects(rendered) if item["kind"] == "PrometheusRule"]
    return [group for item in rules for group in item["spec"]["groups"]]
