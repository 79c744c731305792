"""A real fault of a database, cache, volume, container or address raises its alert, as real exporters tell of it."""

import os

import capture
import pytest
import yaml
from drills import exporters, faults, strain
from drills.drill import Drill
from drills.receivers import told_of
from drills.rooms import Room
from drills.running import recorded
from drills.stack import Plan
from drills.standing import standing
from drills.strain import Container
from sergas_demo import prometheus
from sergas_demo.waiting import expect, until

from charts import exported
from charts.helm import CHART

NAMESPACE = "e2e-infra"
EXPORTERS = "e2e-exporters"
ROOM = "e2e-infra-app"

# An alert that is not here keeps the duration it is shipped with. Scrapes are as seldom as the chart has them.
OVERRIDES = {
    "DatabasePoolExhausted": {"for": "15s"},
    "DatabaseDiskFilling": {"for": "15s"},
    "CacheMemoryHigh": {"for": "15s"},
    "CPUUsageHigh": {"window": "1m", "for": "15s"},
    "MemoryUsageHigh": {"for": "15s"},
    "DiskUsageHigh": {"for": "15s"},
    "ContainerRestarting": {"window": "2m", "threshold": 1},
    "CertificateExpiring": {"for": "15s"},
    "ProbeFailing": {"for": "15s"},
}
CHECKS = [
    {"name": "tls", "module": "tls_connect", "targets": [f"tls.{EXPORTERS}.svc:8443"], "interval": "10s"},
    {
        "name": "pushgateway",
        "targets": [f"http://sergas-prometheus-pushgateway.{EXPORTERS}.svc:9091/-/healthy"],
        "interval": "10s",
    },
]
PLAN = Plan(
    NAMESPACE,
    (Room(ROOM, api={"SERGAS_LOAD_RATE": "1"}),),
    {
        "probes.prober": f"sergas-prometheus-blackbox-exporter.{EXPORTERS}:9115",
        "probes.checks": CHECKS,
        **{f"alerts.{name}": value for name, value in OVERRIDES.items()},
    },
    exporters=EXPORTERS,
)


REMOTE = "prometheus_remote_storage_queue_highest_sent_timestamp_seconds"


def there(metric, **labels):
    chosen = ",".join(f'{name}="{value}"' for name, value in labels.items())
    return f"{metric}{{{chosen}}}"


def container(metric, name):
    return there(metric, namespace=EXPORTERS, container=name)


OF_VOLUMES = {"DatabaseDiskFilling", "DiskUsageHigh"}
EVERY_DRILL = (
    Drill(
        "DatabasePoolExhausted",
        "critical",
        EXPORTERS,
        strain.sessions("18 sessions take PostgreSQL's connections, of which it has 20", EXPORTERS, 18),
        there("pg_settings_max_connections", namespace=EXPORTERS),
    ),
    Drill(
        "DatabaseDiskFilling",
        "warning",
        EXPORTERS,
        strain.filled(
            "a file of 200 MiB on PostgreSQL's volume of 256 MiB",
            Container(EXPORTERS, "statefulset/sergas-postgres", "postgres"),
            "/data",
            200,
        ),
        there("kubelet_volume_stats_capacity_bytes", persistentvolumeclaim="data-sergas-postgres-0"),
    ),
    Drill(
        "CacheMemoryHigh",
        "warning",
        EXPORTERS,
        strain.redis_filled("a key of 31 MB in a Redis of 32 MiB", EXPORTERS, 31_000_000),
        there("redis_memory_max_bytes", namespace=EXPORTERS) + " > 0",
    ),
    Drill(
        "CPUUsageHigh",
        "warning",
        EXPORTERS,
        strain.burning("a process that never waits, in a container with a tenth of a CPU", EXPORTERS),
        container("container_cpu_usage_seconds_total", "processor"),
    ),
    Drill(
        "MemoryUsageHigh",
        "warning",
        EXPORTERS,
        strain.filled(
            "a file of 57 MiB in memory, in a container with 64 MiB",
            Container(EXPORTERS, "deployment/strained", "memory"),
            "/memory",
            57,
        ),
        container("container_memory_working_set_bytes", "memory"),
    ),
    Drill(
        "DiskUsageHigh",
        "warning",
        EXPORTERS,
        strain.filled(
            "a file of 30 MiB on a volume of 32 MiB",
            Container(EXPORTERS, "deployment/strained", "disk"),
            "/files",
            30,
        ),
        there("kubelet_volume_stats_capacity_bytes", persistentvolumeclaim="strained-files"),
    ),
    Drill(
        "ContainerRestarting",
        "warning",
        EXPORTERS,
        strain.unsteady("a release whose container ends at its start", EXPORTERS),
        container("kube_pod_container_status_restarts_total", "unsteady"),
    ),
    Drill(
        "CertificateExpiring",
        "warning",
        NAMESPACE,
        strain.certified("a server shows a certificate that is good for 3 days", EXPORTERS, 3, 90),
        there("probe_ssl_earliest_cert_expiry", job="probe-tls"),
    ),
    Drill(
        "ProbeFailing",
        "critical",
        NAMESPACE,
        faults.scaled_away("nothing runs behind an address that is probed", EXPORTERS, "sergas-prometheus-pushgateway"),
        there("probe_success", job="probe-pushgateway") + " == 1",
    ),
)


DRILLS = tuple(drill for drill in EVERY_DRILL if exporters.BOUNDED or drill.alert not in OF_VOLUMES)


@pytest.fixture(scope="module")
def installed(kube, images, exporter_images, install_arguments):
    """The stack, and the exporters it watches."""
    with standing(kube, PLAN, images, install_arguments) as found:
        yield found


@pytest.fixture(scope="module")
def outcomes(installed):
    """What comes of each drill; all of them run at once."""
    with recorded("infrastructure", DRILLS, installed, OVERRIDES) as found:
        yield found


@pytest.mark.parametrize("drill", DRILLS, ids=[drill.name for drill in DRILLS])
def test_a_fault_raises_its_alert_which_reaches_exactly_its_receivers_and_ends(outcomes, drill):
    outcome = outcomes[drill].result()
    assert outcome.error == ""
    assert set(outcome.receivers) == set().union(*(told_of(drill.alert, level) for level in outcome.levels))


def test_the_exporters_export_what_is_written_down_of_them_and_read_by_us(installed, kube, exporter_images):
    until("Remote write", lambda: expect(prometheus.query(installed.server(), REMOTE), "it is not there"), seconds=240)
    pages = [*capture.exporters(kube, EXPORTERS), *capture.monitoring(kube, NAMESPACE)]
    text = capture.text(capture.read(pages), capture.versions(kube, exporter_images, NAMESPACE))
    if os.environ.get("CAPTURE_EXPORTERS"):
        exported.FILE.write_text(text, encoding="utf-8")
        return
    found = {name: known for _, name, known in exported.series(yaml.safe_load(text))}
    written = {name: known for _, name, known in exported.series(yaml.safe_load(exported.FILE.read_text("utf-8")))}
    rules = "".join(
        file.read_text(encoding="utf-8")
        for part in ("alerts", "recording", "dashboards")
        for file in (CHART / part).iterdir()
    )
    read = {name for name in written if name in rules}
    assert read
    assert {name: found.get(name) for name in read} == {name: written[name] for name in read}
