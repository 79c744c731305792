import json

import pytest
from sergas_cluster import commandline, ownimages, paths, pins, pythonbase, verbs
from sergas_cluster.errors import ClusterError


def test_a_refusal_goes_to_stderr_and_ends_with_1(monkeypatch, capsys):
    monkeypatch.setenv("CLUSTER", "minikube")
    assert commandline.main(["up"]) == 1
    shown = capsys.readouterr()
    assert shown.err.strip() == "error: CLUSTER=minikube is unknown; write CLUSTER=packaged, kind or existing"
    assert shown.out == ""


def test_choose_prints_the_cluster_alone_on_stdout_and_why_on_stderr(monkeypatch, capsys):
    monkeypatch.setenv("CLUSTER", "packaged")
    assert commandline.main(["choose"]) == 0
    shown = capsys.readouterr()
    assert shown.out == "packaged\n"
    assert shown.err == "using the packaged cluster: CLUSTER=packaged says so\n"


def test_choose_can_keep_quiet_about_why(monkeypatch, capsys):
    monkeypatch.setenv("CLUSTER", "kind")
    commandline.main(["choose", "--quiet"])
    assert capsys.readouterr().err == ""


def test_the_kubeconfig_of_a_cluster_that_is_down_is_refused_with_the_command_that_starts_it(monkeypatch, capsys):
    monkeypatch.setenv("CLUSTER", "packaged")
    assert commandline.main(["kubeconfig"]) == 1
    assert capsys.readouterr().err.strip() == (
        "error: the packaged cluster is not up: type `CLUSTER=packaged python tests/e2e/cluster up`"
    )


def test_ones_own_cluster_is_never_taken_down(monkeypatch, capsys):
    monkeypatch.setenv("CLUSTER", "existing")
    assert commandline.main(["down"]) == 1
    assert capsys.readouterr().err.strip() == ("error: CLUSTER=existing is your own cluster; it is not taken down")


def test_images_for_ones_own_cluster_need_a_registry(monkeypatch, capsys):
    monkeypatch.setenv("CLUSTER", "existing")
    monkeypatch.delenv("SERGAS_E2E_REGISTRY", raising=False)
    assert commandline.main(["images"]) == 1
    assert capsys.readouterr().err.strip() == (
        "error: CLUSTER=existing pulls images from a registry: set SERGAS_E2E_REGISTRY to one you may push to and the"
        " cluster may pull from, for example ghcr.io/<you>; or set SERGAS_E2E_IMAGES to images that the cluster has or"
        " can pull, for example operator=ghcr.io/<you>/sergas-operator:1,app=...,sink=..."
    )


def test_status_of_a_cluster_that_is_down_is_json_and_ends_with_1(monkeypatch, capsys):
    monkeypatch.setenv("CLUSTER", "packaged")
    assert commandline.main(["status", "--json"]) == 1
    facts = json.loads(capsys.readouterr().out)
    assert facts["ready"] is False
    assert facts["auditLog"] == str(paths.audit_log())


def test_the_audit_log_is_printed_oldest_file_first(monkeypatch, capsys):
    monkeypatch.setenv("CLUSTER", "packaged")
    paths.logs().mkdir(parents=True)
    paths.audit_log().write_text('{"n": 2}\n')
    (paths.logs() / "audit-2026-01-02T03-04-05.678.log").write_text('{"n": 1}\n')
    assert commandline.main(["audit"]) == 0
    assert capsys.readouterr().out == '{"n": 1}\n{"n": 2}\n'


@pytest.mark.parametrize(("cluster", "group"), [("packaged", "cluster"), ("kind", "docker"), ("existing", "docker")])
def test_the_tools_to_build_follow_the_cluster(monkeypatch, cluster, group):
    monkeypatch.setenv("CLUSTER", cluster)
    assert verbs.needed_groups() == [group]


@pytest.mark.parametrize("cluster", ["kind", "existing"])
def test_builds_no_control_plane_for_a_cluster_that_brings_its_own(monkeypatch, cluster):
    monkeypatch.setenv("CLUSTER", cluster)
    built = {binary for unit in pins.select(verbs.needed_groups()) for binary, _ in unit.binaries}
    assert built == {"helm", "helm4", "kubectl", "kind"}


def test_images_for_ones_own_cluster_may_be_given(monkeypatch, capsys):
    monkeypatch.setenv("CLUSTER", "existing")
    monkeypatch.setenv("SERGAS_E2E_IMAGES", "operator=a/o:1,app=a/p:2,sink=a/s:3")
    assert commandline.main(["images", "operator", "sink", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"operator": "a/o:1", "sink": "a/s:3"}


@pytest.mark.parametrize("text", ["operator=a", "operator=a,app=b,sink=", "operator=a,app=b,sink=c,sink=d"])
def test_given_images_that_are_not_all_of_them_are_refused(monkeypatch, capsys, text):
    monkeypatch.setenv("CLUSTER", "existing")
    monkeypatch.setenv("SERGAS_E2E_IMAGES", text)
    assert commandline.main(["images"]) == 1
    assert f"SERGAS_E2E_IMAGES={text} must name each of operator, app, sink once" in unbroken(capsys.readouterr().err)


def unbroken(text):
    """A message without the line breaks that a narrow terminal gives it."""
    return " ".join(text.split())


def test_an_image_is_named_by_what_goes_into_it(monkeypatch, tmp_path):
    (tmp_path / "operator").mkdir()
    dockerfile = tmp_path / "operator/Dockerfile"
    dockerfile.write_text("FROM docker.io/library/python:3.11-slim\n")
    monkeypatch.setattr(paths, "CHECKOUT", tmp_path)
    before = ownimages.names(["operator"], pythonbase.key())["operator"]
    assert before.startswith("ghcr.io/sergas/sergas-operator:dev-")
    dockerfile.write_text("FROM docker.io/library/python:3.11-slim\nUSER 1\n")
    assert ownimages.names(["operator"], pythonbase.key())["operator"] != before


def test_an_image_without_a_dockerfile_names_those_that_can_be_built(monkeypatch, tmp_path):
    (tmp_path / "operator").mkdir()
    (tmp_path / "operator/Dockerfile").touch()
    monkeypatch.setattr(paths, "CHECKOUT", tmp_path)
    with pytest.raises(ClusterError) as refused:
        ownimages.names(["sink"], pythonbase.key())
    assert str(refused.value) == (
        "the image sink cannot be built: examples/demo/sink/Dockerfile does not exist;"
        " name the images to build, of those that can be built: operator"
    )


def test_an_unknown_image_is_refused_with_those_that_exist():
    with pytest.raises(ClusterError) as refused:
        ownimages.names(["web"], pythonbase.key())
    assert str(refused.value) == "there is no image 'web'; write one of operator, app, sink"
