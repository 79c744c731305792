"""Faults: how they are begun and ended."""

import threading
from contextlib import suppress
from typing import Any

import httpx
from sergas_demo import prometheus
from sergas_demo.kube import Kube, Object, Web, path
from sergas_demo.waiting import expect, until

from drills.drill import Fault
from drills.stack import Stack

CRASHES = 3
CRASH_SECONDS = 90
POST_SECONDS = 1.0
NOWHERE = "/etc/prometheus/no-such-ca.pem"


def switched(says: str, namespace: str, component: str, **faults: Any) -> Fault:
    """Faults of the application, by the names its README gives them."""
    off = {name: type(value)() for name, value in faults.items()}
    return Fault(
        says,
        lambda stack: stack.application(namespace, component).switch_on(**faults),
        lambda stack: stack.application(namespace, component).switch_on(**off),
    )


def burning(says: str, namespace: str, share: float, rate: float) -> Fault:
    """Tasks of agents that fail; afterwards many succeed, so that the share of failures falls in all windows."""

    def begin(stack: Stack) -> None:
        agents = stack.application(namespace, "agents")
        agents.switch_on(errors=share)
        agents.load(rate)

    def end(stack: Stack) -> None:
        agents = stack.application(namespace, "agents")
        agents.mend()
        agents.load(80)

    return Fault(says, begin, end)


def no_load(says: str, namespace: str, component: str, rate: float) -> Fault:
    """Requests or tasks that stop coming, and come again."""
    return Fault(
        says,
        lambda stack: stack.application(namespace, component).load(0),
        lambda stack: stack.application(namespace, component).load(rate),
    )


def frozen(says: str, namespace: str, component: str, seconds: float) -> Fault:
    """A process that answers nobody for a while, and then goes on by itself."""
    return Fault(
        says,
        lambda stack: stack.application(namespace, component).switch_on(freeze_seconds=seconds),
        lambda _: None,
    )


def crashing(says: str, namespace: str, component: str) -> Fault:
    """A process that ends as soon as it has come up, three times."""

    def begin(stack: Stack) -> None:
        for count in range(CRASHES):
            until("A crash", lambda: stack.application(namespace, component).switch_on(crash=True), seconds=60)
            until("A restart", lambda after=count: _restarted(stack, namespace, after), seconds=CRASH_SECONDS)

    return Fault(says, begin, lambda _: None)


def _restarted(stack: Stack, namespace: str, before: int) -> None:
    """Raise NotYet until Prometheus has seen one more start than before."""
    query = f'max(changes(process_start_time_seconds{{namespace="{namespace}"}}[5m]))'
    seen = prometheus.value(stack.server(), query) or 0
    expect(seen > before, f"{seen:g} restarts are seen")


def scaled_away(says: str, namespace: str, deployment: str) -> Fault:
    """A Deployment without replicas."""
    place = path("apps/v1", namespace, "deployments", deployment)
    return Fault(
        says,
        lambda stack: _patch(stack, place, {"spec": {"replicas": 0}}),
        lambda stack: _patch(stack, place, {"spec": {"replicas": 1}}),
    )


def bad_release(says: str, namespace: str, component: str) -> Fault:
    """A release whose process ends at its start; the one before it goes on, as a rollout has it."""

    def role(value: str) -> Any:
        def act(stack: Stack) -> None:
            set_environment(stack.kube, namespace, f"sergas-{component}", "SERGAS_ROLE", value)

        return act

    return Fault(says, role("no-such-role"), role(component))


def set_environment(kube: Kube, namespace: str, deployment: str, name: str, value: str) -> None:
    """Change one variable of a Deployment's container."""
    place = path("apps/v1", namespace, "deployments", deployment)
    [container] = (kube.get(place) or {})["spec"]["template"]["spec"]["containers"]
    others = [one for one in container["env"] if one["name"] != name]
    changed = container | {"env": [*others, {"name": name, "value": value}]}
    kube.patch(place, {"spec": {"template": {"spec": {"containers": [changed]}}}})


def forgotten(says: str, namespace: str, component: str, rate: float) -> Fault:
    """A process that starts again and has nothing to do: what it counts by label has no series any more."""

    def begin(stack: Stack) -> None:
        set_environment(stack.kube, namespace, f"sergas-{component}", "SERGAS_LOAD_RATE", "0")

    return Fault(says, begin, lambda stack: stack.application(namespace, component).load(rate))


def without(says: str, item: Object) -> Fault:
    """An object that is gone."""
    meta = item["metadata"]
    place = path(item["apiVersion"], meta["namespace"], f"{item['kind'].lower()}s", meta["name"])
    return Fault(says, lambda stack: _delete(stack, place), lambda stack: _apply(stack, item))


def added(says: str, item: Object) -> Fault:
    """An object that should not be there."""
    meta = item["metadata"]
    place = path(item["apiVersion"], meta["namespace"], f"{item['kind'].lower()}s", meta["name"])
    return Fault(says, lambda stack: _apply(stack, item), lambda stack: _delete(stack, place))


def changed(says: str, good: Object, bad: Object) -> Fault:
    """An object that somebody changed for the worse."""
    return Fault(says, lambda stack: _apply(stack, bad), lambda stack: _apply(stack, good))


def far_end_refuses(says: str, namespace: str, kind: str, status: int) -> Fault:
    """A far end that answers one kind of message with an error."""
    return Fault(
        says,
        lambda stack: _far_end(stack, namespace, "PUT", kind, {"status": status}),
        lambda stack: _far_end(stack, namespace, "DELETE", kind, None),
    )


def posted_without_token(says: str, namespace: str, digest: str) -> Fault:
    """Valid requests to a digest that lack only the bearer token, one every POST_SECONDS.

    Args:
        says: As of every fault.
        namespace: Of the digest's Service.
        digest: Name of that Service.
    """
    ended = threading.Event()

    def post(web: Web) -> None:
        while not ended.wait(POST_SECONDS):
            # The digest answers 401. That it counts each such request is for the alert to show.
            with suppress(httpx.HTTPError):
                web.send("POST", "/alerts", {"alerts": []})

    def begin(stack: Stack) -> None:
        ended.clear()
        web = stack.kube.service(namespace, digest, "http-web")
        threading.Thread(target=post, args=(web,), name="posts without a token", daemon=True).start()

    return Fault(says, begin, lambda _: ended.set())


def reads_forbidden(says: str, namespace: str, group: str) -> Fault:
    """The operator's Role in a namespace without its rules for one API group, so that every reconcile fails."""
    place = path("rbac.authorization.k8s.io/v1", namespace, "roles", "sergas-operator")
    before: list[Object] = []

    def begin(stack: Stack) -> None:
        before.extend((stack.kube.get(place) or {})["rules"])
        _patch(stack, place, {"rules": [rule for rule in before if group not in rule["apiGroups"]]})

    return Fault(says, begin, lambda stack: _patch(stack, place, {"rules": before}))


def always(says: str) -> Fault:
    """What is so from the start and does not end here."""
    return Fault(says, lambda _: None, None)


def _patch(stack: Stack, place: str, change: Object) -> None:
    stack.kube.patch(place, change)


def _delete(stack: Stack, place: str) -> None:
    stack.kube.delete(place)


def _apply(stack: Stack, item: Object) -> None:
    stack.kube.apply(item)


def _far_end(stack: Stack, namespace: str, method: str, kind: str, body: object) -> None:
    stack.kube.service(namespace, "sink", "http").send(method, f"/faults/{kind}", body)
