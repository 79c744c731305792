"""Under load, with faults, and beside the real exporters, every panel of every dashboard has something to show."""

import json
import time
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import pytest
from drills.rooms import Room, application
from drills.stack import Plan
from drills.standing import standing
from sergas_demo.kube import Web
from sergas_demo.waiting import expect, until

from charts.panels import EVERYTHING, Asked, asked

NAMESPACE = "e2e-boards"
ROOM = "e2e-boards-app"
EXPORTERS = "e2e-boards-exporters"
TABLE = Path(__file__).parents[2] / "build" / "e2e" / "panels.json"
# Groups are read once in their interval, and rates need two samples.
FILLED_SECONDS = 420
CHOSEN_SECONDS = 120
SHOWN_SECONDS, STEP_SECONDS = 900, 15

PLAN = Plan(
    NAMESPACE,
    (
        Room(
            ROOM,
            api={"SERGAS_LOAD_RATE": "10", "SERGAS_MISHAPS": "0.05"},
            agents={"SERGAS_LOAD_RATE": "8", "SERGAS_MISHAPS": "0.2", "SERGAS_ACCOUNTS": "50"},
        ),
    ),
    {
        "probes.prober": f"sergas-prometheus-blackbox-exporter.{EXPORTERS}:9115",
        "probes.checks": [
            {
                "name": "tls",
                "module": "tls_connect",
                "targets": [f"tls.{EXPORTERS}.svc:8443"],
                "interval": "10s",
            }
        ],
    },
    exporters=EXPORTERS,
    alertmanagers=2,  # one alone has no cluster whose members could be counted
)
# The application sets its containers no limit of CPU, so there is no share of it and no throttling.
WITHOUT_A_LIMIT = {
    ("sergas-system-overview", "Container CPU (share of limit)"),
    ("sergas-system-overview", "Container CPU throttling"),
}
# These are about the API alone, so they show nothing when only the agents are chosen.
ABOUT_THE_API = {
    ("sergas-system-overview", "API latency"),
    ("sergas-system-overview", "API latency distribution"),
    ("sergas-system-overview", "API p95 (5 min)"),
    ("sergas-system-overview", "Requests in flight"),
    ("sergas-system-overview", "Stopped API traffic"),
}
EMPTY = {"sergas-api": WITHOUT_A_LIMIT, "sergas-agents": WITHOUT_A_LIMIT | ABOUT_THE_API}
# These are about whatever is scraped, and about errors of which not each kind is everywhere.
ABOUT_MORE = {"sergas-monitoring", "sergas-error-tracking"}
FAULTS = {"errors": 0.1, "refused": 0.1}
REFUSED_BY_ZOHO = {"zoho_rate_limit": True}


@pytest.fixture(scope="module")
def server(kube, images, exporter_images, install_arguments):
    """Prometheus, once everything that the dashboards are about runs and is watched."""
    with standing(kube, PLAN, images, install_arguments) as found:
        for component in ("api", "agents"):
            found.application(ROOM, component).switch_on(**FAULTS)
        found.application(ROOM, "api").switch_on(**REFUSED_BY_ZOHO)
        push_as_a_batch_job(kube)
        yield until("A Prometheus", found.server, seconds=60)


def push_as_a_batch_job(kube) -> None:
    """Leave a group in the Pushgateway. A push without metrics counts, and is what the panel on batch jobs reads."""
    gateway = kube.service(EXPORTERS, "sergas-prometheus-pushgateway", "http")
    assert gateway.send("POST", "/metrics/job/e2e-boards-batch").is_success


def series(server: Web, query: Asked) -> int:
    """How many series of a panel's query hold a number, over the last quarter of an hour where it is a graph."""
    if query.instant:
        found = server.json("/api/v1/query", query=query.expr)["data"]["result"]
        return sum(one["value"][1] != "NaN" for one in found)
    now = time.time()
    span = {"start": str(now - SHOWN_SECONDS), "end": str(now), "step": str(STEP_SECONDS)}
    found = server.json("/api/v1/query_range", query=query.expr, **span)["data"]["result"]
    return sum(any(value != "NaN" for _, value in one["values"]) for one in found)


def counts(server: Web, queries: Iterable[Asked]) -> dict[Asked, int]:
    return {query: series(server, query) for query in queries}


@pytest.fixture(scope="module")
def shown(server):
    """How many series each query of each panel has, once none has no series, or when it takes too long."""

    def look() -> dict[Asked, int]:
        found = counts(server, asked())
        keep(found)
        empty = [f"{query.dashboard}: {query.panel} ({query.letter})" for query, count in found.items() if not count]
        expect(not empty, f"{len(empty)} of {len(found)} show nothing: {'; '.join(empty)}")
        return found

    return until("Something to show in every panel", look, seconds=FILLED_SECONDS)


def keep(found: dict[Asked, int]) -> None:
    """Write how many series each query has to build/e2e/panels.json, for `make prove-dashboards`."""
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    rows = [{**asdict(query), "series": count} for query, count in found.items()]
    TABLE.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def test_no_panel_is_empty_when_everything_is_chosen(shown):
    assert all(shown.values())
    print(f"\n{len(shown)} queries of {len({(query.dashboard, query.panel) for query in shown})} panels: {TABLE}")


def test_no_panel_about_the_application_is_empty_when_its_namespace_service_and_agent_are_chosen(kube, server, shown):
    for service, expected in EMPTY.items():
        choice = EVERYTHING | {"namespace": ROOM, "service": f"({service}|no-such)", "agent": "(sync|memory)"}
        queries = [query for query in asked(choice) if query.dashboard not in ABOUT_MORE]

        def look(queries=queries, expected=expected) -> None:
            # Nobody else sends the agents requests, of which there must be two for a rate.
            application(kube, ROOM, "agents").switch_on(**FAULTS)
            found = counts(server, queries)
            empty = {(query.dashboard, query.panel) for query, count in found.items() if not count}
            expect(empty == expected, f"these show nothing: {sorted(empty)}")

        until(f"Something to show about {service}", look, seconds=CHOSEN_SECONDS)


def test_a_namespace_that_nobody_watches_gives_empty_panels_and_no_error(server, shown):
    choice = EVERYTHING | {"namespace": "no-such-namespace", "environment": "", "service": "", "agent": ""}
    found = counts(server, asked(choice))
    assert 0 in found.values()


def test_the_values_to_choose_from_are_there(server, shown):
    watched = 'namespace_job:sergas_target_up:max{job=~"sergas-(api|agents)"}'
    assert values(server, "namespace", watched) == {ROOM}
    assert values(server, "job", watched) == {"sergas-api", "sergas-agents"}
    agents = values(server, "agent", "namespace_agent:sergas_agent_task_attempts:rate5m")
    assert agents >= {"sync", "memory", "recommendation"}
    # An external label, which a Prometheus that is asked directly does not put on its series.
    assert values(server, "environment", watched) == set()


def values(server: Web, label: str, selector: str) -> set[str]:
    return set(server.json(f"/api/v1/label/{label}/values", **{"match[]": selector})["data"])
