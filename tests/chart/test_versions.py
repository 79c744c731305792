"""versions.yaml: what names a version names the one in it, and the end of support is reported in time."""

from datetime import date, timedelta

import pytest

from charts import versions
from charts.versions import NEAR_DAYS, PARTS, PLACES, Part, Place, VersionsError
from sergas_operator.settings import Settings

TODAY = date(2026, 11, 28)


def part(days: int | None) -> Part:
    """A part whose support ends in `days` days."""
    ends = None if days is None else TODAY + timedelta(days=days)
    return Part("probe", "Probe", "1.2.3", "https://example.com", ends)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: f"{place.file}-{place.part}")
def test_every_place_names_the_version_of_the_file(place):
    text = (versions.ROOT / place.file).read_text()
    assert versions.stamped(text, place) == text


def test_the_operator_starts_these_versions_by_default():
    assert Settings().prometheus_image.endswith(f":v{PARTS['prometheus'].version}")
    assert Settings().alertmanager_image.endswith(f":v{PARTS['alertmanager'].version}")


def test_stamping_changes_the_version_alone():
    place = Place("some.yaml", r"image: prometheus:v(\S+)$", "prometheus")
    text = "image: prometheus:v0.1.2\nimage: prometheus-operator:v0.1.2\n"
    assert versions.stamped(text, place) == (
        f"image: prometheus:v{PARTS['prometheus'].version}\nimage: prometheus-operator:v0.1.2\n"
    )


def test_a_place_that_vanished_from_its_file_is_an_error():
    with pytest.raises(VersionsError, match=r"^some\.yaml names no version where"):
        versions.stamped("", Place("some.yaml", r"v(\S+)$", "prometheus"))


@pytest.mark.parametrize("days", [-1, 0, NEAR_DAYS])
def test_support_that_ends_soon_or_has_ended_is_reported(days):
    assert versions.near([part(days)], TODAY)


@pytest.mark.parametrize("days", [None, NEAR_DAYS + 1])
def test_support_that_lasts_or_has_no_date_is_not_reported(days):
    assert not versions.near([part(days)], TODAY)


def test_only_support_that_has_ended_fails_the_check():
    assert [gone.ends for gone in versions.ended([part(-1), part(0), part(None)], TODAY)] == [date(2026, 11, 27)]


@pytest.mark.parametrize(
    ("days", "sentence"),
    [
        (3, "Probe 1.2.3: support ends on 2026-12-01, in 3 days; see https://example.com"),
        (-3, "Probe 1.2.3: support ended on 2026-11-25, 3 days ago; see https://example.com"),
        (None, "Probe 1.2.3: upstream names no date; see https://example.com"),
    ],
)
def test_a_line_says_when_support_ends_and_where_that_is_written(days, sentence):
    assert versions.line(part(days), TODAY) == sentence


def test_the_check_names_what_is_out_of_support(monkeypatch):
    monkeypatch.setattr(versions, "PARTS", {"probe": Part("probe", "Probe", "1.2.3", "https://x", date(2020, 1, 1))})
    with pytest.raises(VersionsError) as failed:
        versions.main(["check"])
    assert str(failed.value) == "out of support: Probe 1.2.3. Move to a supported version in versions.yaml."


def test_time_alone_fails_no_test(monkeypatch, capsys):
    monkeypatch.setattr(versions, "PARTS", {"probe": Part("probe", "Probe", "1.2.3", "https://x", date(2020, 1, 1))})
    versions.main(["near"])
    assert capsys.readouterr().out.startswith("warning: Probe 1.2.3: support ended on 2020-01-01, ")


def test_kubernetes_is_tested_on_the_oldest_supported_minor_and_a_newer_one():
    oldest, newest = (int(PARTS[key].minor.split(".")[1]) for key in ("kubernetesOldest", "kubernetes"))
    assert oldest < newest
