"""On a cluster that is somebody's own, demo, suite and demo-down leave alone what they did not create."""

import sys

from commands import run
from foreign import Foreign
from sergas_demo.kube import path
from sergas_demo.places import DEMO_NAMESPACE, NAMESPACE

DEMO = [sys.executable, "examples/demo"]
SUITE = [sys.executable, "-m", "pytest", "-q", "-m", "e2e", "-p", "no:cacheprovider"]
SUBSET = ["tests/e2e/test_refusals.py", "tests/e2e/test_deletion.py", "tests/e2e/test_guides.py"]
CRD = path("apiextensions.k8s.io/v1", "", "customresourcedefinitions", "sergasmonitorings.monitoring.sergas.com")


def there(kube, name):
    return kube.get(path("v1", "", "namespaces", name)) is not None


def test_the_demo_leaves_a_foreign_namespace_monitoring_as_it_was(foreign, environment, kube):
    assert "The demo took" in run(DEMO, environment)
    assert there(kube, NAMESPACE)
    foreign.unharmed()


def test_demo_down_keeps_its_namespace_while_somebody_elses_objects_are_in_it(foreign, environment, kube):
    guests = Foreign(kube, NAMESPACE)
    guests.create()
    said = run([*DEMO, "down"], environment)
    assert f"kept namespace {NAMESPACE}, which holds what the demo did not create: " in said
    for kind in ("Deployment", "PersistentVolumeClaim", "Prometheus", "Secret"):
        assert f"{kind} theirs" in said
    assert not there(kube, DEMO_NAMESPACE)
    guests.unharmed()
    foreign.unharmed()
    guests.remove()


def test_demo_down_deletes_what_the_demo_created(foreign, environment, kube):
    said = run([*DEMO, "down"], environment)
    assert f"deleted namespace {NAMESPACE}" in said
    assert not there(kube, NAMESPACE)
    foreign.unharmed()


def test_demo_refuses_a_namespace_of_its_name_that_somebody_else_created(foreign, environment, kube):
    kube.create(path("v1", "", "namespaces"), {"metadata": {"name": DEMO_NAMESPACE, "labels": {"team": "sales"}}})
    before = kube.get(path("v1", "", "namespaces", DEMO_NAMESPACE))
    try:
        done = run(["bash", "-c", f"! {sys.executable} examples/demo"], environment)
        assert f"The namespace {DEMO_NAMESPACE} exists and was not created by sergas-demo" in done
        down = run([*DEMO, "down"], environment)
        assert f"kept namespace {DEMO_NAMESPACE}: the demo did not create it" in down
        after = kube.get(path("v1", "", "namespaces", DEMO_NAMESPACE))
        assert after["metadata"] == before["metadata"]
    finally:
        kube.delete(path("v1", "", "namespaces", DEMO_NAMESPACE))


def test_the_suite_leaves_a_foreign_namespace_monitoring_as_it_was(foreign, environment):
    said = run([*SUITE, *SUBSET], environment)
    assert " passed" in said
    foreign.unharmed()
