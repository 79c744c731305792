"""A machine that cannot run the cluster is refused before anything is built or installed."""

import os
import subprocess
import sys
from collections import namedtuple

import pytest
from sergas_cluster import bridge, debian, handback, kindcluster, packaged, paths, ports, preflight, toolbuild
from sergas_cluster.errors import ClusterError

Usage = namedtuple("Usage", ["total", "used", "free"])
PLENTY = Usage(0, 0, 100 * preflight.GIGABYTE)


@pytest.fixture
def able(monkeypatch):
    """A machine on which nothing is missing and no cluster runs; nothing may be built or installed."""

    def refuse(*_, **__):
        raise AssertionError("something was built or installed")

    monkeypatch.setattr(toolbuild, "build", refuse)
    monkeypatch.setattr(toolbuild, "published", refuse)
    monkeypatch.setattr(debian, "install", refuse)
    monkeypatch.setattr(debian, "missing", lambda _: [])
    monkeypatch.setattr(debian.os, "geteuid", lambda: 0)
    monkeypatch.setattr(packaged, "alive", list)
    monkeypatch.setattr(ports, "require_free", lambda: None)
    monkeypatch.setattr(kindcluster, "succeeds", lambda _: True)
    monkeypatch.setattr(preflight.shutil, "disk_usage", lambda _: PLENTY)
    return monkeypatch


def refusal(cluster):
    with pytest.raises(ClusterError) as refused:
        preflight.check(cluster)
    return str(refused.value)


@pytest.mark.parametrize("cluster", ["packaged", "kind"])
def test_accepts_a_machine_on_which_nothing_is_missing(able, cluster):
    preflight.check(cluster)


def test_refuses_a_user_who_is_not_root(able):
    able.setattr(debian.os, "geteuid", lambda: 1000)
    assert "needs root" in refusal("packaged")


def test_refuses_another_operating_system_or_architecture(able):
    able.setattr(toolbuild.platform, "machine", lambda: "arm64")
    assert "this is Linux on arm64" in refusal("packaged")


def test_refuses_a_system_without_apt_whose_packages_are_missing(able):
    able.setattr(debian, "missing", lambda _: ["buildah"])
    able.setattr(debian.shutil, "which", lambda *_, **__: None)
    assert "has no apt-get; get buildah" in refusal("packaged")


def test_refuses_a_port_that_another_program_listens_on(able):
    def taken():
        raise ClusterError("etcd needs port 2379, where another program listens")

    able.setattr(ports, "require_free", taken)
    if debian.program("ss"):
        assert refusal("packaged").startswith("etcd needs port 2379")


def test_refuses_a_disk_that_is_too_full_for_a_first_build(able):
    able.setattr(preflight.shutil, "disk_usage", lambda _: Usage(0, 0, 5 * preflight.GIGABYTE))
    assert "has 5.0 GB free, and 16 GB are needed to build and run the packaged cluster" in refusal("packaged")


def test_a_built_cluster_needs_less_disk(able):
    able.setattr(toolbuild, "cached", lambda _: True)
    able.setattr(preflight.shutil, "disk_usage", lambda _: Usage(0, 0, 5 * preflight.GIGABYTE))
    preflight.check("packaged")
    able.setattr(preflight.shutil, "disk_usage", lambda _: Usage(0, 0, preflight.GIGABYTE))
    assert "has 1.0 GB free, and 3 GB are needed to run the packaged cluster" in refusal("packaged")


def test_refuses_kind_without_a_docker_engine(able):
    able.setattr(kindcluster, "succeeds", lambda _: False)
    assert refusal("kind").startswith("CLUSTER=kind needs a Docker engine")


def test_refuses_an_existing_cluster_without_its_context_or_images(able):
    for name in ("SERGAS_E2E_CONTEXT", "SERGAS_E2E_REGISTRY", "SERGAS_E2E_IMAGES"):
        able.delenv(name, raising=False)
    assert "set SERGAS_E2E_CONTEXT" in refusal("existing")
    able.setenv("SERGAS_E2E_CONTEXT", "mine")
    assert "set SERGAS_E2E_REGISTRY" in refusal("existing")
    able.setenv("SERGAS_E2E_REGISTRY", "registry.example.com/me")
    preflight.check("existing")


def test_demo_and_cluster_check_the_machine_before_they_build():
    done = subprocess.run(["make", "--dry-run", "demo"], cwd=paths.CHECKOUT, capture_output=True, text=True, check=True)
    lines = [line for line in done.stdout.splitlines() if "tests/e2e/cluster" in line]
    assert [line.split()[2] for line in lines[:2]] == ["check", "tools"]


def test_a_kernel_without_the_bridge_module_is_refused_with_the_command_that_loads_it(able, tmp_path):
    able.setattr(bridge, "FILTER", tmp_path / "missing")
    able.setattr(debian, "program", lambda _: None)
    with pytest.raises(ClusterError) as refused:
        bridge.load()
    assert "modprobe is missing (Debian's package kmod)" in str(refused.value)
    assert str(refused.value).endswith("modprobe br_netfilter")


def test_a_module_that_was_loaded_by_us_is_unloaded_and_no_other(able, tmp_path):
    calls = tmp_path / "calls"
    program = tmp_path / "modprobe"
    program.write_text(f'#!/bin/sh\necho "$@" >> {calls}\ntouch {tmp_path}/filter\n')
    program.chmod(0o755)
    able.setattr(debian, "program", lambda _: str(program))
    able.setattr(bridge, "FILTER", tmp_path / "filter")
    paths.run().mkdir(parents=True)
    bridge.load()
    bridge.load()
    bridge.unload()
    assert calls.read_text().split("\n") == ["br_netfilter", "--remove br_netfilter", ""]
    (paths.run() / "br_netfilter-loaded").unlink()
    bridge.unload()
    assert calls.read_text().count("--remove") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_under_sudo_what_root_left_in_the_users_folders_becomes_the_users(monkeypatch, tmp_path):
    cache, checkout = tmp_path / "cache", tmp_path / "checkout"
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    monkeypatch.setenv("GOPATH", str(tmp_path / "go"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(paths, "CHECKOUT", checkout)
    for folder in (checkout / "bin", paths.tools(), paths.cluster() / "run", cache / "uv"):
        folder.mkdir(parents=True)
        (folder / "file").touch()
    (checkout / "bin" / "link").symlink_to("/etc/hostname")
    (checkout / "theirs").touch()
    os.chown(checkout / "theirs", 4321, 4321)
    os.chown(checkout, 1234, 1234)
    os.chown(cache, 1234, 1234)
    monkeypatch.setenv("SUDO_UID", "1234")
    monkeypatch.setenv("SUDO_GID", "1235")
    handback.give_back()
    owners = {path: (path.lstat().st_uid, path.lstat().st_gid) for path in tmp_path.rglob("*")}
    assert owners[checkout / "bin" / "file"] == owners[checkout / "bin" / "link"] == (1234, 1235)
    assert owners[paths.tools() / "file"] == owners[cache / "uv" / "file"] == (1234, 1235)
    assert owners[paths.cluster() / "run" / "file"] == (0, 0)
    assert owners[checkout / "theirs"] == (4321, 4321)
    assert os.stat("/etc/hostname").st_uid == 0  # noqa: PTH116


def test_without_sudo_nothing_changes_hands(monkeypatch, tmp_path):
    monkeypatch.delenv("SUDO_UID", raising=False)
    monkeypatch.setattr(paths, "CHECKOUT", tmp_path)
    monkeypatch.setattr(handback, "hand_over", lambda *_: pytest.fail("something was given away"))
    handback.give_back()


def test_the_check_is_a_verb_that_ends_with_1_and_a_sentence():
    command = [sys.executable, str(paths.CLUSTER_SOURCE), "check"]
    done = subprocess.run(
        command, env=os.environ | {"CLUSTER": "existing", "SERGAS_E2E_CONTEXT": ""}, capture_output=True, check=False
    )
    assert done.returncode == 1
    assert b"CLUSTER=existing needs the context's name" in done.stderr
