"""Settings, sizes and the command line: what is said when something cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from sergas_operator.__main__ import main
from sergas_operator.desired.alertmanager import retention
from sergas_operator.desired.prometheus import retention_size
from sergas_operator.errors import SpecError
from sergas_operator.quantity import prometheus_size, to_bytes
from sergas_operator.settings import Settings, SettingsError, read
from sergas_operator.spec import InfoRouting, Prometheus, PrometheusStorage, Routing, Spec

GIBIBYTE = 1024**3


def test_namespaces_are_all_it_needs() -> None:
    assert read({"SERGAS_NAMESPACES": "monitoring, team-a"}) == Settings(namespaces=("monitoring", "team-a"))


def test_the_digests_image_may_have_any_tag_and_comes_with_its_pull_secrets() -> None:
    found = read(
        {
            "SERGAS_NAMESPACES": "monitoring",
            "SERGAS_DIGEST_IMAGE": "registry.example.com/sergas-operator:dev-0a1b",
            "SERGAS_IMAGE_PULL_SECRETS": "registry, second",
        }
    )
    assert found.digest_image == "registry.example.com/sergas-operator:dev-0a1b"
    assert found.image_pull_secrets == ("registry", "second")


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({}, "SERGAS_NAMESPACES is empty: set it to the namespaces to serve, such as monitoring"),
        (
            {"SERGAS_WORKERS": "many"},
            "SERGAS_WORKERS is 'many': set it to a whole number from 1 to 64, such as 8",
        ),
        ({"SERGAS_LOG_FORMAT": "xml"}, "SERGAS_LOG_FORMAT is 'xml': set it to one of json, plain"),
        (
            {"SERGAS_PROMETHEUS_IMAGE": "prometheus:latest"},
            "the image 'prometheus:latest' has no version as its tag: write one such as "
            "quay.io/prometheus/prometheus:v3.5.1",
        ),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(environment: dict[str, str], sentence: str) -> None:
    with pytest.raises(SettingsError) as error:
        read({"SERGAS_NAMESPACES": "monitoring", **environment} if environment else {})
    assert str(error.value) == sentence


@pytest.mark.parametrize(
    ("quantity", "size"),
    [
        ("50Gi", 50 * GIBIBYTE),
        ("1.5Gi", GIBIBYTE * 3 // 2),
        ("1e9", 10**9),
        ("5G", 5 * 10**9),
        ("1024", 1024),
        ("2k", 2000),
    ],
)
def test_quantities_are_bytes(quantity: str, size: int) -> None:
    assert to_bytes(quantity) == size


def test_what_is_no_quantity_is_refused() -> None:
    with pytest.raises(SpecError) as error:
        to_bytes("big")
    assert str(error.value) == "big: is not a size: write a number with Mi, Gi or Ti, such as 50Gi"


@pytest.mark.parametrize(("size", "text"), [(40 * GIBIBYTE, "40GiB"), (1536, "1536B"), (3 * 1024, "3KiB"), (0, "0B")])
def test_sizes_are_written_as_prometheus_writes_them(size: int, text: str) -> None:
    assert prometheus_size(size) == text


@pytest.mark.parametrize(
    ("storage", "said", "size"),
    [("50Gi", "", "40GiB"), ("1Gi", "", "819MiB"), ("50Gi", "10GB", "10GB"), ("512Ki", "", "419430B")],
)
def test_samples_fill_80_percent_of_the_volume_unless_said_otherwise(storage: str, said: str, size: str) -> None:
    assert retention_size(Prometheus(retention_size=said, storage=PrometheusStorage(size=storage))) == size


def test_alertmanager_remembers_longer_than_the_longest_interval() -> None:
    assert retention(Spec()) == "120h"
    assert retention(Spec(routing=Routing(info=InfoRouting(digest="7d")))) == "192h"


def test_render_prints_every_child(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render", str(Path(__file__).parent / "golden/default/cr.yaml")]) == 0
    assert capsys.readouterr().out.count("kind: ") >= 7


def test_render_says_what_a_file_lacks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "other.yaml"
    path.write_text("kind: Service\n")
    assert main(["render", str(path)]) == 1
    assert capsys.readouterr().err == (
        f"sergas-operator: {path} holds no SergasMonitoring: write one with `kind: SergasMonitoring`\n"
    )


def test_running_without_namespaces_says_what_to_set(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SERGAS_NAMESPACES", raising=False)
    assert main([]) == 2
    assert capsys.readouterr().err == (
        "sergas-operator: SERGAS_NAMESPACES is empty: set it to the namespaces to serve, such as monitoring\n"
    )
