"""Reaction time, writes, memory, resync and restart with a number of SergasMonitorings."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Iterator, Sequence

from tests.bench.operator.environment import Namespace, Operator, control_plane, create_all, operator, until
from tests.bench.operator.requests import ADMIN, Request, is_read, is_write, most_in_a_second
from tests.bench.operator.rows import Row, percentile, row

CHILD_KINDS = frozenset({"secrets", "alertmanagers", "prometheuses", "services", "poddisruptionbudgets"})
CHILDREN = 7
# Up to this size the latency targets hold.
LATENCY_SIZE = 50
RESYNCS = 3
QUIET_SECONDS = 0.5
# A reconcile reads 13 objects, and the queue starts at most 50 reconciles a second after a burst of 50.
REQUESTS_PER_SECOND = 13 * (50 + 50)
# From rhobs/observability-operator.
PEER = {"create p50": 88, "create p99": 140, "change p99": 73, "writes": 44}


def measure(size: int, rounds: int) -> Iterator[Row]:
    """Measure with `size` SergasMonitorings; latencies are those of `rounds` acts."""
    with control_plane() as namespace:
        with operator(namespace) as running:
            fill(namespace, running, size)
            yield from _latencies(namespace, running, size, rounds)
            yield row(f"{size}: writes per change", _writes_per_change(namespace, running), "writes", 8, PEER["writes"])
            yield row(f"{size}: largest resident memory", running.memory.peak, "MiB", 110)
        with operator(namespace) as restarted:
            yield from _restart(restarted, size)
            yield row(f"{size}: largest resident memory since a restart", restarted.memory.peak, "MiB", 110)
        # Long enough that the first reconciles after the start and the first resync do not coincide.
        resync = 2 if size <= LATENCY_SIZE else 60
        with operator(namespace, SERGAS_RESYNC_SECONDS=str(resync)) as restarted:
            restarted.until_reconciled(size)
            restarted.requests.until_quiet(is_write, QUIET_SECONDS)
            yield _resyncs(restarted, size)


def fill(namespace: Namespace, running: Operator, size: int) -> None:
    """Create `size` SergasMonitorings and return once all children exist. Only the first one's replicas run."""
    create_all(namespace, ["sergas", *(f"other-{number}" for number in range(1, size))])
    running.until_reconciled(size)
    namespace.wait_for_children()
    for kind in ("Prometheus", "Alertmanager"):
        namespace.settle_as_prometheus_operator(kind)
    running.requests.until_quiet(is_write, QUIET_SECONDS)


def _latencies(namespace: Namespace, running: Operator, size: int, rounds: int) -> Iterator[Row]:
    def change(number: int) -> str:
        namespace.patch({"prometheus": {"retention": f"{number + 1}d"}})
        return "sergas"

    def create(number: int) -> str:
        namespace.create({}, f"round-{number}")
        return f"round-{number}"

    def delete(number: int) -> None:
        namespace.delete("SergasMonitoring", f"round-{number}")
        until(lambda: running.metric("sergas_operator_monitorings") == size, "the deleted resource is forgotten")

    bound = size <= LATENCY_SIZE
    times = _rounds(running, create, CHILD_KINDS, CHILDREN, rounds, after=delete)
    yield row(f"{size}: create to all children, p50", statistics.median(times), "ms", None, PEER["create p50"])
    target = 100 if bound else None
    yield row(f"{size}: create to all children, p99", percentile(times, 0.99), "ms", target, PEER["create p99"])
    times = _rounds(running, change, frozenset({"prometheuses"}), 1, rounds)
    yield row(f"{size}: change to child, p50", statistics.median(times), "ms")
    yield row(f"{size}: change to child, p99", percentile(times, 0.99), "ms", 50 if bound else None, PEER["change p99"])


def _rounds(  # noqa: PLR0917  # all are short and of different types
    running: Operator,
    act: Callable[[int], str],
    kinds: frozenset[str],
    count: int,
    rounds: int,
    after: Callable[[int], None] = lambda _: None,
) -> list[float]:
    """Milliseconds from each act to the answer to the operator's last of `count` writes to `kinds`."""
    found = []
    for number in range(rounds):
        running.requests.until_quiet(is_write, QUIET_SECONDS)
        name = act(number)

        def written(requests: Sequence[Request], name: str = name) -> list[Request]:
            return [
                request
                for request in requests
                if is_write(request) and request.resource in kinds and request.name.startswith(name)
            ]

        requests = running.requests.until(
            lambda requests: len(written(requests)) >= count,
            f"{count} writes in round {number}",
        )
        asked = next(one for one in requests if one.user == ADMIN and one.resource == "sergasmonitorings")
        found.append(1000 * (max(request.answered for request in written(requests)) - asked.received))
        after(number)
    return found


def _writes_per_change(namespace: Namespace, running: Operator) -> int:
    """The most writes of five changes: children, status and Events, from a new retention to the end of its rollout."""
    most = 0
    for number in range(5):
        running.requests.until_quiet(is_write, QUIET_SECONDS)
        namespace.patch({"prometheus": {"retention": f"{number + 500}d"}})
        namespace.wait_for_status()
        namespace.settle_as_prometheus_operator()
        most = max(most, sum(map(is_write, running.requests.until_quiet(is_write, 1.0))))
    return most


def _restart(restarted: Operator, size: int) -> Iterator[Row]:
    restarted.until_reconciled(size)
    # Polls of pods and the requests of one resync do not end: the restart is over with the first reconcile of each.
    requests = restarted.requests.new()
    reads = [request for request in requests if is_read(request)]
    end = max(request.answered for request in reads)
    yield row(f"{size}: restart to quiet", end - restarted.started, "s", 30)
    writes = [request for request in requests if is_write(request)]
    for request in writes:
        print(f"written after a restart: {request.verb} {request.resource} {request.name}", file=sys.stderr)
    yield row(f"{size}: writes after a restart", len(writes), "writes", 0)
    rate = most_in_a_second(reads)
    yield row(f"{size}: most requests in a second after a restart", rate, "requests", REQUESTS_PER_SECOND)
    yield row(f"{size}: requests of a restart, per resource", len(reads) / size, "requests")


def _resyncs(restarted: Operator, size: int) -> Row:
    """Writes while every SergasMonitoring is compared with the cluster three more times."""
    restarted.requests.new()
    restarted.until_reconciled(restarted.reconciles() + RESYNCS * size, seconds=900)
    return row(f"{size}: writes of {RESYNCS} resyncs", sum(map(is_write, restarted.requests.new())), "writes", 0)
