"""What argocd-cm.yaml makes of a SergasMonitoring's conditions, by Argo CD's own Lua."""

import json
import subprocess

import pytest
import yaml
from applications import MANIFESTS
from sergas_demo.places import CHECKOUT

SETTINGS = MANIFESTS / "argocd-cm.yaml"
SENTENCE = "2 of 2 Prometheus replicas are ready."


def condition(kind, status, reason, message=SENTENCE):
    return {"type": kind, "status": status, "reason": reason, "message": message}


def settled(status, reason="AllGood"):
    return [condition("Ready", status, reason), condition("Progressing", "False", "Converged", "All is as it says.")]


ROLLING = condition("Progressing", "True", "RollingOut", "On its way.")


def verdict(tmp_path, resource):
    """Status and message that Argo CD gives a resource."""
    file = tmp_path / "resource.json"
    file.write_text(json.dumps(resource))
    program = str(CHECKOUT / "bin" / "argocd")
    command = [program, "admin", "settings", "resource-overrides", "health", str(file)]
    command += ["--argocd-cm-path", str(SETTINGS), "--load-cluster-settings=false"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    said = dict(line.partition(": ")[::2] for line in done.stdout.strip().splitlines())
    return said["STATUS"], said.get("MESSAGE", "")


def monitoring(conditions, observed=3):
    return {
        "apiVersion": "monitoring.sergas.com/v1alpha1",
        "kind": "SergasMonitoring",
        "metadata": {"name": "sergas", "namespace": "monitoring", "generation": 3},
        "spec": {},
        "status": {"observedGeneration": observed, "conditions": conditions},
    }


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        (settled("True"), ("Healthy", SENTENCE)),
        (settled("True", "NoReceivers"), ("Healthy", SENTENCE)),
        (settled("False", "SecretNotUsable"), ("Degraded", SENTENCE)),
        (settled("Unknown", "CannotAsk"), ("Progressing", SENTENCE)),
        (
            [
                condition("Ready", "False", "ReplicasNotReady"),
                condition("Progressing", "True", "RollingOut", "On its way."),
            ],
            ("Progressing", SENTENCE),
        ),
        (
            [condition("Ready", "True", "AllGood"), condition("Progressing", "True", "RollingOut", "On its way.")],
            ("Progressing", "On its way."),
        ),
        (
            [condition("Ready", "True", "AllGood"), condition("Progressing", "False", "Paused", "It is paused.")],
            ("Suspended", "It is paused."),
        ),
        (
            [condition("Ready", "False", "NotCreated"), condition("Progressing", "False", "Planned", "It is a plan.")],
            ("Suspended", "It is a plan."),
        ),
    ],
)
def test_health_follows_ready_in_the_operators_words(tmp_path, conditions, expected):
    assert verdict(tmp_path, monitoring(conditions)) == expected


def test_a_status_of_an_older_generation_is_no_news(tmp_path):
    expected = ("Progressing", "The operator has not looked at this generation of the spec yet.")
    assert verdict(tmp_path, monitoring(settled("False", "SecretNotUsable"), observed=2)) == expected
    resource = monitoring([])
    del resource["status"]
    assert verdict(tmp_path, resource) == expected


def test_an_application_is_as_healthy_as_it_says(tmp_path):
    resource = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "a"}, "spec": {}}
    assert verdict(tmp_path, resource) == ("Progressing", "Argo CD has not compared this Application yet.")
    assert verdict(tmp_path, resource | {"status": {"health": {"status": "Degraded"}}}) == ("Degraded", "")


def test_the_settings_hold_nothing_but_the_two_health_checks():
    data = yaml.safe_load(SETTINGS.read_text())["data"]
    assert set(data) == {
        "resource.customizations.health.monitoring.sergas.com_SergasMonitoring",
        "resource.customizations.health.argoproj.io_Application",
    }
