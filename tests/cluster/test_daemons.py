import fcntl
import os
import sys
import tomllib

import pytest
from sergas_cluster import controlplane, daemons, node, paths, pins, runtime, topology
from sergas_cluster.daemons import Daemon
from sergas_cluster.errors import ClusterError
from sergas_cluster.waiting import until

SLEEPER = Daemon("sleeper", (sys.executable, "-c", "import signal; signal.pause()"))


@pytest.fixture
def sleeper():
    daemons.start(SLEEPER)
    yield SLEEPER
    daemons.stop(["sleeper"], grace=2)


def test_a_daemon_that_runs_is_not_started_again(sleeper):
    first = daemons.running("sleeper")
    assert daemons.start(sleeper) is False
    assert daemons.running("sleeper") == first


def test_a_daemon_that_was_killed_is_started_again(sleeper):
    first = daemons.running("sleeper")
    daemons.process.end([first], grace=0)
    assert daemons.running("sleeper") is None
    assert daemons.start(sleeper) is True
    assert daemons.running("sleeper") not in {None, first}


def test_a_stopped_daemon_is_forgotten(sleeper):
    found = daemons.running("sleeper")
    daemons.stop(["sleeper"], grace=2)
    assert not daemons.process.running(found)
    assert daemons.recorded() == {}


def test_a_daemon_counts_as_changed_when_its_arguments_or_configuration_did(sleeper):
    assert not daemons.changed(sleeper)
    assert daemons.changed(Daemon("sleeper", (*sleeper.argv, "--more")))
    assert daemons.changed(Daemon("sleeper", sleeper.argv, "other: configuration"))


def test_a_daemon_holds_no_lock_of_whoever_started_it(tmp_path):
    with (tmp_path / "lock").open("w") as lock:
        os.set_inheritable(lock.fileno(), True)
        fcntl.flock(lock, fcntl.LOCK_EX)
        daemons.start(SLEEPER)
    with (tmp_path / "lock").open("w") as again:
        fcntl.flock(again, fcntl.LOCK_EX | fcntl.LOCK_NB)
    daemons.stop(["sleeper"], grace=2)


def test_waiting_ends_at_once_with_the_log_when_a_needed_daemon_died():
    died = Daemon("died", (sys.executable, "-c", "import sys; print('no disk', flush=True); sys.stdin.read()"))
    daemons.start(died)
    daemons.process.wait_gone([daemons.recorded()["died"]], grace=5)
    with pytest.raises(ClusterError) as failed:
        until(lambda: False, "API server", 60, ("died",))
    assert str(failed.value) == (f"died died while waiting for API server; {paths.logs() / 'died.log'} ends:\nno disk")


def test_every_port_a_daemon_is_given_is_checked_before_it_starts():
    checked = {port.number for port in topology.PORTS}
    arguments = " ".join(argument for daemon in planned() for argument in daemon.argv)
    proxy = node.proxy_configuration()
    assert {2379, 2380, topology.API_PORT} <= checked
    assert "2379" in arguments
    assert {int(proxy[name].rpartition(":")[2]) for name in ("healthzBindAddress", "metricsBindAddress")} <= checked


def test_nothing_listens_on_an_address_that_others_can_reach():
    arguments = [argument for daemon in planned() for argument in daemon.argv if "bind-address" in argument]
    assert {argument.partition("=")[2] for argument in arguments} == {"127.0.0.1", topology.NODE_ADDRESS}
    assert node.kubelet_configuration()["address"] == topology.NODE_ADDRESS


def test_containerds_configuration_is_valid_and_stays_in_our_folders():
    config = tomllib.loads(runtime.configuration())
    assert config["root"] == str(paths.store())
    assert config["state"].startswith(str(paths.run()))
    assert config["grpc"]["address"].startswith(str(paths.run()))


def test_a_socket_path_the_kernel_would_refuse_is_refused_with_the_way_out(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", "/home/" + "x" * 100)
    path = paths.run() / "containerd.sock"
    with pytest.raises(ClusterError) as refused:
        runtime.socket()
    assert str(refused.value) == (
        f"{path} is too long for a socket ({len(str(path))} of at most 107 characters);"
        " set XDG_CACHE_HOME to a shorter folder"
    )


def planned():
    binaries = {binary: paths.Path("/cache") / binary for unit in pins.UNITS for binary, _ in unit.binaries}
    return [*controlplane.daemons(binaries), *node.daemons(binaries)]
