"""Which specs the API server accepts, and the whole sentence with which it refuses the others."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from controlplane import CRD, ROOT, tool
from kube import Namespace, Refused

from sergas_operator.cli import placeholders
from sergas_operator.desired.alertmanager_config import render
from sergas_operator.model.spec import read

pytestmark = pytest.mark.apiserver

WEBHOOK = {"name": "hook", "webhook": {"urlSecretRef": {"name": "hook", "key": "url"}}}
INVALID = 'SergasMonitoring.monitoring.sergas.com "sergas" is invalid: '
CASES = Path(__file__).parent / "admission"
REFUSED = {case["name"]: case for case in yaml.safe_load((CASES / "refused.yaml").read_text())}
ACCEPTED = {case["name"]: case["spec"] for case in yaml.safe_load((CASES / "accepted.yaml").read_text())}
PODS = "api/v1/namespaces/default/pods?dryRun=All"
# Where the repository keeps resources that people copy or install.
SHIPPED = (
    "manifests/**/*.yaml",
    "examples/demo/manifests/*.yaml",
    "charts/sergas-monitoring/examples/*/output.yaml",
    "tests/operator/golden/*/cr.yaml",
)
# Libraries of CEL functions that an API server of Kubernetes 1.29 does not accept in a new rule.
NEWER_FUNCTIONS = ("format.", "sets.", "optional.", "ip(", "cidr(", "semver(", ".format(", "strings.quote")


def shipped() -> Iterator[Any]:
    for path in sorted(path for pattern in SHIPPED for path in ROOT.glob(pattern)):
        documents = [text for text in path.read_text().split("\n---\n") if "\nkind: SergasMonitoring\n" in f"\n{text}"]
        for text in documents:
            yield pytest.param(yaml.safe_load(text), id=str(path.relative_to(ROOT)))


@pytest.mark.parametrize("case", REFUSED)
def test_refuses_spec_with_advice(default: Namespace, case: str) -> None:
    with pytest.raises(Refused) as refused:
        default.create(REFUSED[case]["spec"])
    assert str(refused.value) == INVALID + REFUSED[case]["message"]


@pytest.mark.parametrize("case", ACCEPTED)
def test_accepts_spec_and_alertmanager_accepts_its_configuration(default: Namespace, case: str, tmp_path: Path) -> None:
    body = default.validate({"metadata": {"name": "sergas"}, "spec": ACCEPTED[case]})
    monitoring = read(body)
    config = tmp_path / "alertmanager.yaml"
    config.write_text(render(monitoring, placeholders(monitoring), b"token").text)
    checked = subprocess.run([tool("amtool"), "check-config", str(config)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("case", ACCEPTED)
def test_accepts_pods_with_the_scheduling_and_resources_of_an_accepted_spec(default: Namespace, case: str) -> None:
    spec = default.validate({"metadata": {"name": "sergas"}, "spec": ACCEPTED[case]})["spec"]
    for part in ("prometheus", "alertmanager"):
        default.request("POST", PODS, pod(spec[part]))


def pod(part: dict[str, Any]) -> dict[str, Any]:
    scheduling = part["scheduling"]
    term = {"topologyKey": scheduling["topologyKey"], "labelSelector": {}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "one", "labels": (part.get("discovery") or {}).get("matchLabels", {})},
        "spec": {
            "containers": [{"name": "one", "image": "one", "resources": part["resources"]}],
            "affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}},
            **{field: scheduling[field] for field in ("nodeSelector", "tolerations") if field in scheduling},
        },
    }


@pytest.mark.parametrize("body", list(shipped()))
def test_accepts_every_resource_in_the_repository(default: Namespace, body: dict[str, Any]) -> None:
    default.validate(body)


def test_refuses_two_receivers_of_one_name(default: Namespace) -> None:
    with pytest.raises(Refused) as refused:
        default.create({"receivers": [WEBHOOK, WEBHOOK]})
    assert str(refused.value) == (
        INVALID + '[spec.receivers[1]: Duplicate value: {"name":"hook"}, spec.receivers: Invalid value: two receivers '
        "have the same name: give each a name of its own]"
    )


def test_refuses_name_that_is_too_long_for_pods(default: Namespace) -> None:
    name = "a" * 39
    with pytest.raises(Refused) as refused:
        default.create({}, name)
    assert str(refused.value) == (
        f'SergasMonitoring.monitoring.sergas.com "{name}" is invalid: <nil>: Invalid value: the '
        f"name '{name}' cannot be used for Services and pods: write at most 38 lower case letters, digits and "
        "hyphens, starting with a letter, such as sergas"
    )


def test_refuses_unknown_field_in_strict_apply(default: Namespace) -> None:
    with pytest.raises(Refused) as refused:
        default.create({"prometheus": {"retentoin": "30d"}})
    assert str(refused.value) == (
        'SergasMonitoring in version "v1alpha1" cannot be handled as a SergasMonitoring: strict '
        'decoding error: unknown field "spec.prometheus.retentoin"'
    )


@pytest.mark.parametrize("part", ["prometheus", "alertmanager"])
def test_accepts_rollback_across_growth_and_a_named_storage_class(default: Namespace, part: str) -> None:
    name = f"rollback-{part}"
    default.create({part: {"storage": {"size": "20Gi"}}}, name)
    default.patch({part: {"storage": {"size": "40Gi", "storageClassName": "fast"}}}, name)
    # Helm removes what the older revision never set.
    rolled_back = default.patch({part: {"storage": {"size": None, "storageClassName": None}}}, name)
    default_size = {"prometheus": "50Gi", "alertmanager": "2Gi"}[part]
    assert rolled_back["spec"][part]["storage"] == {
        "size": default_size,
        "storageClassName": "",
        "whenDeleted": "Retain",
    }
    default.patch({part: {"storage": {"size": "1Gi", "storageClassName": "fast"}}}, name)


@pytest.mark.parametrize("part", ["prometheus", "alertmanager"])
def test_refuses_another_storage_class(default: Namespace, part: str) -> None:
    name = f"class-{part}"
    default.create({part: {"storage": {"storageClassName": "fast"}}}, name)
    with pytest.raises(Refused) as refused:
        default.patch({part: {"storage": {"storageClassName": "slow"}}}, name)
    assert str(refused.value) == (
        f'SergasMonitoring.monitoring.sergas.com "{name}" is invalid: spec.{part}.storage.storageClassName: '
        "Invalid value: \"slow\": the class of existing volumes cannot change from 'fast' to 'slow': write 'fast' "
        "again, or create another SergasMonitoring with the new class"
    )


def test_stores_the_deletion_policy_of_the_status(default: Namespace) -> None:
    default.create({}, "policy")
    default.patch_object("SergasMonitoring", "policy", {"status": {"deletionPolicy": "Retain"}}, "/status")
    assert default.status("policy") == {"deletionPolicy": "Retain"}


def test_defaults_empty_spec_to_high_availability(default: Namespace) -> None:
    spec = default.create({}, "empty")["spec"]
    assert (spec["prometheus"]["replicas"], spec["prometheus"]["retention"]) == (2, "30d")
    assert (spec["prometheus"]["storage"]["size"], spec["alertmanager"]["storage"]["size"]) == ("50Gi", "2Gi")
    assert spec["alertmanager"]["replicas"] == 3


def test_rules_use_functions_of_the_oldest_supported_kubernetes() -> None:
    rules = list(cel_rules(yaml.safe_load(CRD.read_text())))
    assert len(rules) > 50
    assert [rule for rule in rules if any(function in rule for function in NEWER_FUNCTIONS)] == []


def cel_rules(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        yield from (rule["rule"] for rule in node.get("x-kubernetes-validations", ()))
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for child in children:
        yield from cel_rules(child)


@pytest.fixture
def default(control_plane: Any) -> Namespace:
    """The namespace default, which no operator serves."""
    return Namespace(control_plane, "default")
