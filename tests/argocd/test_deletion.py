"""Applications deleted in either order leave nothing stuck, and nothing behind but the CRDs."""

import pytest
from applications import ALL, CHART, CRDS, MONITORING, ROOT, root, where
from foreign import Foreign
from scene import CRD, MONITORING_NAMESPACE, NAME
from sergas_demo.cleanup import no_stack_pods
from sergas_demo.kube import path
from sergas_demo.waiting import expect, until

CLUSTER_ROLE = path("rbac.authorization.k8s.io/v1", "", "clusterroles", "monitoring-sergas-prometheus")


def install(scene):
    """Everything running, whatever the test before it left."""
    if not (scene.user.folder / "monitoring").exists():
        scene.commit("Run")
    scene.kube.apply(*scene.shipped())
    scene.applications.wait_synced("", *ALL)
    scene.secrets()
    scene.ready()
    scene.applications.wait_healthy(*ALL)


def delete(scene, name, seconds=90):
    """Delete an Application and wait until Argo CD has let it go."""
    scene.kube.delete(where(name))
    until(f"The end of {name}", lambda: expect(not scene.kube.get(where(name)), "it is still there"), seconds=seconds)


def wait_empty(scene):
    """Return when nothing is left of the stack and the chart, volumes included: the test's are not to be retained."""

    def look():
        left = scene.left()
        expect(not left, f"left: {', '.join(sorted(left))}")
        no_stack_pods(scene.kube, MONITORING_NAMESPACE, NAME)
        expect(not scene.kube.get(CLUSTER_ROLE), "the ClusterRole is left")

    until("The end of all that was deployed", look, seconds=120)


@pytest.mark.parametrize(
    "order", [(MONITORING, CHART, CRDS), (CHART, MONITORING, CRDS)], ids=["cr-first", "chart-first"]
)
def test_applications_deleted_one_after_another_leave_the_crds_and_what_is_somebody_elses(scene, order):
    install(scene)
    guests = Foreign(scene.kube, MONITORING_NAMESPACE)
    guests.create()
    with scene.ledger.event(f"Applications deleted: {', '.join(order)}") as event:
        for name in order:
            delete(scene, name)
        wait_empty(scene)
        event.mark("all gone after")
    assert scene.kube.get(CRD)
    guests.unharmed()
    guests.remove()


def test_an_application_of_applications_installs_in_order_and_deletes_all(scene):
    files = scene.shipped()
    scene.user.write("argocd/sergas.yaml", *files)
    scene.user.commit("Applications in git")
    with scene.ledger.event("from nothing, by one Application of Applications") as event:
        scene.kube.apply(root(scene.product, scene.user))
        scene.secrets()
        scene.applications.wait_synced("", *ALL)
        event.mark("Synced")
        scene.ready()
        scene.applications.wait_healthy(*ALL, ROOT)
        event.mark("Healthy")
    began = {name: scene.applications.read(name)["metadata"]["creationTimestamp"] for name in ALL}
    assert began[CRDS] <= began[CHART] <= began[MONITORING]
    with scene.ledger.event("the Application of Applications deleted") as event:
        delete(scene, ROOT, seconds=150)
        wait_empty(scene)
        event.mark("all gone after")
    left = [name for name in ALL if scene.kube.get(where(name))]
    assert not left
    assert scene.kube.get(CRD)
