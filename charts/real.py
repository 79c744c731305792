"""A copy of the chart with its real dependencies: from a folder of archives, its charts/, or their repositories."""

import atexit
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from charts.helm import CHART, tool
from charts.stubs import real_chart, write_stubs

STACK = "kube-prometheus-stack"


class ArchivesError(Exception):
    """A dependency that is switched on is not there for real; the text says how to get it."""


def chart_with_dependencies(archives: Path | None, values: Iterable[Path] = ()) -> Path:
    """A copy of the chart with every dependency that `values` switch on. It goes when the process ends.

    Dependencies that are switched off may be missing; a stub stands in for them.

    Raises:
        ArchivesError: naming what is missing, and both ways to get it.
    """
    folder = archives or CHART / "charts"
    needed = [entry for entry in dependencies() if enabled(entry, values)]
    missing = [f"{entry['name']}-{entry['version']}" for entry in needed if not pinned_chart(folder, entry)]
    if missing:
        raise ArchivesError(
            f"{', '.join(missing)}: not in {folder}. Run `helm dependency update charts/sergas-monitoring` where its "
            "repositories can be reached, or name a folder that holds the archives: KPS_ARCHIVES=/path/to/archives"
        )
    return assembled([chart for entry in dependencies() if (chart := pinned_chart(folder, entry))])


def dependencies() -> list[dict[str, str]]:
    """The entries of Chart.yaml."""
    found: list[dict[str, str]] = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))["dependencies"]
    return found


def enabled(entry: dict[str, str], values: Iterable[Path]) -> bool:
    """Whether a dependency is on with these values files over the chart's own."""
    on = True
    for file in (CHART / "values.yaml", *values):
        content: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
        on = (content.get(entry["name"]) or {}).get("enabled", on)
    return on


def pinned_chart(folder: Path, entry: dict[str, str]) -> Path | None:
    """The archive of a dependency in its pinned version, or its unpacked chart."""
    archive = folder / f"{entry['name']}-{entry['version']}.tgz"
    if archive.exists():
        return archive
    found = real_chart(folder, entry)
    return found if found and found.is_dir() and version(found) == entry["version"] else None


def version(chart: Path) -> str:
    """The version in an unpacked chart's Chart.yaml."""
    return str(yaml.safe_load((chart / "Chart.yaml").read_text(encoding="utf-8"))["version"])


def assembled(charts: Iterable[Path]) -> Path:
    """A copy of our chart with these under charts/, archives unpacked, and stubs for the others."""
    copy = bare_copy()
    (copy / "charts").mkdir()
    for chart in charts:
        if chart.is_dir():
            shutil.copytree(chart, copy / "charts" / chart.name)
        else:
            unpack(chart, copy / "charts")
    write_stubs(copy)
    return copy


def bare_copy() -> Path:
    """A copy of our chart without dependencies. It goes when the process ends."""
    folder = Path(tempfile.mkdtemp(prefix="sergas-chart-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    copy = folder / CHART.name
    shutil.copytree(CHART, copy, ignore=shutil.ignore_patterns("charts"))
    return copy


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a chart's archive, and the archives of its own dependencies inside it."""
    with tarfile.open(archive) as whole:
        name = Path(whole.getnames()[0]).parts[0]
        whole.extractall(folder, filter="data")
    for inner in sorted((folder / name / "charts").glob("*.tgz")):
        unpack(inner, inner.parent)
        inner.unlink()


def fetched() -> Path:
    """A folder with the dependencies' archives, fetched from their repositories.

    Raises:
        ArchivesError: with what Helm said, and the other way to get them.
    """
    copy = bare_copy()
    command = [tool("helm"), "dependency", "update", str(copy)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ArchivesError(
            f"No Helm repository answered: {unanswered(done)}\nName a folder that holds the archives instead: "
            "make chart-real KPS_ARCHIVES=/path/to/archives"
        )
    return copy / "charts"


def unanswered(done: subprocess.CompletedProcess[str]) -> str:
    """Why, each reason once. Helm indents reasons on stdout; its last word is a file missing from its cache."""
    reasons = [line.strip() for line in done.stdout.splitlines() if line.startswith("\t")]
    return "; ".join(dict.fromkeys(reasons)) or done.stderr.strip()
