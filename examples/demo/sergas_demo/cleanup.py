"""Take away what the demo made."""

from collections.abc import Callable, Sequence

from sergas_demo.kube import CommandError, Kube, path
from sergas_demo.manifests import MADE_BY
from sergas_demo.monitoring import API, PLURAL, where
from sergas_demo.places import CRD, DEMO_NAMESPACE, NAME, NAMESPACE, RELEASE, here
from sergas_demo.waiting import expect, until

OPERATOR_API = "monitoring.coreos.com/v1"
STACK_PODS = "app.kubernetes.io/managed-by=prometheus-operator"
# Ten minutes are a pod's own. Prometheus 3.5 takes a second, and once in a while it does not end at all when its
# Alertmanagers go in the same moment.
STOP_SECONDS = 30


def remove(kube: Kube, say: Callable[[str], None]) -> None:
    """Delete the SergasMonitoring, the release, the namespaces the demo made, and the CRD if nobody else uses it."""
    kube.delete(where(NAMESPACE, NAME))
    until("The end of the stack's pods", lambda: no_stack_pods(kube, NAMESPACE), seconds=120)
    try:
        kube.helm("uninstall", RELEASE, "--namespace", NAMESPACE, "--ignore-not-found", "--wait")
        say(f"uninstalled the release {RELEASE} in {NAMESPACE}")
    except CommandError as error:
        say(f"helm could not uninstall {RELEASE}: {error.said}")
    for namespace in (DEMO_NAMESPACE, NAMESPACE):
        _remove_namespace(kube, namespace, say)
    _remove_crd(kube, say)


def stop_stacks(kube: Kube, namespaces: Sequence[str]) -> None:
    """Delete every stack in some namespaces and wait until its pods are gone, so that the namespaces can be deleted.

    A namespace that is deleted with a Prometheus in it waits five minutes, half of the ten that the pod could take to
    stop, before it looks again whether the pod has.
    """
    for namespace in namespaces:
        for api, plural in ((API, PLURAL), (OPERATOR_API, "prometheuses"), (OPERATOR_API, "alertmanagers")):
            kube.delete(path(api, namespace, plural))
    for namespace in namespaces:
        until(f"The end of the pods in {namespace}", lambda where=namespace: _stopped(kube, where), seconds=120)


def _stopped(kube: Kube, namespace: str) -> None:
    kube.delete(path("v1", namespace, "pods"), labelSelector=STACK_PODS, gracePeriodSeconds=STOP_SECONDS)
    no_stack_pods(kube, namespace)


def no_stack_pods(kube: Kube, namespace: str) -> None:
    """Return when no Prometheus and no Alertmanager pod is left.

    Raises:
        NotYet: While one is.
    """
    left = kube.items(path("v1", namespace, "pods"), labelSelector=STACK_PODS)
    expect(not left, f"{', '.join(pod['metadata']['name'] for pod in left)} in {namespace} are stopping")


def _remove_namespace(kube: Kube, namespace: str, say: Callable[[str], None]) -> None:
    place = path("v1", "", "namespaces", namespace)
    found = kube.get(place)
    if found is None:
        return
    if not MADE_BY.items() <= (found["metadata"].get("labels") or {}).items():
        say(f"kept namespace {namespace}: the demo did not make it")
        return
    kube.delete(place)
    until(
        f"The end of namespace {namespace}",
        lambda: expect(kube.get(place) is None, f"namespace {namespace} is being emptied"),
        seconds=120,
    )
    say(f"deleted namespace {namespace}")


def _remove_crd(kube: Kube, say: Callable[[str], None]) -> None:
    others = kube.items(path(API, "", PLURAL))
    if others:
        say(f"kept the CRD {PLURAL}.monitoring.sergas.com: {len(others)} SergasMonitoring still use it")
        return
    kube.kubectl("delete", "--ignore-not-found", "-f", str(CRD))
    say(f"deleted the CRD of {here(CRD)}")
