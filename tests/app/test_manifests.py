"""What runs it in a cluster: the labels and ports that ServiceMonitors look for, and restricted pods."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from sergas_app.faults import Faults

APP = Path(__file__).parents[2] / "examples" / "sergas-app"


def documents(kind: str) -> dict[str, dict[str, Any]]:
    """Objects of one kind, by their component."""
    found = [one for one in yaml.safe_load_all((APP / "k8s.yaml").read_text()) if one["kind"] == kind]
    return {one["metadata"]["labels"]["app.kubernetes.io/component"]: one for one in found}


@pytest.mark.parametrize("component", ["api", "agents"])
def test_services_carry_what_service_monitors_select(component: str) -> None:
    service = documents("Service")[component]
    assert service["metadata"]["name"] == f"sergas-{component}"
    assert service["metadata"]["labels"]["app.kubernetes.io/part-of"] == "sergas"
    assert service["spec"]["ports"] == [{"name": "http", "port": 80, "targetPort": "http"}]


@pytest.mark.parametrize("component", ["api", "agents"])
def test_services_select_the_pods_of_their_deployment(component: str) -> None:
    selector = documents("Service")[component]["spec"]["selector"]
    deployment = documents("Deployment")[component]
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert selector.items() <= labels.items()
    assert deployment["spec"]["selector"]["matchLabels"].items() <= labels.items()


@pytest.mark.parametrize("component", ["api", "agents"])
def test_pods_are_restricted(component: str) -> None:
    pod = documents("Deployment")[component]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 10001,
        "runAsGroup": 10001,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["automountServiceAccountToken"] is False


@pytest.mark.parametrize("component", ["api", "agents"])
def test_each_role_is_told_which_it_is(component: str) -> None:
    (container,) = documents("Deployment")[component]["spec"]["template"]["spec"]["containers"]
    assert {"name": "SERGAS_ROLE", "value": component} in container["env"]
    assert container["ports"] == [{"name": "http", "containerPort": 8000}]


def test_no_object_names_a_namespace() -> None:
    objects = list(yaml.safe_load_all((APP / "k8s.yaml").read_text()))
    assert [one["metadata"].get("namespace") for one in objects] == [None] * 4


def test_the_readme_lists_every_setting_and_fault() -> None:
    readme = (APP / "README.md").read_text()
    settings = re.findall(r'"(SERGAS_[A-Z_]+)"', (APP / "sergas_app" / "settings.py").read_text())
    assert len(settings) == 10
    assert [name for name in {*settings, *Faults.model_fields} if f"`{name}`" not in readme] == []
