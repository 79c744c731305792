"""A stack that stands while a module's tests run, with its exporters where its plan has any."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from sergas_demo.kube import Kube
from sergas_demo.waiting import until

from drills import exporters, stack
from drills.stack import Plan, Stack


@contextmanager
def standing(kube: Kube, plan: Plan, images: Mapping[str, str], arguments: Callable[..., list[str]]) -> Iterator[Stack]:
    """Install it anew, and take it away at the end.

    E2E_KEEP=1 keeps it, and goes on with what an earlier such run kept: for a test that is being written.
    """
    keep = bool(os.environ.get("E2E_KEEP"))
    if not keep:
        _remove(kube, plan)
        until("The end of an earlier run", lambda: stack.gone(kube, plan), seconds=120)
    if plan.exporters:
        stack.make_namespaces(kube, plan)
        exporters.install(kube, plan.exporters, plan.namespace)
    found = stack.install(kube, plan, images, arguments)
    if plan.exporters:
        exporters.wait(found, plan.exporters)
    yield found
    if not keep:
        _remove(kube, plan)


def _remove(kube: Kube, plan: Plan) -> None:
    if plan.exporters:
        exporters.remove(kube, plan.exporters)
    stack.remove(kube, plan)
