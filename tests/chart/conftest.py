"""The chart as Helm renders it, for whoever asks."""

from collections import Counter

import pytest

from charts.helm import objects, template

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
