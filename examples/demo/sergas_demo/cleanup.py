"""Take away what the demo made."""

import json
from collections.abc import Callable, Sequence

from sergas_demo.kube import CommandError, Kube, Object, path
from sergas_demo.manifests import MADE_BY
from sergas_demo.monitoring import API, PLURAL, where
from sergas_demo.ownership import DEMO, owned_namespaces, owns
from sergas_demo.places import DEMO_NAMESPACE, NAME, NAMESPACE, RELEASE
from sergas_demo.waiting import expect, until

OPERATOR_API = "monitoring.coreos.com/v1"
STACK_PODS = "app.kubernetes.io/managed-by=prometheus-operator"
# Ten minutes are a pod's own. Prometheus 3.5 takes a second, and once in a while it does not end at all when its
# Alertmanagers go in the same moment.
STOP_SECONDS = 30
OWN_KINDS = (("apps/v1", "deployments"), ("v1", "services"), ("v1", "secrets"))
"""What the demo applies in its namespaces."""
MADE_BY_KUBERNETES = ("events", "endpoints", "endpointslices")
"""Kinds that follow others, without naming an owner."""
DEFAULTS = ("ServiceAccount/default", "ConfigMap/kube-root-ca.crt")
"""What Kubernetes puts into each namespace."""


def remove(kube: Kube, say: Callable[[str], None]) -> None:
    """Delete what the demo created: the SergasMonitoring, the release, its objects, then the namespaces and the CRD.

    A namespace that it did not create is not touched, nor is the CRD. One that it created is kept when somebody else
    has put something there.
    """
    if owned_namespaces(kube, [NAMESPACE], DEMO):
        _remove_stack(kube, say)
    for namespace in (DEMO_NAMESPACE, NAMESPACE):
        _remove_namespace(kube, namespace, say)
    _remove_crd(kube, say)


def _remove_stack(kube: Kube, say: Callable[[str], None]) -> None:
    kube.delete(where(NAMESPACE, NAME))
    until("The end of the stack's pods", lambda: no_stack_pods(kube, NAMESPACE, NAME), seconds=120)
    try:
        kube.helm("uninstall", RELEASE, "--namespace", NAMESPACE, "--ignore-not-found", "--wait")
        say(f"uninstalled the release {RELEASE} in {NAMESPACE}")
    except CommandError as error:
        say(f"helm could not uninstall {RELEASE}: {error.said}")


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


def no_stack_pods(kube: Kube, namespace: str, name: str = "") -> None:
    """Return when no Prometheus and no Alertmanager pod is left, of one SergasMonitoring or of all.

    Raises:
        NotYet: While one is.
    """
    selector = f"{STACK_PODS},app.kubernetes.io/instance={name}" if name else STACK_PODS
    left = kube.items(path("v1", namespace, "pods"), labelSelector=selector)
    expect(not left, f"{', '.join(pod['metadata']['name'] for pod in left)} in {namespace} are stopping")


def _remove_namespace(kube: Kube, namespace: str, say: Callable[[str], None]) -> None:
    place = path("v1", "", "namespaces", namespace)
    found = kube.get(place)
    if found is None:
        return
    if not owns(found, DEMO):
        say(f"kept namespace {namespace}: the demo did not create it")
        return
    for api, plural in OWN_KINDS:
        kube.delete(path(api, namespace, plural), labelSelector=",".join(f"{k}={v}" for k, v in MADE_BY.items()))
    if others := foreign(kube, namespace):
        say(f"kept namespace {namespace}, which holds what the demo did not create: {', '.join(others)}")
        return
    kube.delete(place)
    until(
        f"The end of namespace {namespace}",
        lambda: expect(kube.get(place) is None, f"namespace {namespace} is being emptied"),
        seconds=120,
    )
    say(f"deleted namespace {namespace}")


def foreign(kube: Kube, namespace: str) -> list[str]:
    """What is in a namespace of the demo that neither the demo, its release, nor Kubernetes by itself created there.

    An object with an owner counts as its owner does, and one that is being deleted no longer counts.
    """
    every = kube.kubectl("api-resources", "--namespaced", "--verbs=list,delete", "--output=name").split()
    kinds = ",".join(kind for kind in every if kind.partition(".")[0] not in MADE_BY_KUBERNETES)
    listed = json.loads(kube.kubectl("get", kinds, "--namespace", namespace, "--output=json"))["items"]
    return sorted(f"{item['kind']} {item['metadata']['name']}" for item in listed if _is_foreign(item))


def _is_foreign(item: Object) -> bool:
    meta = item["metadata"]
    if meta.get("ownerReferences") or meta.get("deletionTimestamp"):
        return False
    labels = meta.get("labels") or {}
    ours = labels.get("app.kubernetes.io/part-of") == "sergas-monitoring" or MADE_BY.items() <= labels.items()
    return not ours and f"{item['kind']}/{meta['name']}" not in DEFAULTS


def _remove_crd(kube: Kube, say: Callable[[str], None]) -> None:
    name = f"{PLURAL}.{API.partition('/')[0]}"
    place = path("apiextensions.k8s.io/v1", "", "customresourcedefinitions", name)
    found = kube.get(place)
    if found is None:
        return
    if not owns(found, DEMO):
        say(f"kept the CRD {name}: the demo did not create it")
    elif others := kube.items(path(API, "", PLURAL)):
        say(f"kept the CRD {name}: {len(others)} SergasMonitoring still use it")
    else:
        kube.delete(place)
        say(f"deleted the CRD {name}")
