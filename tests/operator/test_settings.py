"""Settings, sizes and the command line, with the messages for what cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from sergas_operator.__main__ import main
from sergas_operator.desired.alertmanager import retention
from sergas_operator.desired.inputs import Claim, Config, Inputs
from sergas_operator.desired.prometheus import retention_size
from sergas_operator.errors import SpecError
from sergas_operator.model.quantity import prometheus_size, to_bytes
from sergas_operator.model.spec import InfoRouting, Monitoring, Prometheus, PrometheusStorage, Routing, Spec
from sergas_operator.settings import Settings, SettingsError, read

GIBIBYTE = 1024**3


def test_needs_only_namespaces() -> None:
    assert read({"SERGAS_NAMESPACES": "monitoring, team-a"}) == Settings(namespaces=("monitoring", "team-a"))


def test_reads_digest_image_and_pull_secrets() -> None:
    found = read(
        {
            "SERGAS_NAMESPACES": "monitoring",
            "SERGAS_DIGEST_IMAGE": "registry.example.com/sergas-operator:dev-0a1b",
            "SERGAS_IMAGE_PULL_SECRETS": "registry, second",
        }
    )
    assert found.digest_image == "registry.example.com/sergas-operator:dev-0a1b"
    assert found.image_pull_secrets == ("registry", "second")


def test_reads_allowed_pagerduty_urls_identity_and_pod() -> None:
    found = read(
        {
            "SERGAS_NAMESPACES": "monitoring",
            "SERGAS_ALLOWED_PAGERDUTY_URLS": "https://pagerduty.example.com/v2/enqueue",
            "SERGAS_IDENTITY": "monitoring/second",
            "SERGAS_POD_NAMESPACE": "monitoring",
            "SERGAS_POD_NAME": "second-operator-0",
        }
    )
    assert found.pagerduty_urls == ("https://pagerduty.example.com/v2/enqueue",)
    assert found.identity == "monitoring/second"
    # The digest runs from the image of this pod.
    assert (found.pod, found.digest_image) == (("monitoring", "second-operator-0"), "")


def test_assigns_ids_unless_told_otherwise() -> None:
    assert read({"SERGAS_NAMESPACES": "monitoring"}).assign_ids
    assert not read({"SERGAS_NAMESPACES": "monitoring", "SERGAS_ASSIGN_IDS": "false"}).assign_ids


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
            "the image 'prometheus:latest' has no version as its tag: write one such as " + Settings().prometheus_image,
        ),
    ],
)
def test_error_names_variable_and_advice(environment: dict[str, str], sentence: str) -> None:
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
        # https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
        ("1288490188800m", 1288490188),
        ("+1.5Ti", 1024**4 * 3 // 2),
        (".5Gi", GIBIBYTE // 2),
        ("1E", 10**18),
        ("1E3", 1000),
        ("1e-1", 0),
        ("5000000u", 5),
        ("9000000000n", 9),
    ],
)
def test_converts_quantity_to_bytes(quantity: str, size: int) -> None:
    assert to_bytes(quantity) == size


@pytest.mark.parametrize("text", ["big", "", "1GiB", "-1Gi", "1 Gi", "Gi", "1e", "1ee3", "1e9999"])
def test_refuses_what_is_not_a_quantity(text: str) -> None:
    with pytest.raises(SpecError) as error:
        to_bytes(text)
    assert str(error.value) == f"{text}: is not a size: write a number with Mi, Gi or Ti, such as 50Gi"


@pytest.mark.parametrize(("size", "text"), [(40 * GIBIBYTE, "40GiB"), (1536, "1536B"), (3 * 1024, "3KiB"), (0, "0B")])
def test_writes_size_as_prometheus_does(size: int, text: str) -> None:
    assert prometheus_size(size) == text


def inputs(storage: str, wanted: str = "", claim: str = "", volume: str = "") -> Inputs:
    """The input of a builder for a Prometheus with this storage, with what runs."""
    spec = Spec(prometheus=Prometheus(retention_size=wanted, storage=PrometheusStorage(size=storage)))
    claims = {"prometheus": Claim(claim, "")} if claim else {}
    monitoring = Monitoring("sergas", "monitoring", "uid", 1, spec)
    smallest = to_bytes(volume) if volume else None
    return Inputs(monitoring, Settings(), Config("", {}, ""), claims, smallest)


@pytest.mark.parametrize(
    ("storage", "wanted", "size"),
    [("50Gi", "", "40GiB"), ("1Gi", "", "819MiB"), ("50Gi", "10GB", "10GB"), ("512Ki", "", "419430B")],
)
def test_retention_size_is_80_percent_of_the_volume_or_what_the_spec_says(storage: str, wanted: str, size: str) -> None:
    assert retention_size(inputs(storage, wanted)) == size


@pytest.mark.parametrize(
    ("wanted", "claim", "volume", "size"),
    [
        ("", "50Gi", "50Gi", "40GiB"),
        # The claims exist and are not bound yet.
        ("", "50Gi", "", "40GiB"),
        # Expanded by hand, although the template of the StatefulSet stays.
        ("", "50Gi", "100Gi", "80GiB"),
        # A retentionSize for the new volume would fill the old one.
        ("400GB", "50Gi", "50Gi", "40GiB"),
        ("400GB", "50Gi", "500Gi", "400GB"),
        # 85 % of 50Gi is 42.5GiB.
        ("42GB", "50Gi", "50Gi", "42GB"),
        ("43GB", "50Gi", "50Gi", "40GiB"),
    ],
)
def test_retention_size_follows_the_smallest_actual_volume(wanted: str, claim: str, volume: str, size: str) -> None:
    assert retention_size(inputs("500Gi", wanted, claim, volume)) == size


def test_alertmanager_retention_exceeds_longest_interval() -> None:
    assert retention(Spec()) == "120h"
    assert retention(Spec(routing=Routing(info=InfoRouting(digest="7d")))) == "192h"


def test_render_prints_every_child(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render", str(Path(__file__).parent / "golden/default/cr.yaml")]) == 0
    assert capsys.readouterr().out.count("kind: ") >= 7


def test_render_fails_for_file_without_monitoring(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "other.yaml"
    path.write_text("kind: Service\n")
    assert main(["render", str(path)]) == 1
    assert capsys.readouterr().err == (
        f"sergas-operator: {path} has no SergasMonitoring: write one with `kind: SergasMonitoring`\n"
    )


def test_run_fails_without_namespaces(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("SERGAS_NAMESPACES", raising=False)
    assert main([]) == 2
    assert capsys.readouterr().err == (
        "sergas-operator: SERGAS_NAMESPACES is empty: set it to the namespaces to serve, such as monitoring\n"
    )
