"""What the running operator knows, with a cluster that answers one object."""

from __future__ import annotations

from typing import Any

import pytest

from sergas_operator import handlers, metrics
from sergas_operator.handlers import Operator
from sergas_operator.reconcile import Outcome
from sergas_operator.settings import Settings

KEY = ("monitoring", "main")
BODY: dict[str, Any] = {
    "metadata": {"namespace": "monitoring", "name": "main", "uid": "u-1", "generation": 3},
    "spec": {},
}


class OneObject:
    """A cluster in which there is one SergasMonitoring, or none."""

    def __init__(self) -> None:
        self.body: dict[str, Any] | None = BODY

    async def get(self, *_: str, **__: bool) -> dict[str, Any] | None:
        return self.body

    def observe(self, *_: Any) -> bool:
        return True


@pytest.fixture
def operator(monkeypatch: pytest.MonkeyPatch) -> Operator:
    async def reconcile(*_: Any, live: bool) -> Outcome:
        return Outcome()

    monkeypatch.setattr(handlers, "reconcile", reconcile)
    metrics.MONITORINGS.set(0)
    made = Operator(Settings(namespaces=("monitoring",)))
    monkeypatch.setattr(made, "_cluster", OneObject())
    return made


def known() -> float:
    return metrics.MONITORINGS._value.get()


async def test_an_object_that_the_resync_finds_first_counts_though_its_watch_event_is_no_news(
    operator: Operator,
) -> None:
    await operator.pass_over(KEY, False)
    assert known() == 1
    operator.monitoring_event("ADDED", BODY)
    assert known() == 1


async def test_an_object_that_is_gone_counts_no_more(operator: Operator) -> None:
    await operator.pass_over(KEY, False)
    operator.cluster.body = None  # type: ignore[attr-defined]  # the stand-in's
    await operator.pass_over(KEY, True)
    assert known() == 0
