"""Which alerts mute which, asked of a real Alertmanager."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from running import Alertmanager, alert

from sergas_operator.desired.inhibition import DOWN, OBJECT, PAIRS

ALERTS = sorted((Path(__file__).parents[2] / "charts/sergas-monitoring/alerts").glob("*.yaml"))
SLOS = Path(__file__).parents[2] / "charts/sergas-monitoring/slos.yaml"
API = {"job": "sergas-api"}
POD = {"job": "sergas-api", "instance": "10.0.0.1:8000", "pod": "api-1"}
OTHER_POD = {"job": "sergas-api", "instance": "10.0.0.2:8000", "pod": "api-2"}

# What fires, what fires beside it, and whether it is muted.
CASES = {
    "critical mutes the warning of the same alert and pod": (
        alert("RequestsPilingUp", "critical", **POD),
        alert("RequestsPilingUp", "warning", **POD),
        True,
    ),
    "and not of another pod": (
        alert("RequestsPilingUp", "critical", **POD),
        alert("RequestsPilingUp", "warning", **OTHER_POD),
        False,
    ),
    "and not another alert of that pod": (
        alert("RequestsPilingUp", "critical", **POD),
        alert("CPUUsageHigh", "warning", **POD),
        False,
    ),
    "and not of another volume": (
        alert("DiskUsageHigh", "critical", persistentvolumeclaim="data-0"),
        alert("DiskUsageHigh", "warning", persistentvolumeclaim="data-1"),
        False,
    ),
    "critical never mutes critical": (
        alert("HighErrorRate", "critical", **API),
        alert("APILatencyCritical", "critical", **API),
        False,
    ),
    "a service of which no pod answers mutes its other alerts": (
        alert("ServiceDown", "critical", **API),
        alert("HighErrorRate", "critical", **API),
        True,
    ),
    "and its warnings": (alert("ServiceDown", "critical", **API), alert("APIRateLimited", "warning", **API), True),
    "and an alert on one of its pods": (
        alert("ServiceDown", "critical", **API),
        alert("RequestsPilingUp", "critical", **POD),
        True,
    ),
    "and each of its pods that does not answer": (
        alert("ServiceDown", "critical", **API),
        alert("ServiceDown", "critical", **POD),
        True,
    ),
    "and not another service": (
        alert("ServiceDown", "critical", **API),
        alert("HighErrorRate", "critical", job="sergas-agents"),
        False,
    ),
    "and not what has no job": (
        alert("ServiceDown", "critical", **API),
        alert("DiskUsageHigh", "warning", persistentvolumeclaim="data-0"),
        False,
    ),
    "one pod that is down does not mute the service": (
        alert("ServiceDown", "critical", **POD),
        alert("HighErrorRate", "critical", **API),
        False,
    ),
    "and not the warnings of the service": (
        alert("ServiceDown", "critical", **POD),
        alert("APIRateLimited", "warning", **API),
        False,
    ),
    "and not the requests of another pod": (
        alert("ServiceDown", "critical", **POD),
        alert("RequestsPilingUp", "critical", **OTHER_POD),
        False,
    ),
    "and not the connection pool of another pod": (
        alert("ServiceDown", "critical", **POD),
        alert("DatabasePoolExhausted", "critical", **OTHER_POD),
        False,
    ),
    "and not another pod that is down": (
        alert("ServiceDown", "critical", **POD),
        alert("ServiceDown", "critical", **OTHER_POD),
        False,
    ),
    "one pod that is down mutes the alerts on that pod": (
        alert("ServiceDown", "critical", **POD),
        alert("DatabasePoolExhausted", "critical", **POD),
        True,
    ),
    "and the restarts of its container": (
        alert("ServiceDown", "critical", **POD),
        alert("ContainerRestarting", "warning", pod="api-1", container="api"),
        True,
    ),
    "ServiceAbsent mutes the service's other alerts": (
        alert("ServiceAbsent", "critical", **API),
        alert("TrafficStopped", "critical", **API),
        True,
    ),
    "a fast burn mutes the slow burn of its objective": (
        alert("ErrorBudgetBurnFast", "warning", slo="apiLatency"),
        alert("ErrorBudgetBurnSlow", "warning", slo="apiLatency"),
        True,
    ),
    "and not of another objective": (
        alert("ErrorBudgetBurnFast", "warning", slo="apiLatency"),
        alert("ErrorBudgetBurnSlow", "warning", slo="syncFreshness"),
        False,
    ),
    "slowness mutes the slow burn of the latency budget": (
        alert("APILatencyCritical", "critical", **API),
        alert("ErrorBudgetBurnSlow", "warning", slo="apiLatency"),
        True,
    ),
    "slowness mutes the fast burn of the latency budget": (
        alert("APILatencyCritical", "critical", **API),
        alert("ErrorBudgetBurnFast", "warning", slo="apiLatency"),
        True,
    ),
    "a sync that stands still mutes the burn of its budget": (
        alert("SyncFailing", "warning"),
        alert("ErrorBudgetBurnFast", "warning", slo="syncFreshness"),
        True,
    ),
    "and not of the availability budget": (
        alert("APILatencyCritical", "critical", **API),
        alert("ErrorBudgetBurnSlow", "warning", slo="apiAvailability"),
        False,
    ),
    "errors mute the slow burn of the availability budget": (
        alert("HighErrorRate", "critical", **API),
        alert("ErrorBudgetBurnSlow", "warning", slo="apiAvailability"),
        True,
    ),
    "and errors of the agents do not": (
        alert("HighErrorRate", "critical", job="sergas-agents"),
        alert("ErrorBudgetBurnSlow", "warning", slo="apiAvailability"),
        False,
    ),
    "a restarting process mutes its container's restarts": (
        alert("ServiceRestarting", "critical", **POD),
        alert("ContainerRestarting", "warning", pod="api-1", container="api"),
        True,
    ),
    "and not those of another pod": (
        alert("ServiceRestarting", "critical", **POD),
        alert("ContainerRestarting", "warning", pod="postgres-0", container="postgres"),
        False,
    ),
    "a container that restarts mutes the stack's alert on the same container": (
        alert("ContainerRestarting", "warning", pod="api-1", container="api"),
        alert("KubePodCrashLooping", "warning", pod="api-1", container="api"),
        True,
    ),
    "and not on another container": (
        alert("ContainerRestarting", "warning", pod="api-1", container="api"),
        alert("KubePodCrashLooping", "warning", pod="postgres-0", container="postgres"),
        False,
    ),
    "nothing mutes info, which is for the digest": (
        alert("SyncFailing", "warning", **API),
        alert("SyncFailing", "info", **API),
        False,
    ),
    "not even InfoInhibitor": (alert("InfoInhibitor", "none"), alert("ZohoQuotaLow", "info", **API), False),
    "not even a service that is down": (
        alert("ServiceDown", "critical", **POD),
        alert("ZohoQuotaLow", "info", **API),
        False,
    ),
}


@pytest.fixture(scope="module")
def muted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[tuple[str, str], bool]]:
    """Whether each alert is muted, by case and name: every case fires in a namespace of its own."""
    running = Alertmanager(tmp_path_factory.mktemp("inhibition"))
    running.configure({}, {})
    running.start()
    namespaces = {f"case-{number}": case for number, case in enumerate(CASES)}
    for namespace, case in namespaces.items():
        for fired in CASES[case][:2]:
            running.post([fired | {"labels": fired["labels"] | {"namespace": namespace}}])
    expected = sum(case[2] for case in CASES.values())

    def judged() -> dict[tuple[str, str], bool]:
        return {
            (namespaces[found["labels"]["namespace"]], str(sorted(found["labels"].items()))): bool(
                found["status"]["inhibitedBy"]
            )
            for found in running.alerts()
        }

    # Alertmanager's inhibitor hears of alerts in its own time; too many or too few are for the tests to name.
    deadline = time.monotonic() + 10
    while (sum(judged().values()), len(judged())) != (expected, 2 * len(CASES)) and time.monotonic() < deadline:
        time.sleep(0.1)
    yield judged()
    running.stop()


@pytest.mark.parametrize("case", CASES)
def test_alerts_mute_what_follows_from_them_and_nothing_else(case: str, muted: dict[tuple[str, str], bool]) -> None:
    namespace = f"case-{list(CASES).index(case)}"
    source, target, expected = CASES[case]

    def is_muted(fired: dict[str, dict[str, str]]) -> bool:
        return muted[case, str(sorted((fired["labels"] | {"namespace": namespace}).items()))]

    assert (is_muted(source), is_muted(target)) == (False, expected)


def test_every_alert_named_in_a_rule_is_an_alert_of_the_chart() -> None:
    known = {found["name"] for path in ALERTS for found in yaml.safe_load(path.read_text())["alerts"]}
    named = {
        name for pair in PAIRS for side in pair[:2] for name in re.findall(r'alertname =~? "([\w|]+)"', " ".join(side))
    }
    named = {name for names in named for name in names.split("|")}
    assert (named - {"KubePodCrashLooping"}) | set(DOWN.split("|")) <= known
    objectives = {found["name"] for found in yaml.safe_load(SLOS.read_text())["slos"]}
    assert set(re.findall(r'slo = "(\w+)"', str(PAIRS))) <= objectives


def test_every_label_the_charts_alerts_are_counted_by_names_an_object() -> None:
    found = {
        label.strip()
        for path in ALERTS
        for entry in yaml.safe_load(path.read_text())["alerts"]
        for labels in re.findall(r"\bby \(([^)]*)\)", entry["expr"])
        for label in labels.split(",")
    }
    assert found - {"le"} <= set(OBJECT)
