"""The dashboards as the chart ships them. The SDK that writes them is not imported here: it warns on import."""

import json
from dataclasses import replace
from functools import cache

import pytest
import yaml

from charts.helm import CHART, rule_groups, template
from charts.known import known_series

FOLDER = CHART / "dashboards"
FILES = sorted(FOLDER.glob("*.json"))


@cache
def parsed(file):
    return json.loads(file.read_text(encoding="utf-8"))


def flat(dashboard):
    """Every panel that asks something, those in collapsed rows too, in the order in which a phone shows them."""
    for panel in dashboard["panels"]:
        if panel["type"] == "row":
            yield from panel.get("panels") or []
        else:
            yield panel


@pytest.fixture(scope="session")
def dashboards():
    return {file.stem: parsed(file) for file in FILES}


@pytest.fixture(scope="session")
def panels():
    """Give the panels of a dashboard."""
    return lambda dashboard: list(flat(dashboard))


@pytest.fixture(scope="session")
def every_panel():
    """(where, panel) of each. A test goes over them itself: a case for each would cost more than what it checks."""
    return [(f"{file.stem}: {panel['title']}", panel) for file in FILES for panel in flat(parsed(file))]


@pytest.fixture(scope="session")
def alerts():
    """Every alert of the chart, as its file has it."""
    files = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in sorted((CHART / "alerts").glob("*.yaml"))]
    return {alert["name"]: alert for file in files for alert in file["alerts"]}


@pytest.fixture(scope="session")
def groups():
    """Every rule group that the chart renders."""
    return rule_groups(template())


@pytest.fixture(scope="session")
def known(groups):
    """Every series there is, with the external label that a central store puts on it."""
    every = known_series(groups)
    return {name: replace(series, labels=series.labels | {"environment"}) for name, series in every.items()}


def pytest_generate_tests(metafunc):
    if "shipped" in metafunc.fixturenames:
        metafunc.parametrize("shipped", [parsed(file) for file in FILES], ids=[file.stem for file in FILES])
