"""The directory of many processes: what is in it counts once, and what is damaged costs itself alone."""

import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import prometheus_client
import pytest
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families

from sergas_metrics import MetricsCollector, render
from sergas_metrics._processes.snapshot import Table, encoded, head_of

ATTEMPTS = "sergas_agent_task_attempts_total"
UNREADABLE = "sergas_metrics_unreadable_files_total"

BEGINNING = """
import os, sys
from prometheus_client import CollectorRegistry
from sergas_metrics import MetricsCollector, render
metrics = MetricsCollector(CollectorRegistry(), directory=sys.argv[1])
attempts = metrics.agent.task_attempts.labels("sync")
"""
WAITING = """
attempts.inc(5)
metrics.publish()
for line in sys.stdin:
    attempts.inc()
    metrics.publish()
    print("published", flush=True)
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "metrics"


@pytest.fixture
def metrics(registry: CollectorRegistry, place: Path) -> MetricsCollector:
    return MetricsCollector(registry, directory=place)


@pytest.fixture
def run(place: Path) -> Callable[[str], str]:
    """Run a process that records, to its end."""

    def done(code: str) -> str:
        command = [sys.executable, "-c", BEGINNING + code, str(place)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    return done


class Worker:
    """A process that has counted 5 attempts, and one more for each nudge."""

    def __init__(self, place: Path) -> None:
        command = [sys.executable, "-c", BEGINNING + WAITING, str(place)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.place = place
        self.nudge()

    @property
    def file(self) -> Path:
        (found,) = self.place.glob(f"{self.process.pid}-*.values")
        return found

    def nudge(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "published\n"

    def close(self) -> None:
        self.process.communicate()


@pytest.fixture
def worker(metrics: MetricsCollector, place: Path) -> Iterator[Worker]:
    metrics.publish()  # the run is this process's
    found = Worker(place)
    yield found
    found.close()


def value(metrics: MetricsCollector | CollectorRegistry, name: str, **labels: str) -> float | None:
    for family in text_string_to_metric_families(render(source=metrics).body.decode()):
        for sample in family.samples:
            if sample.name == name and sample.labels == labels:
                return sample.value
    return None


def test_processes_that_ended_and_that_run_add_up(
    metrics: MetricsCollector, worker: Worker, run: Callable[[str], str]
) -> None:
    run("attempts.inc(3)")
    metrics.agent.record_attempt("sync")
    assert value(metrics, ATTEMPTS, agent="sync") == 3 + 6 + 1
    assert value(metrics, "sergas_metrics_processes") == 2


HEAD = head_of(MetricsCollector(CollectorRegistry()).agent.task_attempts.spec)
DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "cut": lambda data: data[:-9],
    "cut in its head": lambda data: data[:11],
    "empty": lambda _: b"",
    "a bit turned": lambda data: data[:-3] + bytes([data[-3] ^ 1]) + data[-2:],
    "of another program": lambda _: b"x" * 500,
    "of a later version": lambda _: encoded([Table(HEAD._replace(mode="median"), [("a",)], [1.0])])[1],
    "with another head": lambda _: encoded([Table(("x",), [("a",)], [1.0])])[1],  # type: ignore[arg-type]
    "with values too many": lambda _: encoded([Table(HEAD, [("a",)], [1.0, 2.0])])[1],
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_costs_itself_and_is_counted(
    metrics: MetricsCollector, worker: Worker, damage: Callable[[bytes], bytes]
) -> None:
    metrics.agent.record_attempt("sync")
    worker.file.write_bytes(damage(worker.file.read_bytes()))
    assert value(metrics, ATTEMPTS, agent="sync") == 1
    assert value(metrics, UNREADABLE) == 1
    worker.nudge()
    assert value(metrics, ATTEMPTS, agent="sync") == 1 + 7


def test_a_foreign_file_is_counted_and_stays(metrics: MetricsCollector, worker: Worker, place: Path) -> None:
    (place / "notes.txt").write_text("mine")
    assert value(metrics, ATTEMPTS, agent="sync") == 6
    assert value(metrics, UNREADABLE) == 1
    assert (place / "notes.txt").read_text() == "mine"


def test_a_damaged_sum_of_the_dead_is_counted_and_begun_again(
    metrics: MetricsCollector, worker: Worker, run: Callable[[str], str], place: Path
) -> None:
    run("attempts.inc(3)")
    assert value(metrics, ATTEMPTS, agent="sync") == 9
    (place / "dead.values").write_bytes(b"?")
    assert value(metrics, ATTEMPTS, agent="sync") == 6
    run("attempts.inc(2)")
    assert value(metrics, ATTEMPTS, agent="sync") == 8
    assert value(metrics, UNREADABLE) == 1


def leave_dead(place: Path, name: str, amount: float) -> None:
    """The files of a process that is gone."""
    (place / f"{name}.lock").touch()
    (place / f"{name}.values").write_bytes(encoded([Table(HEAD, [("sync",)], [amount])])[1])


def test_a_thousand_recycled_workers_leave_one_file(metrics: MetricsCollector, place: Path) -> None:
    metrics.publish()
    for number in range(1_000):
        leave_dead(place, f"1-{number}", 0.1)
        if number % 100 == 99:
            assert value(metrics, ATTEMPTS, agent="sync") == pytest.approx((number + 1) * 0.1, abs=1e-9)
    assert value(metrics, ATTEMPTS, agent="sync") == pytest.approx(100.0, rel=1e-12)
    assert len([*place.iterdir()]) == 4  # this process's two, the sum of the dead, the directory's lock
    assert sum(path.stat().st_size for path in place.iterdir()) < 50_000


def test_a_process_that_died_while_it_folded_makes_nothing_count_twice(metrics: MetricsCollector, place: Path) -> None:
    metrics.publish()
    leave_dead(place, "1-a", 4)
    assert value(metrics, ATTEMPTS, agent="sync") == 4
    leave_dead(place, "1-a", 4)  # as if the files could not be removed
    leave_dead(place, "1-b", 1)
    (place / "1-b.new").write_bytes(b"half")
    assert value(metrics, ATTEMPTS, agent="sync") == 5
    assert not [*place.glob("1-*")]


def test_a_forked_child_begins_at_zero_and_what_was_counted_before_counts_once(
    metrics: MetricsCollector, run: Callable[[str], str]
) -> None:
    metrics.publish()
    said = run("""
import prometheus_client
own = prometheus_client.Counter("own_total", "Own.", registry=metrics.registry)
own.inc(2)
attempts.inc(10)
metrics.business.set_accounts_active(7)
for _ in range(3):
    if os.fork() == 0:
        attempts.inc()
        own.inc()
        metrics.publish()
        os._exit(0)
for _ in range(3):
    os.wait()
attempts.inc(100)
print(render(source=metrics).body.decode())
""")
    assert f'{ATTEMPTS}{{agent="sync"}} 113.0\n' in said
    assert "\nown_total 5.0\n" in said
    assert "sergas_accounts_active_total 7.0\n" in said
    assert value(metrics, ATTEMPTS, agent="sync") == 113


def test_a_master_with_nothing_to_say_has_no_files_and_no_thread(
    metrics: MetricsCollector, run: Callable[[str], str]
) -> None:
    metrics.publish()
    said = run("""
import threading
if os.fork() == 0:
    os._exit(0)
os.wait()
print(len(os.listdir(sys.argv[1])), threading.active_count())
""")
    assert said == "4 1\n"


def test_a_child_of_a_process_that_publishes_does_so_too(metrics: MetricsCollector, run: Callable[[str], str]) -> None:
    metrics.publish()
    said = run("""
import time
metrics.publish()
parent_lives, by_this = os.pipe()
if os.fork() == 0:
    os.close(by_this)
    attempts.inc(5)
    os.read(parent_lives, 1)
    os._exit(0)
deadline = time.monotonic() + 20
while b'attempts_total{agent="sync"} 5.0' not in render(source=metrics).body and time.monotonic() < deadline:
    time.sleep(0.05)
print(b'attempts_total{agent="sync"} 5.0' in render(source=metrics).body)
""")
    assert said == "True\n"


def test_metrics_of_prometheus_client_add_up_too(
    metrics: MetricsCollector, registry: CollectorRegistry, run: Callable[[str], str]
) -> None:
    metrics.publish()
    code = """
import prometheus_client as pc
R = metrics.registry
pc.Counter("own_total", "Own.", ["a"], registry=R).labels("x").inc(2)
pc.Histogram("own_seconds", "Own.", buckets=(1, 2), registry=R).observe(1.5)
pc.Summary("own_size", "Own.", registry=R).observe(3)
pc.Gauge("own_level", "Own.", registry=R).set(4)
pc.Gauge("own_peak", "Own.", registry=R, multiprocess_mode="max").set(9)
pc.Gauge("own_last", "Own.", registry=R, multiprocess_mode="mostrecent").set(8)
pc.Info("own_build", "Own.", registry=R).info({"v": "1"})
pc.ProcessCollector(registry=R)
pc.GCCollector(registry=R)
"""
    run(code)
    exec(code.replace("R = metrics.registry", ""), {"R": registry})  # noqa: S102
    assert value(registry, "own_total", a="x") == 4
    assert value(registry, "own_seconds_bucket", le="2.0") == 2
    assert value(registry, "own_seconds_sum") == 3
    assert value(registry, "own_size_count") == 2
    assert value(registry, "own_level") == 4  # of those that live
    assert value(registry, "own_peak") == 9
    assert value(registry, "own_last") == 8
    assert value(registry, "own_build_info", v="1") == 1
    assert value(registry, "python_gc_collections_total", generation="0") is not None
    assert (value(registry, "process_cpu_seconds_total") or 0) > 0


class Queue:
    """A collector of the application's, which reads what all processes share."""

    def collect(self) -> Iterable[Metric]:
        metric = Metric("queue", "A queue.", "gauge")
        metric.add_sample("queue", {}, 12)
        return [metric]


def test_a_collector_of_the_applications_is_asked_where_the_scrape_is_answered(
    metrics: MetricsCollector, worker: Worker
) -> None:
    metrics.registry.register(Queue())
    assert value(metrics, "queue") == 12


def test_a_metric_that_another_process_alone_has_is_shown(metrics: MetricsCollector, run: Callable[[str], str]) -> None:
    metrics.publish()
    run("""
from sergas_metrics import MetricSpec
from sergas_metrics.types import Counter, Gauge, Histogram
for family in (
    Counter(MetricSpec("late_total", "counter", "L.", ("a",))),
    Gauge(MetricSpec("late_peak", "gauge", "L.", across="max")),
    Histogram(MetricSpec("late_seconds", "histogram", "L.", (), "seconds", (1.0,))),
):
    metrics.registry.register(family)
    cell = family.labels(*"x" * len(family.spec.labels))
    (cell.observe if hasattr(cell, "observe") else cell.inc)(2)
""")
    assert value(metrics, "late_total", a="x") == 2
    assert value(metrics, "late_peak") == 2
    assert value(metrics, "late_seconds_bucket", le="1.0") == 0


def test_of_levels_set_in_several_processes_the_latest_counts(
    metrics: MetricsCollector, run: Callable[[str], str]
) -> None:
    own = metrics.gauge("own_level", "O.", across="latest")
    metrics.publish()
    own.inc()
    own.dec(0.5)
    metrics.zoho.set_sync_lag(1)
    run("metrics.zoho.set_sync_lag(90)")
    assert value(metrics, "sergas_zoho_sync_lag_seconds") == 90
    metrics.zoho.set_sync_lag(1)
    assert value(metrics, "sergas_zoho_sync_lag_seconds") == 1
    assert value(metrics, "own_level") == 0.5


def test_a_series_that_is_removed_is_gone(metrics: MetricsCollector) -> None:
    metrics.agent.set_queue_size("sync", 3)
    assert value(metrics, "sergas_agent_queue_size", agent="sync") == 3
    metrics.agent.queue_size.remove("sync")
    assert value(metrics, "sergas_agent_queue_size", agent="sync") is None


def test_a_directory_that_is_removed_is_made_again(metrics: MetricsCollector, place: Path) -> None:
    metrics.agent.record_attempt("sync")
    metrics.publish()
    shutil.rmtree(place)
    metrics.agent.record_attempt("sync")
    assert value(metrics, ATTEMPTS, agent="sync") == 2
    assert [*place.glob(f"{os.getpid()}-*.values")]


def test_a_process_that_cannot_publish_says_so_once_and_answers_for_itself(
    metrics: MetricsCollector, place: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.rmtree(place)
    place.touch()
    metrics.agent.record_attempt("sync")
    with caplog.at_level(logging.ERROR, "sergas_metrics"):
        metrics.publish()
        metrics.publish()
        assert value(metrics, ATTEMPTS, agent="sync") == 1
    assert [r.getMessage() for r in caplog.records if "publish metrics" in r.getMessage()] == [
        f"cannot publish metrics in {place}: [Errno 17] File exists: '{place}'"
    ]


def test_formats_and_names_are_those_of_one_process(metrics: MetricsCollector, run: Callable[[str], str]) -> None:
    metrics.publish()
    run("metrics.http.record_request('GET', '/a', 200, 0.3)")
    text = render(source=metrics, accept="application/openmetrics-text; version=1.0.0").body.decode()
    counts = {s.name: s.value for family in parse_openmetrics(text) for s in family.samples if "le" not in s.labels}
    assert counts["sergas_http_request_duration_seconds_sum"] == 0.3
    alone = MetricsCollector(CollectorRegistry())
    alone.http.record_request("GET", "/a", 200, 0.3)
    alone.agent.task_attempts.labels("sync")
    assert render(source=metrics).body == render(source=alone).body


def test_exemplars_are_those_of_the_answering_process(
    registry: CollectorRegistry, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    traces: list[dict[str, str]] = []
    monkeypatch.setattr("sergas_metrics._store.opentelemetry_trace", lambda: lambda: traces[-1])
    metrics = MetricsCollector(registry, directory=place, exemplars=True)
    cell = metrics.http.request_duration.labels("GET", "/")
    traces.append({"trace_id": "abc"})
    cell.observe(0.2)
    count = metrics.http.requests.labels("GET", "/", "200")
    traces.append({"trace_id": "def"})
    count.inc()
    body = render(source=metrics, accept="application/openmetrics-text; version=1.0.0").body
    assert b'# {trace_id="abc"} 0.2' in body
    assert b'# {trace_id="def"} 1.0' in body


def test_one_directory_is_for_one_registry(metrics: MetricsCollector, place: Path) -> None:
    with pytest.raises(ValueError) as refusal:  # noqa: PT011  # the whole sentence is asserted below
        MetricsCollector(CollectorRegistry(), directory=place)
    assert str(refusal.value) == (
        f"another registry of this process keeps its metrics in {place}: give each registry a directory of its own"
    )


def test_collectors_of_a_registry_agree_on_the_directory(metrics: MetricsCollector, place: Path) -> None:
    assert MetricsCollector(metrics.registry, directory=str(place)).agent.task_attempts is metrics.agent.task_attempts
    with pytest.raises(ValueError) as refusal:  # noqa: PT011  # the whole sentence is asserted below
        MetricsCollector(metrics.registry)
    assert str(refusal.value) == (
        f"this registry's Sergas metrics were made with directory={place}, not None: use the same, or give "
        "MetricsCollector a registry of its own"
    )


def test_a_collector_that_fails_costs_its_metrics_and_no_others(
    metrics: MetricsCollector, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken = prometheus_client.Counter("broken_total", "B.", registry=metrics.registry)
    monkeypatch.setattr(broken, "collect", lambda: 1 / 0)
    metrics.agent.record_attempt("sync")
    assert value(metrics, ATTEMPTS, agent="sync") == 1
    assert "collector Counter failed; this process publishes nothing of it" in caplog.text
