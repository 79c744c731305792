"""Whatever happens to a SergasMonitoring, it ends in the state of a fresh one: `make test-operator-states`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

# There are no packages under tests/: the helpers beside this file are found by name.
sys.path.insert(0, str(Path(__file__).parent))

from conftest import granted_objects
from controlplane import ControlPlane
from kube import Namespace
from machine import Monitoring
from operator_thread import OperatorThread
from tcp_proxy import TcpProxy

from sergas_operator import supervision
from sergas_operator.controller import workqueue

pytestmark = pytest.mark.apiserver

NAMESPACE = "states"
RUNS = int(os.environ.get("SERGAS_STATE_RUNS", "0"))
SUBSET, STEPS = 15, 20


@pytest.fixture
def machine(control_plane: ControlPlane, tmp_path: Path) -> Iterator[type[Monitoring]]:
    for path, document in granted_objects(NAMESPACE):
        control_plane.apply(path, json.dumps(document))
    proxy = TcpProxy(control_plane.port)
    kubeconfig = tmp_path / "kubeconfig"
    text = control_plane.kubeconfig("sergas-operator").read_text()
    kubeconfig.write_text(text.replace(f":{control_plane.port}", f":{proxy.port}"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KUBECONFIG", str(kubeconfig))
        # The waits are tested elsewhere. Here they would only make a run longer.
        patch.setattr(supervision, "FIRST_WAIT_SECONDS", 0.05)
        patch.setattr(supervision, "LAST_WAIT_SECONDS", 0.2)
        patch.setattr(workqueue, "FIRST_RETRY_SECONDS", 0.05)
        patch.setattr(workqueue, "LAST_RETRY_SECONDS", 0.5)
        operator = OperatorThread(NAMESPACE)
        Monitoring.namespace = Namespace(control_plane, NAMESPACE)
        Monitoring.operator, Monitoring.proxy = operator, proxy
        try:
            yield Monitoring
        finally:
            proxy.restore()
            operator.stop()
            proxy.stop()


@pytest.mark.timeout(3600)
def test_ends_in_the_state_of_a_fresh_resource(machine: type[Monitoring]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=RUNS or SUBSET,
            stateful_step_count=STEPS,
            # The subset is the same at every run; the long run looks for new ones.
            derandomize=not RUNS,
            database=None,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
