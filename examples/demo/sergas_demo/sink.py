"""Ask the sink what arrived."""

from typing import Any

from sergas_demo.kube import Kube
from sergas_demo.waiting import NotYet, expect

KINDS = ("slack", "pagerduty", "email", "webhook")
Notification = dict[str, Any]


class Sink:
    """The receivers' far end, in a namespace of the cluster."""

    def __init__(self, kube: Kube, namespace: str) -> None:
        self._web = kube.service(namespace, "sink", "http")

    def notifications(self, **wanted: str) -> list[Notification]:
        """What arrived, oldest first; `after`, `kind`, `status`, `alert`, `via`, `key` and `to` narrow it."""
        found: list[Notification] = self._web.json("/notifications", **wanted)
        return found

    def mark(self) -> str:
        """The number of the last thing that happened; pass it as `after` to see only what follows."""
        happened = [*self.notifications(), *self._web.json("/rejections")]
        return str(max((row["id"] for row in happened), default=0))

    def rejections(self, after: str = "0") -> list[Notification]:
        """What was refused, and why."""
        return [row for row in self._web.json("/rejections") if row["id"] > int(after)]

    def fault(self, kind: str, status: int) -> None:
        """Answer every message of a kind with an error."""
        self._web.send("PUT", f"/faults/{kind}", {"status": status})

    def clear_faults(self) -> None:
        """Accept everything again."""
        self._web.send("DELETE", "/faults")

    def arrived(self, alert: str, status: str, after: str) -> dict[str, Notification]:
        """The first message about an alert at each receiver kind, once all of them have one.

        Raises:
            NotYet: While one is missing; names those that have it, those that have not, and what was refused.
        """
        rows = self.notifications(after=after, alert=alert, status=status)
        first: dict[str, Notification] = {}
        for row in rows:
            first.setdefault(row["kind"], row)
        there = [kind for kind in KINDS if kind in first]
        missing = [kind for kind in KINDS if kind not in first]
        refused = "; ".join(sorted({f"{row['kind']}: {row['reasons'][0]}" for row in self.rejections(after)}))
        expect(
            not missing,
            f"{status} {alert} is at {', '.join(there) or 'none'}, not yet at {', '.join(missing)}"
            + (f" (refused: {refused})" if refused else ""),
        )
        return first


def one(rows: list[Notification], what: str) -> Notification:
    """The first of some notifications.

    Raises:
        NotYet: When there is none.
    """
    if not rows:
        raise NotYet(f"no {what} has arrived")
    return rows[0]
