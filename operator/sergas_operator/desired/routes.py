"""The tree of routes: which alert goes to whom, and what shares a message."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sergas_operator.desired.matchers import matcher
from sergas_operator.duration import to_seconds
from sergas_operator.hearers import digest_receivers, hearers
from sergas_operator.receivers import HEARTBEAT
from sergas_operator.spec import Heartbeat, Route, Severity, SeverityRouting, Spec

# Tells no one. A user's receiver cannot begin with an underscore.
NO_ONE = "_none"
# The digest service.
DIGEST = "_digest"
# Reloads rebuild Alertmanager's groups, so a message that waited the whole interval for the first time
# might never be sent.
INFO_WAIT = "5m"
# How long Alertmanager goes on handing an alert to a digest that does not answer, and how late the digest
# may hear of an alert's end.
FEED_INTERVAL = "5m"
FEED_REPEAT = "1h"


def route_tree(spec: Spec) -> dict[str, Any]:
    """Alertmanager's `route`."""
    return {
        "receiver": NO_ONE,
        "group_by": list(spec.routing.warning.group_by),
        "routes": [
            _watchdog_route(spec.heartbeat),
            # It fires as a source of inhibition for those who want it, and is not for people.
            {"receiver": NO_ONE, "matchers": ['alertname = "InfoInhibitor"']},
            *(_custom_route(route) for route in spec.routes),
            {"receiver": NO_ONE, "matchers": ['severity = "none"']},
            _severity_route(spec, "critical", 'severity = "critical"', spec.routing.critical),
            _info_route(spec),
            # Last and without a matcher: an alert of an unknown severity is better told as a warning than
            # lost.
            _severity_route(spec, "warning", "", spec.routing.warning),
        ],
    }


def _watchdog_route(heartbeat: Heartbeat | None) -> dict[str, Any]:
    """Watchdog always fires: it is for the heartbeat receiver alone, and a name of its own keeps custom routes
    from it.
    """
    matchers = ['alertname = "Watchdog"']
    if heartbeat is None:
        return {"receiver": NO_ONE, "matchers": matchers}
    return {
        "receiver": HEARTBEAT,
        "matchers": matchers,
        "group_by": ["alertname"],
        "group_wait": "0s",
        "group_interval": heartbeat.interval,
        "repeat_interval": _every_tick(heartbeat.interval),
    }


def _every_tick(interval: str) -> str:
    """A repeat_interval for a message at every tick of group_interval: Alertmanager repeats at the first tick
    after it, so one as long as the tick itself would be missed by a hair every other time; half of it never is.
    """
    seconds = to_seconds(interval)
    return f"{seconds // 2}s" if seconds > 1 else "500ms"


def _severity_route(spec: Spec, severity: Severity, wanted: str, routing: SeverityRouting) -> dict[str, Any]:
    return _fan_out(
        hearers(spec, severity),
        [wanted] if wanted else [],
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
        [name for name in hearers(spec, "info") if name not in mailed],
        ['severity = "info"'],
        {
            "group_by": ["severity"],
            "group_wait": min(INFO_WAIT, info.digest, key=to_seconds),
            "group_interval": info.digest,
            "repeat_interval": _every_tick(info.digest),
        },
    )
    if mailed:
        route["routes"] = [_feed(info.digest), *route.get("routes", [])]
    return route


def _feed(digest: str) -> dict[str, Any]:
    """Every alert at once and by itself: one that waited for others could end before anyone was told of it."""
    return {
        "receiver": DIGEST,
        "continue": True,
        "group_by": ["..."],
        "group_wait": "0s",
        "group_interval": min(FEED_INTERVAL, digest, key=to_seconds),
        "repeat_interval": FEED_REPEAT,
    }


def _custom_route(route: Route) -> dict[str, Any]:
    tree = _fan_out(
        route.receivers,
        [matcher(comparison) for comparison in route.matchers],
        {
            "group_by": list(route.group_by),
            "group_wait": route.group_wait,
            "group_interval": route.group_interval,
            "repeat_interval": route.repeat_interval,
        },
    )
    return tree | ({"continue": True} if route.continue_ else {})


def _fan_out(receivers: Sequence[str], matchers: list[str], timing: dict[str, Any]) -> dict[str, Any]:
    """One route that tells every receiver; each has groups of its own, so that a slow one holds up no
    other.
    """
    # An empty list would group everything into one message only at the top: elsewhere it means the parent's.
    timing = {name: value for name, value in timing.items() if value != []}
    tree: dict[str, Any] = {"receiver": NO_ONE}
    if matchers:
        tree["matchers"] = matchers
    tree |= timing
    if receivers:
        tree["routes"] = [{"receiver": name, "continue": True} for name in receivers]
    return tree
