"""The dashboards as the chart ships them. The SDK that writes them is not imported here: it warns on import."""

import json

import pytest

from charts.helm import CHART

FOLDER = CHART / "dashboards"
FILES = sorted(FOLDER.glob("*.json"))


def parsed(file):
    return json.loads(file.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def dashboards():
    return {file.stem: parsed(file) for file in FILES}


def pytest_generate_tests(metafunc):
    if "shipped" in metafunc.fixturenames:
        metafunc.parametrize("shipped", [parsed(file) for file in FILES], ids=[file.stem for file in FILES])
    if "panel" in metafunc.fixturenames:
        pairs = [(file.stem, panel) for file in FILES for panel in parsed(file)["panels"] if panel["type"] != "row"]
        metafunc.parametrize("panel", [panel for _, panel in pairs], ids=[f"{d}: {p['title']}" for d, p in pairs])
