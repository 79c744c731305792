"""How fast the dashboards answer over a large fleet and thirty days, and what recording costs: `make bench-dashboards`.

A real Prometheus with the chart's rules is asked every panel of every dashboard over 1 hour, 24 hours and 30 days:

1. A few pods are scraped with the rules evaluated every five seconds, to learn which series they record.
2. Thirty days of those series are made up and imported: a sample for each evaluation of their rule, and one a minute of
   what surrounds the application.
3. The whole fleet is scraped, with the rules at their own intervals, until each of them is recorded.
4. Prometheus is restarted; the first run of each panel is its cold time, further runs are its warm ones.

Raw series of the fleet reach back only to the beginning of 3; panels of recorded series see the whole time.
Writes build/bench/dashboards.json; ends with 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import yaml

from dashboards.preview.answers import decided
from dashboards.preview.board import Board, read
from dashboards.preview.rules import rendered, rules
from dashboards.preview.server import LONGEST_BLOCK, free_port, prometheus
from dashboards.preview.source import Series, Source
from tests.bench.dashboards import rulecost
from tests.bench.dashboards.asking import Timing, cold, slowest, warm
from tests.bench.dashboards.fleet import around, pods
from tests.bench.dashboards.history import fill
from tests.bench.metrics.sergas_bench.rows import Row, table, write

ROOT = Path(__file__).resolve().parents[3]
SHIPPED = ROOT / "charts/sergas-monitoring/dashboards"
TARGET = ROOT / "build/bench/dashboards.json"
LEARNING_PODS = 80
LEARNING_SECONDS = 60
# From then on a rate over five minutes reads several samples of every series.
FULL_SECONDS = 60
PATIENCE_SECONDS = 420
# Blocks are as long as those of the history, so that Prometheus joins none while it is measured.
CALM = (f"--storage.tsdb.max-block-duration={LONGEST_BLOCK}",)
# Milliseconds that a dashboard's slowest panel may take, and the share of its interval that a group may take.
LIMITS = {"24 h": 100, "30 d": 250}
RULE_SHARE = 0.2


def main() -> int:
    """Measure, print, write; 1 if a target is missed."""
    options = parser().parse_args()
    # Ended from outside, it still stops what it started and removes its gigabytes.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    boards = [read(file) for file in sorted(SHIPPED.glob("*.json"))]
    with tempfile.TemporaryDirectory(prefix="sergas-bench-") as name:
        rows, timings = measure(Path(name), boards, options)
    write(TARGET, rows)
    out(f"\n{table(rows)}\n\nThe five slowest panels, warm (p95) and cold:")
    for timing in sorted(timings, key=lambda timing: timing.p95, reverse=True)[:5]:
        where = f"{timing.board}: {timing.panel}, {timing.range}"
        out(f"  {timing.p95 * 1000:8.1f} ms {timing.cold * 1000:8.1f} ms  {timing.series:4} series  {where}")
    missed = [row for row in rows if not row.ok]
    out(f"\n{len(rows)} figures in {TARGET}; targets missed: {len(missed)}")
    return 1 if missed else 0


def parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(prog="make bench-dashboards", description=__doc__)
    found.add_argument("--targets", type=int, default=1000, help="pods that are scraped; default 1000")
    found.add_argument("--series", type=int, default=300, help="series of each; default 300")
    found.add_argument("--days", type=int, default=30, help="days of history; default 30")
    found.add_argument("--runs", type=int, default=20, help="warm runs of each panel; default 20")
    return found


def measure(folder: Path, boards: Sequence[Board], options: argparse.Namespace) -> tuple[list[Row], list[Timing]]:
    """All rows, and the timing of every panel."""
    known = learned(folder / "learning", options.series)
    out(f"{len(known)} series are recorded or come from around the application; making {options.days} days of them")
    began = time.monotonic()
    samples = fill(folder, known, int(time.time()) - 60, options.days, intervals())
    size = sum(file.stat().st_size for file in (folder / "data").rglob("*") if file.is_file())
    out(f"{samples / 1e6:.1f} million samples in {size / 1e6:.0f} MB, {time.monotonic() - began:.0f} s")
    shares: dict[str, float] = {}
    with fleet(folder, options.targets, options.series) as config:
        with prometheus(folder, config, CALM) as url:
            until(lambda: _up(url) >= options.targets, f"{options.targets} pods answer")
            settle(url, time.time() + FULL_SECONDS, intervals_up_to=60)
            rulecost.note(url, shares)
        restarted = time.time()
        with prometheus(folder, config, CALM) as url, Source(url) as source:
            boards = [decided(source, board, int(time.time())) for board in boards]
            timings = cold(source, boards, int(time.time()))
            # Rules that were due while it was away are evaluated at once; nobody looks at a dashboard just then.
            settle(url, restarted, intervals_up_to=60)
            for _ in range(options.runs):
                warm(source, boards, int(time.time()), timings)
                rulecost.note(url, shares)
            settle(url, restarted, intervals_up_to=3600)
            rulecost.note(url, shares)
            head = rulecost.series_in_head(url)
            failing = rulecost.broken(url)
    if failing:
        raise SystemExit("rules fail:\n" + "\n".join(failing))
    return [
        *_scale(options, known, samples, head),
        *_latency(boards, timings),
        *_rules(shares),
    ], timings


def learned(folder: Path, series: int) -> list[Series]:
    """What the rules record of a few pods in every namespace, and what surrounds them, with present values."""
    with fleet(folder, LEARNING_PODS, series, every=5) as config, prometheus(folder, config) as url:
        until(lambda: _up(url) >= LEARNING_PODS, "every pod answers")
        since = time.time() + LEARNING_SECONDS
        until(lambda: time.time() > since and rulecost.evaluated(url, since), "every rule is evaluated")
        with Source(url) as source:
            others = '{job=~".+",job!~"sergas-(api|agents)",__name__!~"(scrape_|up|go_|net_|prometheus_sd_|ALERTS).*"}'
            found = [*source.instant('{__name__=~".+:.+"}', time.time()), *source.instant(others, time.time())]
    unique = {tuple(sorted(one.labels.items())): one for one in found}
    return [one for _, one in sorted(unique.items())]


def intervals() -> dict[str, int]:
    """The seconds between two evaluations of each record, as the chart has them."""
    return {rule.name: rule.interval for rule in rules() if not rule.alert}


@contextmanager
def fleet(folder: Path, count: int, series: int, every: int = 0) -> Iterator[str]:
    """Run the fleet; the configuration of a Prometheus that scrapes it. `every` sets all intervals, in seconds."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    labels = [*pods(count), *(found for found, _ in around())]
    targets = [
        {"targets": [f"127.0.0.1:{port}"], "labels": own | {"__metrics_path__": f"/{number}"}}
        for number, own in enumerate(labels)
    ]
    (folder / "targets.json").write_text(json.dumps(targets), encoding="utf-8")
    groups = [group | ({"interval": f"{every}s"} if every else {}) for group in rendered()]
    (folder / "rules.yaml").write_text(yaml.safe_dump({"groups": groups}), encoding="utf-8")
    command = [sys.executable, "-m", "tests.bench.dashboards.fleet", str(count), str(series), str(port)]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        yield yaml.safe_dump(_config(folder, every or 10))
    finally:
        process.terminate()
        process.wait(30)


def _config(folder: Path, seconds: int) -> dict[str, object]:
    """The application's interval is 10 s in the chart; that of what surrounds it is not finer."""
    discovery = [{"files": [str(folder / "targets.json")]}]
    job = {"job_name": "fleet", "honor_labels": True, "file_sd_configs": discovery}
    return {
        "global": {"scrape_interval": f"{seconds}s", "scrape_timeout": f"{max(seconds - 1, 4)}s"},
        "rule_files": [str(folder / "rules.yaml")],
        "scrape_configs": [job],
    }


def settle(url: str, since: float, *, intervals_up_to: int) -> None:
    """Wait until all groups of such intervals, in seconds, were evaluated after `since`."""
    until(lambda: rulecost.evaluated(url, since, intervals_up_to), f"rules of up to {intervals_up_to} s are evaluated")


def _up(url: str) -> float:
    with Source(url) as source:
        found = source.instant('sum(up{job=~"sergas-(api|agents)"})', time.time())
    return found[0].points[-1][1] if found else 0.0


def until(met: Callable[[], object], what: str) -> None:
    """Wait for a condition, looking once a second, for seven minutes at most."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not met():
        if time.monotonic() > deadline:
            raise SystemExit(f"within {PATIENCE_SECONDS} s it did not come to pass that {what}")
        time.sleep(1)


def _scale(options: argparse.Namespace, known: Sequence[Series], samples: int, head: float) -> list[Row]:
    recorded = sum(":" in one.labels["__name__"] for one in known)
    return [
        Row("targets scraped", options.targets, "targets"),
        Row("series of each target", options.series, "series"),
        Row("recorded series", recorded, "series"),
        Row("samples of history", samples / 1e6, "million"),
        Row("series in the head", head, "series"),
    ]


def _latency(boards: Sequence[Board], timings: Sequence[Timing]) -> list[Row]:
    """A row for each dashboard and range: its slowest panel, warm and cold, and how many panels fail."""
    rows = []
    for board in boards:
        for name in ("1 h", "24 h", "30 d"):
            seconds, panel = slowest(timings, board.uid, name)
            target = f"<= {LIMITS[name]}" if name in LIMITS else ""
            rows.append(Row(f"{board.uid}, {name}, warm p95", seconds * 1000, "ms", panel, target))
            first = max((t for t in timings if (t.board, t.range) == (board.uid, name)), key=lambda t: t.cold)
            rows.append(Row(f"{board.uid}, {name}, cold", first.cold * 1000, "ms", first.panel))
    failing = sorted({f"{timing.board}: {timing.panel}" for timing in timings if timing.error})
    return [*rows, Row("panels whose query fails", len(failing), "panels", ", ".join(failing), "<= 0")]


def _rules(shares: dict[str, float]) -> list[Row]:
    return [
        Row(f"rules {name}", share * 100, "% of interval", "", f"<= {RULE_SHARE * 100:g}")
        for name, share in sorted(shares.items(), key=lambda item: -item[1])
    ]


def out(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
