"""A release names one version everywhere, and is not made of stand-ins."""

import re
import shutil

import pytest

from charts.helm import ROOT
from charts.release import PLACES, ReleaseError, check, notes, refuse_stubs
from charts.stubs import write_stubs


@pytest.fixture
def checkout(tmp_path):
    """A copy of the files that name the version."""
    for name, _ in PLACES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def version():
    found = re.search(r"^version: (\S+)$", (ROOT / "charts/sergas-monitoring/Chart.yaml").read_text(), re.MULTILINE)
    return found[1]


def test_every_file_names_the_version_of_the_chart():
    check(version())


@pytest.mark.parametrize("name", sorted({name for name, _ in PLACES}))
def test_a_file_that_was_forgotten_is_named(checkout, name):
    file = checkout / name
    file.write_text(file.read_text().replace(version(), "0.0.9"))
    with pytest.raises(ReleaseError) as refused:
        check(version(), checkout)
    assert str(refused.value).startswith(
        f"these name another version than {version()}; write it there and tag again:\n  {name}: 0.0.9"
    )


def test_a_chart_with_a_stub_is_not_packaged(tmp_path):
    chart = tmp_path / "sergas-monitoring"
    shutil.copytree(ROOT / "charts" / "sergas-monitoring", chart, ignore=shutil.ignore_patterns("charts"))
    refuse_stubs(chart)
    write_stubs(chart)
    with pytest.raises(ReleaseError) as refused:
        refuse_stubs(chart)
    assert str(refused.value) == (
        "kube-prometheus-stack is a stub: package from a copy without charts/, as make dist does"
    )


CHANGES = """# Changelog

## Unreleased

- Not yet.

## 1.2.0 - 2026-11-01

### Added

- A field.

## 1.1.0 - 2026-10-01

## 1.0.0 - 2026-09-01

- First.
"""


def test_notes_are_the_section_of_the_version(tmp_path):
    (tmp_path / "CHANGELOG.md").write_text(CHANGES)
    assert notes("1.2.0", tmp_path) == "### Added\n\n- A field."
    assert notes("1.0.0", tmp_path) == "- First."


@pytest.mark.parametrize("missing", ["1.1.0", "1.2", "2.0.0"])
def test_refuses_a_version_of_which_the_changelog_says_nothing(tmp_path, missing):
    (tmp_path / "CHANGELOG.md").write_text(CHANGES)
    with pytest.raises(ReleaseError, match=rf"write a section `## {missing} - <date>`"):
        notes(missing, tmp_path)
