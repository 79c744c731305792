"""How fast the operator acts, what it writes, and how much memory it takes: `make bench-operator`.

A real etcd, kube-apiserver and garbage collector are started on loopback, the operator runs as a process of
its own with the rights the chart grants. All times are the API server's: from the moment it receives a
request about the SergasMonitoring to the moment it has answered the operator's last write, read from its
audit log. No pods run, so what the Prometheus Operator would report is written in its stead.

Writes build/bench/operator.json. With --check it exits 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/operator"))

from conftest import SERVED, OperatorProcess, granted_objects, start_process  # noqa: E402
from controlplane import CRD, ControlPlane, prometheus_operator_crds  # noqa: E402
from kube import Namespace  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

ROUNDS = 50
RESYNC_SECONDS = 2
QUIET_SECONDS = 1.0
CHILD_KINDS = ("secrets", "alertmanagers", "prometheuses", "services", "poddisruptionbudgets")
CHILDREN = 7
NEEDED = ("prometheuses.yaml", "alertmanagers.yaml")


@dataclass
class Row:
    """One result. `peer` is what rhobs/observability-operator needs for the same, measured on 2 cores; None
    when it was not.
    """

    name: str
    value: float
    unit: str
    peer: float | None
    target: float | None
    ok: bool


def row(name: str, value: float, unit: str, peer: float | None = None, target: float | None = None) -> Row:
    """A row whose value is to stay at or below its target."""
    return Row(name, round(value, 1), unit, peer, target, target is None or value <= target)


def percentile(values: list[float], share: float) -> float:
    """The smallest value that `share` of all do not exceed."""
    ordered = sorted(values)
    return ordered[math.ceil(len(ordered) * share) - 1]


@contextmanager
def control_plane() -> Iterator[ControlPlane]:
    """A control plane with the CRDs the operator needs and one namespace it may serve."""
    with tempfile.TemporaryDirectory(prefix="sergas-bench-") as folder:
        found = ControlPlane(Path(folder))
        try:
            found.start(CRD, *(path for path in prometheus_operator_crds() if path.name.endswith(NEEDED)))
            for path, document in granted_objects(SERVED):
                found.apply(path, json.dumps(document))
            yield found
        finally:
            found.stop()


def events(plane: ControlPlane, since: int) -> list[dict[str, Any]]:
    """Audit events after byte `since`."""
    return list(plane.audit(since))


def moment(event: dict[str, Any], field: str) -> float:
    """Seconds since the epoch at which the API server received or answered a request."""
    return datetime.fromisoformat(event[field]).timestamp()


def written(plane: ControlPlane, since: int, kinds: tuple[str, ...]) -> list[dict[str, Any]]:
    """The operator's writes to kinds of children."""
    return [
        event
        for event in events(plane, since)
        if event["user"]["username"] == "sergas-operator" and event["objectRef"]["resource"] in kinds
    ]


def asked(plane: ControlPlane, since: int) -> float:
    """When the API server received the test's own write to a SergasMonitoring."""
    return next(
        moment(event, "requestReceivedTimestamp")
        for event in events(plane, since)
        if event["user"]["username"] == "admin" and event["objectRef"]["resource"] == "sergasmonitorings"
    )


def until(holds: Callable[[], Any], what: str, seconds: float = 20.0) -> Any:
    """What `holds` returns once it is true."""
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:g} s: {what}")
        time.sleep(0.1)
    return found


def quiet(plane: ControlPlane) -> None:
    """Returns once nothing has been written for a second."""
    size, since = plane.audit_size(), time.monotonic()
    while time.monotonic() - since < QUIET_SECONDS:
        time.sleep(0.05)
        if plane.audit_size() != size:
            size, since = plane.audit_size(), time.monotonic()


def measure(plane: ControlPlane, act: Callable[[int], object], kinds: tuple[str, ...], count: int) -> list[float]:
    """Milliseconds from each of 50 acts to the last of its `count` writes to `kinds`."""
    found = []
    for number in range(ROUNDS):
        since = plane.audit_size()
        act(number)
        writes = until(
            lambda since=since: len(got := written(plane, since, kinds)) >= count and got,
            f"{count} writes in round {number}",
        )
        found.append(1000 * (max(moment(event, "stageTimestamp") for event in writes) - asked(plane, since)))
        quiet_until_status(plane, since)
    return found


def quiet_until_status(plane: ControlPlane, since: int) -> None:
    """Returns once the status has been written as well, so that rounds do not overlap."""
    until(lambda: written(plane, since, ("sergasmonitorings",)), "the status is written")


def writes_of_a_change(plane: ControlPlane, namespace: Namespace) -> float:
    """Every write, status and Events included, from a changed retention to a settled rollout; the worst of
    five.
    """
    worst = 0
    for number in range(5):
        since = plane.audit_size()
        namespace.patch({"prometheus": {"retention": f"{number + 100}d"}})
        namespace.wait_for_status()
        namespace.settle_as_prometheus_operator()
        namespace.wait("the status is settled", lambda: namespace.condition("Progressing")["reason"] == "Converged")
        quiet(plane)
        kinds = (*CHILD_KINDS, "sergasmonitorings", "events")
        worst = max(worst, len(written(plane, since, kinds)))
    return worst


def writes_of_resyncs(plane: ControlPlane) -> float:
    """Writes while every SergasMonitoring is compared with the live cluster three times."""
    since = plane.audit_size()
    time.sleep(3 * RESYNC_SECONDS + 1)
    return len(written(plane, since, (*CHILD_KINDS, "sergasmonitorings", "events")))


def resident(operator: OperatorProcess) -> float:
    """The operator's resident memory in MiB."""
    line = next(
        line
        for line in Path(f"/proc/{operator.process.pid}/status").read_text().splitlines()
        if line.startswith("VmRSS")
    )
    return int(line.split()[1]) / 1024


def run(plane: ControlPlane) -> list[Row]:
    """Every measurement. Resyncs are counted by an operator that makes them often, the rest by one as it comes."""
    namespace = Namespace(plane, SERVED)
    with operator(plane) as process:
        namespace.create()
        namespace.wait_for_children()
        for kind in ("Prometheus", "Alertmanager"):
            namespace.settle_as_prometheus_operator(kind)
        quiet(plane)
        memory = resident(process)
        changed = measure(
            plane, lambda number: namespace.patch({"prometheus": {"retention": f"{number + 1}d"}}), ("prometheuses",), 1
        )
        namespace.settle_as_prometheus_operator()
        quiet(plane)
        per_change = writes_of_a_change(plane, namespace)
        created = measure(plane, lambda number: namespace.create({}, f"round-{number}"), CHILD_KINDS, CHILDREN)
        memory_of_all = resident(process)
    with operator(plane, SERGAS_RESYNC_SECONDS=str(RESYNC_SECONDS)):
        quiet(plane)
        unchanged = writes_of_resyncs(plane)
    return [
        row("created to all children written, p50", statistics.median(created), "ms", 88),
        row("created to all children written, p99", percentile(created, 0.99), "ms", 140, 100),
        row("changed field to child written, p50", statistics.median(changed), "ms"),
        row("changed field to child written, p99", percentile(changed, 0.99), "ms", 73, 50),
        row("API writes for one changed field", per_change, "writes", 44, 8),
        row(f"API writes of three resyncs of {ROUNDS + 1}, unchanged", unchanged, "writes", None, 0),
        row("resident memory at one SergasMonitoring", memory, "MiB", None, 80),
        row(f"resident memory at {ROUNDS + 1}", memory_of_all, "MiB"),
    ]


@contextmanager
def operator(plane: ControlPlane, **environment: str) -> Iterator[OperatorProcess]:
    """A running operator; its log is printed when something goes wrong."""
    log = plane.folder / "operator.log"
    process = start_process(plane, SERVED, log, environment)
    try:
        yield process
    except Exception:
        print(log.read_text(), file=sys.stderr)
        raise
    finally:
        process.stop()


def show(rows: list[Row], where: str) -> None:
    """A table on the terminal."""
    table = Table(title=f"Operator on {where}")
    for column in ("", "value", "unit", "peer", "target", ""):
        table.add_column(column, justify="left" if column in ("", "unit") else "right")
    for found in rows:
        numbers = ("" if number is None else f"{number:g}" for number in (found.peer, found.target))
        table.add_row(found.name, f"{found.value:g}", found.unit, *numbers, "ok" if found.ok else "MISSED")
    Console().print(table)


def main() -> int:
    """Runs the benchmark and returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="exit 1 when a target is missed")
    check = parser.parse_args().check
    console = Console()
    with console.status("a minute of measuring on a control plane of its own"), control_plane() as plane:
        rows = run(plane)
    version = subprocess.run(
        [str(ROOT / "bin/kubectl"), "version", "--client", "-o", "json"], capture_output=True, check=False
    )
    client = json.loads(version.stdout or b"{}").get("clientVersion", {}).get("gitVersion", "")
    show(rows, f"a kube-apiserver {client} of its own, {os.cpu_count()} CPUs, {ROUNDS} rounds each")
    target = ROOT / "build/bench/operator.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps([asdict(found) for found in rows], indent=2) + "\n")
    return int(check and not all(found.ok for found in rows))


if __name__ == "__main__":
    sys.exit(main())
