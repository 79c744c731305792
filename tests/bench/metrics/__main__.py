"""Measures the library against its peers: `make bench-metrics`, or some: `make bench-metrics PART='updates memory'`."""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

from sergas_bench.rows import Row, table, write

PARTS = ("updates", "blocks", "requests", "exposition", "scrape", "memory", "processes", "threads", "soak")
TARGET = Path(__file__).resolve().parents[3] / "build/bench/metrics.json"


def main() -> int:
    """Run the parts asked for, print a table, write JSON; 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"some of {', '.join(PARTS)}; all of them when left out")
    wanted = parser.parse_args().parts or PARTS
    if unknown := set(wanted) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}; choose from {', '.join(PARTS)}")
    rows: list[Row] = []
    for part in wanted:
        found = list(importlib.import_module(f"sergas_bench.{part}").measure())
        rows += found
        sys.stdout.write(f"\n{part}\n{table(found)}\n")
        sys.stdout.flush()
    write(TARGET, rows)
    missed = [row for row in rows if not row.ok]
    sys.stdout.write(f"\n{len(rows)} figures in {TARGET}; targets missed: {len(missed)}\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
