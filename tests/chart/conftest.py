"""The chart as Helm renders it, for whoever asks."""

from collections import Counter

import pytest
import yaml

from charts.helm import objects, template
from charts.real import chart_with_dependencies
from charts.rendered import Rendered
from tests.chart.small_charts import TEMPLATES, write_archives

BRING_YOUR_OWN = "kube-prometheus-stack.enabled=false"


@pytest.fixture(scope="session")
def rendered():
    """Objects of the chart for given settings, rendered once for each."""
    known = {}

    def render(*settings):
        if settings not in known:
            known[settings] = objects(template(settings=settings))
        return known[settings]

    return render


@pytest.fixture(scope="session")
def default(rendered):
    return rendered()


@pytest.fixture(scope="session")
def bring_your_own(rendered):
    return rendered(BRING_YOUR_OWN)


@pytest.fixture(scope="session")
def identities():
    """(kind, namespace, name) of objects, with how often each occurs."""
    return lambda items: Counter(
        (item["kind"], item["metadata"].get("namespace"), item["metadata"]["name"]) for item in items
    )


@pytest.fixture
def case(tmp_path):
    """An example with values of one's own and a stack with other templates, none of them the real one."""

    def make(templates=None, **values):
        file = tmp_path / "example.yaml"
        file.write_text(yaml.safe_dump(values))
        archives = write_archives(tmp_path, TEMPLATES | (templates or {}))
        return Rendered(chart_with_dependencies(archives, [file]), file)

    return make
