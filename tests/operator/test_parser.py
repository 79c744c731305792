"""The real Prometheus Operator, run as a process of its own, is the parser: its words reach the status."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from controlplane import ControlPlane, free_port, tool
from kube import Namespace

pytestmark = pytest.mark.apiserver

HOOK = {"name": "hook", "webhook": {"urlSecretRef": {"name": "hook", "key": "url"}}}


@pytest.fixture
def prometheus_operator(granted: ControlPlane, namespace: Namespace, tmp_path: Path) -> Iterator[None]:
    """Serves the test's namespace, as admin."""
    arguments = [
        f"--namespaces={namespace.name}",
        f"--web.listen-address=127.0.0.1:{free_port()}",
        "--kubelet-endpoints=false",
    ]
    environment = os.environ | {"KUBECONFIG": str(granted.kubeconfig("admin"))}
    with (tmp_path / "prometheus-operator.log").open("wb") as log:
        command = [tool("prometheus-operator"), *arguments]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    yield
    process.kill()
    process.wait()


def generated(namespace: Namespace) -> str:
    """The configuration Alertmanager's pods would mount, compressed: it changes when they are given "
    "another."""
    secret = namespace.get("Secret", "alertmanager-sergas-generated")
    return str((secret or {}).get("data", {}).get("alertmanager.yaml.gz", ""))


@pytest.mark.usefixtures("prometheus_operator")
def test_a_configuration_the_real_parser_refuses_is_told_in_its_words_and_the_last_good_one_stays(
    namespace: Namespace,
) -> None:
    namespace.secret("hook", url="http://example.com/hook")
    namespace.create({"receivers": [HOOK]})
    good = namespace.wait("a good configuration is generated", lambda: generated(namespace))
    broken = {"matchers": [{"name": "team", "value": "web[", "matchType": "=~"}], "receivers": ["hook"]}
    namespace.patch({"routes": [broken]})
    condition = namespace.wait_for_condition("ConfigLoaded", "ConfigRefused")
    assert condition["message"] == (
        "provision alertmanager configuration: failed to initialize from secret: error parsing "
        "regexp: missing closing ]: "
        "`[)$`. Alertmanager keeps the configuration it loaded last; correct the spec."
    )
    assert generated(namespace) == good
    corrected = broken | {"matchers": [{"name": "team", "value": "web", "matchType": "=~"}]}
    namespace.patch({"routes": [corrected]})
    namespace.wait("the corrected one is generated", lambda: generated(namespace) != good)
    namespace.wait("nothing is refused", lambda: namespace.condition("ConfigLoaded")["reason"] != "ConfigRefused")


@pytest.mark.usefixtures("prometheus_operator")
def test_the_prometheus_operator_makes_replicas_with_our_settings(namespace: Namespace) -> None:
    external_url = "https://sergas.example.com/alertmanager"
    namespace.create({"prometheus": {"retention": "12d"}, "alertmanager": {"externalURL": external_url}})
    path = f"apis/apps/v1/namespaces/{namespace.name}/statefulsets"

    def stateful_sets() -> dict[str, dict[str, object]]:
        return {item["metadata"]["name"]: item for item in namespace.request("GET", path)["items"]}

    namespace.wait("both are made", lambda: len(stateful_sets()) == 2)
    made = stateful_sets()
    assert "--storage.tsdb.retention.time=12d" in str(made["prometheus-sergas"])
    assert "--storage.tsdb.retention.size=40GiB" in str(made["prometheus-sergas"])
    assert f"--cluster.label={namespace.name}/sergas" in str(made["alertmanager-sergas"])
    assert f"--web.external-url={external_url}" in str(made["alertmanager-sergas"])
    # The address is for people; probes, peers and the operator go on asking at the root.
    assert "--web.route-prefix=/'" in str(made["alertmanager-sergas"])
    for part in ("prometheus", "alertmanager"):
        template = made[f"{part}-sergas"]["spec"]["template"]["metadata"]["labels"]
        selector = namespace.get("Service", f"sergas-{part}")["spec"]["selector"]
        assert selector.items() <= template.items()
    namespace.wait_for_condition("PrometheusAvailable", "ReplicasNotReady")
