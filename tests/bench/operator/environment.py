"""The control plane and the operator under measurement."""

from __future__ import annotations

import json
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.bench.operator.memory import MemorySampler
from tests.bench.operator.requests import READS, WRITES, Requests

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/operator"))

from conftest import SERVED, OperatorProcess, granted_objects, start_process  # noqa: E402
from controlplane import CRD, ControlPlane, prometheus_operator_crds  # noqa: E402
from kube import Namespace  # noqa: E402

NEEDED = ("prometheuses.yaml", "alertmanagers.yaml", "servicemonitors.yaml")


@dataclass
class MeasuredControlPlane(ControlPlane):
    """A control plane whose audit log also has reads.

    Attributes:
        audited: the verbs in the audit log.
    """

    audited: frozenset[str] = READS | WRITES

    def _write_files(self) -> None:
        super()._write_files()
        rules = [{"level": "Metadata", "verbs": sorted(self.audited)}] if self.audited else []
        policy = {
            "apiVersion": "audit.k8s.io/v1",
            "kind": "Policy",
            "omitStages": ["RequestReceived", "ResponseStarted"],
            "rules": [*rules, {"level": "None"}],
        }
        (self.folder / "audit-policy.yaml").write_text(yaml.safe_dump(policy))


@dataclass
class Operator:
    """A running operator.

    Attributes:
        process: its process.
        memory: samples of its memory since its start.
        requests: the requests to the API server since its start.
        started: the Unix time of its start.
    """

    process: OperatorProcess
    memory: MemorySampler
    requests: Requests
    started: float

    def metric(self, name: str) -> float:
        """Return the value of one of its metrics."""
        text = self.process.get("/metrics", self.process.metrics_port)
        found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
        return float(found[1]) if found else 0.0

    def reconciles(self) -> float:
        """Return the number of reconciles that succeeded."""
        return self.metric('sergas_operator_reconcile_total{result="success"}')

    def until_reconciled(self, count: float, seconds: float = 600.0) -> None:
        """Return once `count` reconciles have succeeded since its start and no other is due."""
        until(
            lambda: self.reconciles() >= count and not self.metric("sergas_operator_queue_depth"),
            f"{count:g} reconciles",
            seconds,
        )


@contextmanager
def control_plane(audited: frozenset[str] = READS | WRITES) -> Iterator[Namespace]:
    """A control plane with the CRDs the operator needs and one namespace it may serve."""
    with tempfile.TemporaryDirectory(prefix="sergas-bench-") as folder:
        plane = MeasuredControlPlane(Path(folder), audited=audited)
        try:
            plane.start(CRD, *(path for path in prometheus_operator_crds() if path.name.endswith(NEEDED)))
            for path, document in granted_objects(SERVED):
                plane.apply(path, json.dumps(document))
            plane.audit_log.touch()
            yield Namespace(plane, SERVED)
        finally:
            plane.stop()


@contextmanager
def operator(namespace: Namespace, **environment: str) -> Iterator[Operator]:
    """A running operator. Its log is printed when something fails."""
    plane = namespace.control_plane
    requests, started, log = Requests(plane.audit_log), time.time(), plane.folder / "operator.log"
    process = start_process(plane, SERVED, log, environment)
    memory = MemorySampler(process.process.pid)
    try:
        yield Operator(process, memory, requests, started)
    except Exception:
        print("\n".join(log.read_text().splitlines()[-50:]), file=sys.stderr)
        raise
    finally:
        memory.stop()
        process.stop()


def until(holds: Callable[[], object], what: str, seconds: float = 60.0) -> None:
    """Return once `holds` is true.

    Raises:
        TimeoutError: not within `seconds`.
    """
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:g} s: {what}")
        time.sleep(0.05)


def create_all(namespace: Namespace, names: Sequence[str]) -> None:
    """Create SergasMonitorings, four at a time."""
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: namespace.create({}, name), names))
