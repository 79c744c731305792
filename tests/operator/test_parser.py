"""The real Prometheus Operator, run as a process of its own, reads what the operator and the chart write."""

from __future__ import annotations

import base64
import gzip
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from controlplane import CRD, ControlPlane, free_port, tool
from kube import Namespace, Refused

from charts.helm import objects, template

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


def without_rules(node: Any) -> Any:
    """A schema without its CEL rules."""
    if isinstance(node, list):
        return [without_rules(child) for child in node]
    if not isinstance(node, dict):
        return node
    return {key: without_rules(child) for key, child in node.items() if key != "x-kubernetes-validations"}


@contextmanager
def unchecked(namespace: Namespace, spec: dict[str, Any]) -> Iterator[None]:
    """The API server stores `spec`, which the CRD's rules refuse, as it did before there was such a rule."""
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/sergasmonitorings.monitoring.sergas.com"
    body = {"metadata": {"name": "unchecked"}, "spec": spec}

    def is_accepted() -> bool:
        try:
            namespace.validate(body)
        except Refused:
            return False
        return True

    text = CRD.read_text()
    namespace.control_plane.apply(path, yaml.safe_dump(without_rules(yaml.safe_load(text))))
    try:
        namespace.wait("the API server has forgotten the rules", is_accepted)
        yield
    finally:
        namespace.control_plane.apply(path, text)
        namespace.wait("the API server knows the rules", lambda: not is_accepted())


@pytest.mark.usefixtures("prometheus_operator")
def test_reports_configuration_that_the_parser_refuses_and_keeps_the_last_good_one(namespace: Namespace) -> None:
    namespace.secret("hook", url="http://example.com/hook")
    namespace.create({"receivers": [HOOK]})
    good = namespace.wait("a good configuration is generated", lambda: generated(namespace))
    broken = {"matchers": [{"name": "team", "value": "web[", "matchType": "=~"}], "receivers": ["hook"]}
    with unchecked(namespace, {"receivers": [HOOK], "routes": [broken]}):
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
    namespace.wait("Prometheus is configured", lambda: bool(configuration(namespace, "sergas")))
    # From 0.92 on the Prometheus Operator writes the retention there, and not into the arguments.
    tsdb = configuration(namespace, "sergas")["storage"]["tsdb"]
    assert tsdb["retention"] == {"time": "12d", "size": "40GiB"}
    assert f"--cluster.label={namespace.name}/sergas" in str(made["alertmanager-sergas"])
    assert f"--web.external-url={external_url}" in str(made["alertmanager-sergas"])
    # The address is for people; probes, peers and the operator go on asking at the root.
    assert "--web.route-prefix=/'" in str(made["alertmanager-sergas"])
    for part in ("prometheus", "alertmanager"):
        template = made[f"{part}-sergas"]["spec"]["template"]["metadata"]["labels"]
        selector = namespace.get("Service", f"sergas-{part}")["spec"]["selector"]
        assert selector.items() <= template.items()
    namespace.wait_for_condition("PrometheusAvailable", "ReplicasNotReady")


@pytest.mark.usefixtures("prometheus_operator")
def test_prometheus_that_denies_file_access_uses_the_charts_monitors_of_kubernetes(namespace: Namespace) -> None:
    certificate = (namespace.control_plane.folder / "certs/apiserver.crt").read_text()
    secret = {"token": "token", "ca.crt": certificate}
    names = {"sergas-prometheus-token", "sergas-kubelet", "sergas-apiserver"}
    monitors = [item for item in objects(template()) if item["metadata"]["name"] in names]
    assert len(monitors) == len(names)
    for item in monitors:
        if item["kind"] == "Secret":
            item["data"] = {key: base64.b64encode(value.encode()).decode() for key, value in secret.items()}
    monitors.append(with_files(next(item for item in monitors if item["metadata"]["name"] == "sergas-kubelet")))
    spec = {"replicas": 1, "serviceMonitorSelector": {}, "arbitraryFSAccessThroughSMs": {"deny": True}}
    monitors.append({"apiVersion": COREOS, "kind": "Prometheus", "metadata": {"name": "denies"}, "spec": spec})
    try:
        for item in monitors:
            item["metadata"]["namespace"] = namespace.name
            namespace.request("POST", collection(namespace, item["kind"]), item)
        namespace.wait("the configuration has both monitors", lambda: len(jobs(namespace)) == 4)
        assert jobs(namespace) == {
            *(f"serviceMonitor/{namespace.name}/sergas-kubelet/{index}" for index in range(3)),
            f"serviceMonitor/{namespace.name}/sergas-apiserver/0",
        }
    finally:
        namespace.request("DELETE", collection(namespace, "ServiceMonitor"))


COREOS = "monitoring.coreos.com/v1"


def collection(namespace: Namespace, kind: str) -> str:
    plurals = {"Secret": "secrets", "ServiceMonitor": "servicemonitors", "Prometheus": "prometheuses"}
    api = "api/v1" if kind == "Secret" else f"apis/{COREOS}"
    return f"{api}/namespaces/{namespace.name}/{plurals[kind]}"


def with_files(monitor: dict[str, Any]) -> dict[str, Any]:
    """The monitor as kube-prometheus-stack has it."""
    folder = "/var/run/secrets/kubernetes.io/serviceaccount"
    endpoint = monitor["spec"]["endpoints"][0] | {"bearerTokenFile": f"{folder}/token"}
    del endpoint["authorization"], endpoint["tlsConfig"]
    return monitor | {"metadata": {"name": "files"}, "spec": monitor["spec"] | {"endpoints": [endpoint]}}


def jobs(namespace: Namespace) -> set[str]:
    """Names of the scrape configurations of Prometheus "denies"."""
    return {job["job_name"] for job in configuration(namespace, "denies").get("scrape_configs", [])}


def configuration(namespace: Namespace, prometheus: str) -> dict[str, Any]:
    """The configuration file of that Prometheus; empty before there is one."""
    found = (namespace.get("Secret", f"prometheus-{prometheus}") or {}).get("data", {}).get("prometheus.yaml.gz", "")
    return (yaml.safe_load(gzip.decompress(base64.b64decode(found))) if found else None) or {}
