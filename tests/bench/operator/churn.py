"""Memory over many SergasMonitorings that are created and deleted."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from tests.bench.operator.environment import control_plane, create_all, operator, until
from tests.bench.operator.rows import Row, row

BATCH = 25
# Of one sample of resident memory: the allocator keeps pages, and 25 resources exist at most.
GROWTH_MIB = 5


def measure(cycles: int) -> Iterator[Row]:
    """Create and delete `cycles` SergasMonitorings, each with a name of its own."""
    with control_plane(audited=frozenset()) as namespace, operator(namespace) as running:
        sizes: list[float] = []
        for first in range(0, cycles, BATCH):
            names = [f"cycle-{number}" for number in range(first, min(first + BATCH, cycles))]
            create_all(namespace, names)
            until(lambda: all(namespace.status(name) for name in names), "every status is written")  # noqa: B023
            for name in names:
                namespace.delete("SergasMonitoring", name)
            until(lambda: not running.metric("sergas_operator_monitorings"), "every resource is forgotten")
            sizes.append(running.memory.resident)
        fifth = max(1, len(sizes) // 5)
        growth = statistics.median(sizes[-fifth:]) - statistics.median(sizes[fifth : 2 * fifth] or sizes)
        yield row(f"growth of resident memory over {cycles} created and deleted", growth, "MiB", GROWTH_MIB)
        yield row(f"largest resident memory over {cycles} created and deleted", running.memory.peak, "MiB", 110)
