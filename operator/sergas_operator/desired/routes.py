"""The routing tree: which alerts go to which receivers, and how they are grouped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sergas_operator.desired import matchers
from sergas_operator.desired.receivers import HEARTBEAT
from sergas_operator.desired.recipients import digest_receivers, recipients
from sergas_operator.model.duration import to_seconds
from sergas_operator.model.spec import Heartbeat, Route, Severity, SeverityRouting, Spec

# The receiver that notifies nobody. Names in spec.receivers cannot begin with an underscore.
NOBODY = "_none"
# The receiver that delivers to the digest service.
DIGEST = "_digest"
# A reload rebuilds Alertmanager's groups. A first message that waited for the whole interval might never be sent.
INFO_WAIT = "5m"
# How long Alertmanager retries delivery to a digest that does not answer, and the longest delay with which the digest
# learns that an alert is resolved.
DIGEST_INTERVAL = "5m"
DIGEST_REPEAT = "1h"


def route_tree(spec: Spec) -> dict[str, Any]:
    """Alertmanager's `route`."""
    return {
        "receiver": NOBODY,
        "group_by": list(spec.routing.warning.group_by),
        "routes": [
            _watchdog_route(spec.heartbeat),
            # InfoInhibitor is a source of inhibition and not a notification.
            {"receiver": NOBODY, "matchers": ['alertname = "InfoInhibitor"']},
            *(_custom_route(route) for route in spec.routes),
            {"receiver": NOBODY, "matchers": ['severity = "none"']},
            _severity_route(spec, "critical", 'severity = "critical"', spec.routing.critical),
            _info_route(spec),
            # Last and without a matcher: an alert of an unknown severity is notified as a warning.
            _severity_route(spec, "warning", "", spec.routing.warning),
        ],
    }


def _watchdog_route(heartbeat: Heartbeat | None) -> dict[str, Any]:
    """Watchdog always fires: only the heartbeat receiver gets it."""
    matchers = ['alertname = "Watchdog"']
    if heartbeat is None:
        return {"receiver": NOBODY, "matchers": matchers}
    return {
        "receiver": HEARTBEAT,
        "matchers": matchers,
        "group_by": ["alertname"],
        "group_wait": "0s",
        "group_interval": heartbeat.interval,
        "repeat_interval": _every_tick(heartbeat.interval),
    }


def _every_tick(interval: str) -> str:
    """Return a repeat_interval that repeats a message at every group_interval.

    Alertmanager repeats at the first group_interval after repeat_interval. With equal intervals it can miss every
    second one; with half of it, it misses none.
    """
    seconds = to_seconds(interval)
    return f"{seconds // 2}s" if seconds > 1 else "500ms"


def _severity_route(spec: Spec, severity: Severity, matcher: str, routing: SeverityRouting) -> dict[str, Any]:
    return _fan_out(
        recipients(spec, severity),
        [matcher] if matcher else [],
        {
            "group_by": list(routing.group_by),
            "group_wait": routing.group_wait,
            "group_interval": routing.group_interval,
            "repeat_interval": routing.repeat_interval,
        },
    )


def _info_route(spec: Spec) -> dict[str, Any]:
    info, mailed = spec.routing.info, {receiver.name for receiver in digest_receivers(spec)}
    route = _fan_out(
        [name for name in recipients(spec, "info") if name not in mailed],
        ['severity = "info"'],
        {
            "group_by": ["severity"],
            "group_wait": min(INFO_WAIT, info.digest, key=to_seconds),
            "group_interval": info.digest,
            "repeat_interval": _every_tick(info.digest),
        },
    )
    if mailed:
        route["routes"] = [_digest_route(info.digest), *route.get("routes", [])]
    return route


def _digest_route(digest: str) -> dict[str, Any]:
    """Delivers every alert at once and alone: one that waited for others could end before it is delivered."""
    return {
        "receiver": DIGEST,
        "continue": True,
        "group_by": ["..."],
        "group_wait": "0s",
        "group_interval": min(DIGEST_INTERVAL, digest, key=to_seconds),
        "repeat_interval": DIGEST_REPEAT,
    }


def _custom_route(route: Route) -> dict[str, Any]:
    tree = _fan_out(
        route.receivers,
        [matchers.matcher(comparison) for comparison in route.matchers],
        {
            "group_by": list(route.group_by),
            "group_wait": route.group_wait,
            "group_interval": route.group_interval,
            "repeat_interval": route.repeat_interval,
        },
    )
    return tree | ({"continue": True} if route.continue_ else {})


def _fan_out(receivers: Sequence[str], matchers: list[str], timing: dict[str, Any]) -> dict[str, Any]:
    """One route that notifies every receiver, each with its own groups: a slow receiver delays no other."""
    # Below the root, an empty group_by means the parent's.
    timing = {name: value for name, value in timing.items() if value != []}
    tree: dict[str, Any] = {"receiver": NOBODY}
    if matchers:
        tree["matchers"] = matchers
    tree |= timing
    if receivers:
        tree["routes"] = [{"receiver": name, "continue": True} for name in receivers]
    return tree
