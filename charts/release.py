"""What a release is made of: `python -m charts.release check <version>`, `notes <version>` and `package`.

`check` fails unless every file that names the version of the product names this one, and the changelog has a section of
it. `notes` prints that section. `package` writes the chart, with the real charts it depends on, into dist/chart.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from charts.helm import CHART, ROOT, tool
from charts.stubs import MARKER

DIST = ROOT / "dist" / "chart"
# Every place that names the version: file, and a pattern around it.
PLACES = (
    ("charts/sergas-monitoring/Chart.yaml", r"^version: (\S+)$"),
    ("charts/sergas-monitoring/Chart.yaml", r"^appVersion: (\S+)$"),
    ("pyproject.toml", r'^version = "(\S+)"$'),
    ("operator/pyproject.toml", r'^version = "(\S+)"$'),
    ("manifests/argocd/applications/crds.yaml", r"targetRevision: v(\d\S*)$"),
    ("manifests/argocd/applications/chart.yaml", r"targetRevision: v(\d\S*)$"),
    ("manifests/argocd/environments/applicationset.yaml", r"targetRevision: v(\d\S*)$"),
    ("manifests/flux/sources.yaml", r"ref: \{tag: v(\S+)\}$"),
    ("manifests/flux/release.yaml", r"^ +version: (\S+)$"),
    ("manifests/overlays/production/kustomization.yaml", r"^ +newTag: (\S+)$"),
    ("examples/sergas-app/kustomization.yaml", r"^ +newTag: (\S+)$"),
    ("examples/sergas-app/k8s.yaml", r"image: ghcr\.io/sergas/sergas-app:(\S+)$"),
)


class ReleaseError(Exception):
    """What stands in the way of a release, and what to do about it."""


def differences(version: str, root: Path = ROOT) -> list[str]:
    """Each place that names another version than `version`, with what it names."""
    found = []
    for name, pattern in PLACES:
        named = re.findall(pattern, (root / name).read_text(encoding="utf-8"), re.MULTILINE)
        if not named:
            raise ReleaseError(f"{name} names no version where {pattern!r} expects one; correct PLACES in {__file__}")
        found += [f"{name}: {other}" for other in named if other != version]
    return found


def check(version: str, root: Path = ROOT) -> None:
    """Raise ReleaseError unless every place names `version`."""
    wrong = differences(version, root)
    if wrong:
        listed = "\n".join(f"  {line}" for line in wrong)
        raise ReleaseError(f"these name another version than {version}; write it there and tag again:\n{listed}")


def notes(version: str, root: Path = ROOT) -> str:
    """The changelog's section of `version`, without its heading.

    Raises:
        ReleaseError: when there is none, or nothing in it.
    """
    text = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    section = re.search(rf"^## {re.escape(version)}(?=\s)[^\n]*\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    if not section or not section[1].strip():
        raise ReleaseError(f"CHANGELOG.md: write a section `## {version} - <date>` of what is new, and tag again")
    return section[1].strip()


def refuse_stubs(chart: Path) -> None:
    """Raise ReleaseError when a stub stands in for a chart that `chart` depends on."""
    for file in sorted(chart.glob("charts/*/Chart.yaml")):
        if MARKER in file.read_text(encoding="utf-8"):
            raise ReleaseError(f"{file.parent.name} is a stub: package from a copy without charts/, as make dist does")


def package(chart: Path = CHART, target: Path = DIST) -> None:
    """Fetch what the chart depends on and write the archive; the working copy's stubs stay where they are.

    Raises:
        ReleaseError: in Helm's words, when a dependency cannot be fetched.
    """
    with tempfile.TemporaryDirectory(prefix="sergas-release-") as folder:
        copy = Path(folder) / chart.name
        shutil.copytree(chart, copy, ignore=shutil.ignore_patterns("charts"))
        helm("dependency", "update", str(copy))
        refuse_stubs(copy)
        helm("package", str(copy), "--destination", str(target))


def helm(*arguments: str) -> None:
    """Run Helm.

    Raises:
        ReleaseError: with its error text.
    """
    done = subprocess.run([tool("helm"), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise ReleaseError(f"helm {' '.join(arguments[:2])}: {done.stderr.strip()}")


def main(arguments: list[str]) -> None:
    """Run one of the three verbs."""
    match arguments:
        case ["check", version]:
            check(version)
            notes(version)
        case ["notes", version]:
            print(notes(version))
        case ["package"]:
            package()
        case _:
            raise ReleaseError("type `python -m charts.release` and check <version>, notes <version> or package")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except ReleaseError as problem:
        sys.exit(str(problem))
