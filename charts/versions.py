"""The versions in versions.yaml: `python -m charts.versions near` and `python -m charts.versions check`.

`near` prints what is close to the end of its support, or past it, and always succeeds: time alone turns no test red.
`check` prints every version, and fails when the support of one has ended. `stamp` and `page` are for charts.generate.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import yaml

ROOT: Final = Path(__file__).parent.parent
FILE: Final = ROOT / "versions.yaml"
PAGE: Final = ROOT / "docs" / "reference" / "versions.md"
# Days before the end of support from which a version is reported: time for one minor release of Prometheus (six weeks)
# or of Kubernetes (four months between two, two of them in maintenance mode).
NEAR_DAYS: Final = 90
UNDATED: Final = "upstream names no date"


@dataclass(frozen=True)
class Part:
    """One entry of versions.yaml, as its head describes it. `key` is the entry's name."""

    key: str
    name: str
    version: str
    source: str
    ends: date | None = None
    unit: str = ""
    chart: str = ""

    @property
    def minor(self) -> str:
        """The first two numbers of the version."""
        return ".".join(self.version.split(".")[:2])


def read(file: Path = FILE) -> dict[str, Part]:
    """Every part by its key.

    Raises:
        TypeError: an entry lacks a field or has one that Part does not know.
    """
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    return {key: Part(key=key, ends=entry.pop("supportEnds", None), **entry) for key, entry in content.items()}


PARTS: Final = read()


@dataclass(frozen=True)
class Place:
    """A place in a file that people edit which names a version: `pattern` has one group, the version or its minor."""

    file: str
    pattern: str
    part: str
    minor_only: bool = False

    @property
    def text(self) -> str:
        """What the place should name."""
        return PARTS[self.part].minor if self.minor_only else PARTS[self.part].version


_VALUES: Final = "charts/sergas-monitoring/values.yaml"
_SETTINGS: Final = "operator/sergas_operator/settings.py"
_STACK_TAG: Final = r"kube-prometheus-stack-([\d.]+)"
PLACES: Final = (
    Place(_VALUES, r"repository: prometheus/prometheus\n +# .*\n +tag: v(\S+)$", "prometheus"),
    Place(_VALUES, r"repository: prometheus/alertmanager\n +# .*\n +tag: v(\S+)$", "alertmanager"),
    Place(_SETTINGS, r"quay\.io/prometheus/prometheus:v([\d.]+)", "prometheus"),
    Place(_SETTINGS, r"quay\.io/prometheus/alertmanager:v([\d.]+)", "alertmanager"),
    *(
        Place("charts/sergas-monitoring/Chart.yaml", rf"- name: {part.chart}\n    version: (\S+)$", part.key)
        for part in PARTS.values()
        if part.chart
    ),
    Place("charts/sergas-monitoring/tests/operator_test.yaml", r"alertmanager:v([\d.]+)@sha256", "alertmanager"),
    Place("manifests/argocd/applications/crds.yaml", _STACK_TAG, "kubePrometheusStack"),
    Place("manifests/argocd/environments/applicationset.yaml", _STACK_TAG, "kubePrometheusStack"),
    Place("manifests/flux/sources.yaml", _STACK_TAG, "kubePrometheusStack"),
    Place("tests/e2e/cluster/README.md", r"^Kubernetes (\S+) with CoreDNS", "kubernetes", minor_only=True),
    Place("tests/e2e/cluster/README.md", r"prometheus-operator (\S+) in namespace", "prometheusOperator"),
    Place("docs/guides/kind.md", r"Kubernetes older than ([\d.]+\d)", "kubernetesOldest", minor_only=True),
)


class VersionsError(Exception):
    """A file names no version where one is expected, or the support of a version has ended."""


def stamped(text: str, place: Place) -> str:
    """`text` of the place's file with the version of versions.yaml in that place.

    Raises:
        VersionsError: nothing there matches the pattern.
    """

    def replaced(found: re.Match[str]) -> str:
        start, end = found.start(1) - found.start(), found.end(1) - found.start()
        return found[0][:start] + place.text + found[0][end:]

    result, count = re.subn(place.pattern, replaced, text, flags=re.MULTILINE)
    if not count:
        raise VersionsError(f"{place.file} names no version where {place.pattern!r} expects one; correct PLACES")
    return result


def stamp(root: Path = ROOT) -> None:
    """Write the versions into every place that names one."""
    for place in PLACES:
        file = root / place.file
        file.write_text(stamped(file.read_text(encoding="utf-8"), place), encoding="utf-8")


def ended(parts: Iterable[Part], today: date) -> list[Part]:
    """Those whose support ended before `today`."""
    return [part for part in parts if part.ends and part.ends < today]


def near(parts: Iterable[Part], today: date) -> list[Part]:
    """Those whose support ends within NEAR_DAYS days or has ended."""
    return [part for part in parts if part.ends and (part.ends - today).days <= NEAR_DAYS]


def line(part: Part, today: date) -> str:
    """One sentence about the support of `part`."""
    if part.ends is None:
        return f"{part.name} {part.version}: {UNDATED}; see {part.source}"
    days = (part.ends - today).days
    when = f"ends on {part.ends}, in {days} days" if days >= 0 else f"ended on {part.ends}, {-days} days ago"
    return f"{part.name} {part.version}: support {when}; see {part.source}"


def page() -> str:
    """docs/reference/versions.md."""
    rows = [f"| [{part.name}]({part.source}) | {part.version} | {part.ends or UNDATED} |" for part in PARTS.values()]
    return "\n".join(
        [
            "<!-- Generated by `make generate` from versions.yaml. Do not edit. -->",
            "# Versions",
            "",
            "The chart installs these versions of Prometheus, Alertmanager and kube-prometheus-stack. The"
            " tests run with them.",
            "",
            "Tested minor releases of Kubernetes:",
            "",
            f"- {PARTS['kubernetes'].minor}: all tests, with pods.",
            f"- {PARTS['kubernetesOldest'].minor}, the oldest minor that upstream supports: the tests of the"
            " operator and of the CRD on an API server without nodes (`make test-apiserver-oldest`).",
            "",
            "`make check-versions` fails when the support of one of them has ended.",
            "",
            "| Program | Version | Upstream fixes it until |",
            "| --- | --- | --- |",
            *rows,
            "",
        ]
    )


def main(arguments: list[str]) -> None:
    """Run one of the two verbs.

    Raises:
        VersionsError: the support of a version has ended, or the verb is unknown.
    """
    today = date.today()
    match arguments:
        case ["near"]:
            for part in near(PARTS.values(), today):
                print(f"warning: {line(part, today)}")
        case ["check"]:
            for part in PARTS.values():
                print(line(part, today))
            if gone := ended(PARTS.values(), today):
                names = ", ".join(f"{part.name} {part.version}" for part in gone)
                raise VersionsError(f"out of support: {names}. Move to a supported version in {FILE.name}.")
        case _:
            raise VersionsError("type `python -m charts.versions near` or `python -m charts.versions check`")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except VersionsError as problem:
        sys.exit(str(problem))
