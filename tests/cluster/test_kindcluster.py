import subprocess
from pathlib import Path

import pytest
import yaml
from sergas_cluster import kindcluster, operatorstack, paths
from sergas_cluster.errors import ClusterError


def api_server(config):
    return yaml.safe_load(config["nodes"][0]["kubeadmConfigPatches"][0])["apiServer"]


def test_kinds_api_server_writes_the_audit_log_of_the_mounted_policy():
    config = yaml.safe_load(kindcluster.configuration(Path("/sources/audit-policy.yaml")))
    arguments = {entry["name"]: entry["value"] for entry in api_server(config)["extraArgs"]}
    mounted = config["nodes"][0]["extraMounts"][0]
    assert mounted["hostPath"] == "/sources/audit-policy.yaml"
    assert arguments["audit-policy-file"] == mounted["containerPath"]
    assert arguments["audit-log-path"] == "/var/log/kubernetes/audit.log"


def test_the_api_server_pod_sees_policy_and_log_folder():
    config = yaml.safe_load(kindcluster.configuration(Path("/sources/audit-policy.yaml")))
    seen = {entry["mountPath"]: entry["readOnly"] for entry in api_server(config)["extraVolumes"]}
    assert seen == {"/etc/kubernetes/audit-policy.yaml": True, "/var/log/kubernetes": False}


@pytest.fixture
def kinds_word(tmp_path, monkeypatch):
    """What the pinned kind says to a configuration where there is no Docker: it reads it before it looks for one."""

    def ask(text):
        (tmp_path / "kind.yaml").write_text(text)
        command = [str(paths.BIN / "kind"), "create", "cluster", f"--config={tmp_path / 'kind.yaml'}"]
        return subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": str(tmp_path)}).stderr

    return ask


def test_the_pinned_kind_reads_its_configuration_and_knows_every_field(kinds_word):
    text = kindcluster.configuration(Path("/sources/audit-policy.yaml"))
    assert "unable to decode config" in kinds_word(text.replace("extraMounts", "moreMounts"))
    assert "failed to get docker info" in kinds_word(text)


def test_every_argument_of_kubeadm_is_text():
    config = yaml.safe_load(kindcluster.configuration(Path("/sources/audit-policy.yaml")))
    assert all(isinstance(entry["value"], str) for entry in api_server(config)["extraArgs"])


def test_up_creates_the_cluster_then_the_definitions_then_the_operator(monkeypatch):
    monkeypatch.setattr(operatorstack, "crds", lambda: Path("/cache/crds"))
    create, crds, wait, operator, rollout = kindcluster.commands(Path("/cache/kind/kind.yaml"))
    assert create[1:3] == ["create", "cluster"]
    assert crds[-2:] == wait[-2:] == ["-f", "/cache/crds"]
    assert operator[-1] == "/cache/kind/prometheus-operator.yaml"
    assert "deployment/prometheus-operator" in rollout


def test_every_kubectl_command_names_kinds_own_context(monkeypatch):
    monkeypatch.setattr(operatorstack, "crds", lambda: Path("/cache/crds"))
    for command in kindcluster.commands(Path("/cache/kind/kind.yaml"))[1:]:
        assert command[2:4] == ["--context", "kind-sergas"]
        assert command[1] == f"--kubeconfig={kindcluster.kubeconfig()}"


def test_without_a_docker_engine_the_other_cluster_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ClusterError) as refused:
        kindcluster.require_docker()
    assert str(refused.value) == (
        "CLUSTER=kind needs a Docker engine and none answers `docker info`; start or install one"
        " (https://docs.docker.com/engine/install/), or run with CLUSTER=packaged"
    )


def test_a_bare_cluster_with_a_prometheus_operator_is_refused_with_the_command_that_ends_it(monkeypatch):
    monkeypatch.setattr(kindcluster, "succeeds", lambda _: True)
    monkeypatch.setattr(kindcluster.toolbuild, "build", lambda _: {})
    monkeypatch.setattr(kindcluster, "write_files", lambda: Path("/cache/kind/kind.yaml"))
    monkeypatch.setattr(kindcluster, "commands", lambda _: [["create"]])
    monkeypatch.setattr(kindcluster, "output", lambda *_, **__: "sergas")
    with pytest.raises(ClusterError) as refused:
        kindcluster.up(bare=True)
    assert str(refused.value) == (
        "the kind cluster sergas runs prometheus-operator already, and kube-prometheus-stack would bring a second one;"
        " take it down first: CLUSTER=kind python tests/e2e/cluster down"
    )
