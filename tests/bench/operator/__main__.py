"""How fast the operator reacts, what it writes and how much memory it takes: `make bench-operator`.

A real etcd, kube-apiserver and garbage collector run on loopback. The operator runs as a process of its own with the
rights that the chart grants. Times are the API server's, from its audit log: from the moment it receives the request
about the SergasMonitoring to the moment it has answered the operator's last write. No pods run, so the benchmark writes
the status that prometheus-operator would write.

The parts `1`, `50` and `1000` measure with that number of SergasMonitorings. The part `churn` creates and deletes many.
The rows are written to build/bench/operator.json. Ends with 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import os
import sys

from rich.console import Console

from tests.bench.operator import churn, sizes
from tests.bench.operator.environment import ROOT
from tests.bench.operator.rows import Row, exit_status, save, show

PARTS = ("1", "50", "1000", "churn")


def main() -> int:
    """Run the selected parts and return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], default=[], help="what to measure (default: all)")
    parser.add_argument("--rounds", type=int, default=100, help="acts behind each latency (default: %(default)s)")
    parser.add_argument("--cycles", type=int, default=20_000, help="of the part churn (default: %(default)s)")
    given = parser.parse_args()
    rows: list[Row] = []
    for part in given.parts or PARTS:
        found = churn.measure(given.cycles) if part == "churn" else sizes.measure(int(part), given.rounds)
        for row in found:
            Console(stderr=True).print(f"{row.name}: {row.value:g} {row.unit}")
            rows.append(row)
    show(rows, f"Operator, {os.cpu_count()} CPUs, {given.rounds} rounds")
    save(rows, ROOT / "build/bench/operator.json")
    return exit_status(rows)


if __name__ == "__main__":
    sys.exit(main())
