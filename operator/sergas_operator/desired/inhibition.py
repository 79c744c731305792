"""Which alerts mute which. Nothing mutes info: the digest that tells of it disturbs no one and is to be
complete.
"""

from __future__ import annotations

from typing import Any

from sergas_operator.desired.matchers import matcher
from sergas_operator.model.spec import Spec

# Labels that name the object an alert is about. Alertmanager takes a label both lack for equal, so an alert
# on a whole service is not the same thing as one on a pod of it.
OBJECT = (
    *("namespace", "job", "service", "instance", "node", "pod", "container", "agent", "cache", "queue"),
    *("device", "mountpoint", "persistentvolumeclaim", "integration", "rule_group", "remote_name", "slo", "metric"),
    *("receiver", "reason"),
)


def _burns(slo: str) -> tuple[list[str], list[str]]:
    """What is muted of an objective's own alerts, and where the labels must agree."""
    names = 'alertname =~ "ErrorBudgetBurnFast|ErrorBudgetBurnSlow"'
    return [names, f'slo = "{slo}"', 'severity =~ "critical|warning"'], ["namespace"]


# Alerts that tell one thing under two names: the one that mutes, the one that is muted, and the labels in
# which they must agree.
PAIRS: tuple[tuple[list[str], list[str], list[str]], ...] = (
    # A budget that is burning fast is also burning slowly.
    (
        ['alertname = "ErrorBudgetBurnFast"'],
        ['alertname = "ErrorBudgetBurnSlow"', 'severity =~ "critical|warning"'],
        ["namespace", "slo"],
    ),
    # Errors and slowness of the API, and a sync that stands still, are what spends these budgets.
    (['alertname = "HighErrorRate"', 'severity = "critical"', 'job = "sergas-api"'], *_burns("apiAvailability")),
    (['alertname = "APILatencyCritical"', 'severity = "critical"'], *_burns("apiLatency")),
    (['alertname = "SyncFailing"', 'severity = "warning"'], *_burns("syncFreshness")),
    # Of the stack's alert on crash loops only what ours does not see is left: other namespaces, and other reasons.
    (
        ['alertname = "ContainerRestarting"', 'severity = "warning"'],
        ['alertname = "KubePodCrashLooping"', 'severity =~ "critical|warning"'],
        ["namespace", "pod", "container"],
    ),
    # A process that restarts is seen by its start time and by the kubelet that restarts its container.
    (
        ['alertname = "ServiceRestarting"', 'severity = "critical"'],
        ['alertname = "ContainerRestarting"', 'severity = "warning"'],
        ["namespace", "pod"],
    ),
)
DOWN = "ServiceDown|ServiceAbsent"
# ServiceDown has the label instance when it is about one pod, and none when no pod of the service answers.
# ServiceAbsent never has one: there is no target left.
NO_POD_ANSWERS = [f'alertname =~ "{DOWN}"', 'severity = "critical"', 'instance = ""']
ONE_POD_DOWN = ['alertname = "ServiceDown"', 'severity = "critical"', 'pod != ""']
URGENT = 'severity =~ "critical|warning"'


def inhibit_rules(spec: Spec) -> list[dict[str, Any]]:
    """The rules that are always there, then those of the spec."""
    return [
        _rule(['severity = "critical"'], ['severity = "warning"'], ["alertname", *OBJECT]),
        # Whatever else is wrong with a service follows from it when no pod of it answers, and so does each
        # pod that does not. One pod that is down explains the alerts on that pod alone.
        _rule(NO_POD_ANSWERS, [f'alertname !~ "{DOWN}"', URGENT, 'job != ""'], ["namespace", "job"]),
        _rule(NO_POD_ANSWERS, ['alertname = "ServiceDown"', URGENT, 'instance != ""'], ["namespace", "job"]),
        _rule(ONE_POD_DOWN, ['alertname != "ServiceDown"', URGENT, 'pod != ""'], ["namespace", "pod"]),
        *(_rule(source, target, equal) for source, target, equal in PAIRS),
        *(
            _rule([matcher(m) for m in rule.source_match], [matcher(m) for m in rule.target_match], list(rule.equal))
            for rule in spec.inhibit_rules
        ),
    ]


def _rule(source: list[str], target: list[str], equal: list[str]) -> dict[str, Any]:
    return {"source_matchers": source, "target_matchers": target, **({"equal": equal} if equal else {})}
