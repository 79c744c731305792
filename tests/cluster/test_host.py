"""What the packaged cluster reads from and leaves on the machine."""

import subprocess
import sys

import pytest
from sergas_cluster import debian, hostfolders, mounts, paths, ports, process
from sergas_cluster.errors import ClusterError

MOUNTINFO = """\
22 1 254:0 / / rw - ext4 /dev/vda rw
30 22 254:0 /run /cache/run/kubelet rw shared:1 - ext4 /dev/vda rw
31 30 0:40 / /cache/run/kubelet/pods/a/tmp rw shared:2 - tmpfs tmpfs rw
32 30 254:0 /run /cache/run/kubelet rw shared:1 - ext4 /dev/vda rw
33 22 0:41 / /cache/run\\040two rw - tmpfs tmpfs rw
34 22 0:42 / /cache/runner rw - tmpfs tmpfs rw
"""
LISTENING = 'LISTEN 0 4096 {address}:{port} 0.0.0.0:* users:(("k3s",pid=77,fd=3))\n'


@pytest.fixture
def child():
    """A process that ignores being asked to end, and has a child of its own."""
    code = (
        "import signal, subprocess, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "inner = subprocess.Popen([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE);"
        "print(inner.pid, flush=True); signal.pause()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as started:
        started.inner = int(started.stdout.readline())
        yield started
        for pid in (started.inner, started.pid):
            process.kill(pid, 9)


def test_mounts_are_listed_innermost_first_and_as_often_as_they_are_mounted(tmp_path):
    assert mounts.below(paths.Path("/cache/run"), MOUNTINFO) == [
        "/cache/run/kubelet/pods/a/tmp",
        "/cache/run/kubelet",
        "/cache/run/kubelet",
    ]


def test_a_mount_point_with_a_space_is_read_as_the_kernel_escapes_it():
    assert mounts.below(paths.Path("/cache/run two"), MOUNTINFO) == ["/cache/run two"]


def test_a_process_is_known_by_its_start_so_that_a_number_used_again_is_another(child):
    found = process.find(child.pid)
    assert process.running(found)
    assert not process.running(process.Process(found.pid, found.started - 1))


def test_the_processes_below_a_process_are_found(child):
    assert process.descendants(child.pid) == [child.inner]


def test_a_process_that_ignores_being_asked_is_killed(child):
    found = process.find(child.pid)
    process.end([found], grace=0.05)
    assert not process.running(found)


def test_a_zombie_counts_as_gone(child):
    found = process.find(child.pid)
    process.kill(child.pid, 9)
    assert process.wait_gone([found], grace=5)
    assert paths.Path(f"/proc/{child.pid}").exists()
    assert process.find(child.pid) is None


@pytest.mark.parametrize("address", ["*", "0.0.0.0", "203.0.113.1"])  # noqa: S104 -- text to parse
def test_a_port_in_use_names_the_daemon_and_who_listens(address):
    with pytest.raises(ClusterError) as refused:
        ports.check(LISTENING.format(address=address, port=6443))
    assert str(refused.value) == (
        'kube-apiserver needs port 6443, where another program listens: users:(("k3s",pid=77,fd=3));'
        " stop it (another Kubernetes on this machine, or this cluster started by another user or with another"
        " XDG_CACHE_HOME?) or use CLUSTER=existing with its context"
    )


def test_the_same_port_on_another_address_is_no_conflict():
    ports.check(LISTENING.format(address="127.0.0.1", port=6443))


def test_empty_folders_go_and_those_with_a_file_stay(tmp_path):
    (tmp_path / "top/empty/deeper").mkdir(parents=True)
    (tmp_path / "top/kept").mkdir()
    (tmp_path / "top/kept/file").touch()
    hostfolders.remove_empty(tmp_path / "top")
    assert sorted(path.name for path in (tmp_path / "top").rglob("*")) == ["file", "kept"]


def test_missing_packages_are_named_to_a_user_who_is_not_root(monkeypatch):
    monkeypatch.setattr(debian, "missing", lambda _: ["buildah", "containerd"])
    monkeypatch.setattr(debian.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(debian.os, "geteuid", lambda: 1000)
    with pytest.raises(ClusterError) as refused:
        debian.install()
    assert str(refused.value) == (
        "Debian packages are missing; as root type: apt-get update && apt-get install --yes buildah containerd"
    )


def test_a_system_without_apt_is_told_the_packages_and_the_other_way(monkeypatch):
    monkeypatch.setattr(debian, "missing", lambda _: ["buildah"])
    monkeypatch.setattr(debian.shutil, "which", lambda _: None)
    monkeypatch.setattr(debian.platform, "system", lambda: "Linux")
    with pytest.raises(ClusterError) as refused:
        debian.install()
    assert str(refused.value) == (
        "this Linux has no apt-get; get buildah from your system's packages (the names are Debian's),"
        " or run with CLUSTER=kind where there is Docker"
    )


def test_the_packaged_cluster_refuses_a_user_who_is_not_root(monkeypatch):
    monkeypatch.setattr(debian.os, "geteuid", lambda: 1000)
    with pytest.raises(ClusterError) as refused:
        debian.require_root()
    assert str(refused.value) == (
        "the packaged cluster runs a real node and needs root; run it as root (sudo -E), in a virtual machine if in"
        " doubt, or use CLUSTER=kind where there is Docker"
    )
