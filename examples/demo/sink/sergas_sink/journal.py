"""What has arrived, what was refused, and which faults are switched on."""

from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sergas_sink.message import KINDS, REMOTE_WRITE, Message, RefusedError

KEPT = 5000
"""Messages and refusals kept of each; older ones are dropped."""

TEXT_SHOWN = 24_000
"""Characters of a message's text that the journal keeps."""


@dataclass
class Fault:
    """An answer to give instead of accepting: `status` for the next `times` messages, or for all when None."""

    status: int
    times: int | None = None


class Journal:
    """Accepted messages and refusals, in order of arrival."""

    def __init__(self) -> None:
        self.faults: dict[str, Fault] = {}
        self.rejections: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._notifications: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._last = 0

    def accept(self, message: Message) -> None:
        """Keep a message under the next number."""
        row = asdict(message) | {"text": message.text[:TEXT_SHOWN]}
        self._notifications.append(self._stamp() | {name: value for name, value in row.items() if value})

    def refuse(self, kind: str, refusal: RefusedError) -> None:
        """Keep the reasons of a refusal; never the message, which may hold a key."""
        row = {"kind": kind, "status": refusal.status, "answer": refusal.answer, "reasons": list(refusal.reasons)}
        self.rejections.append(self._stamp() | row)

    def trip(self, kind: str) -> None:
        """Raise when a fault is switched on for the kind.

        Raises:
            RefusedError: With the fault's status.
        """
        fault = self.faults.get(kind)
        if fault is None:
            return
        if fault.times is not None:
            fault.times -= 1
            if fault.times <= 0:
                del self.faults[kind]
        raise RefusedError(fault.status, "fault switched on", f"a fault answers {kind} with {fault.status}")

    def notifications(self, after: int = 0, **wanted: str) -> Iterator[dict[str, Any]]:
        """Yield the messages numbered above `after` whose fields equal every non-empty value in `wanted`.

        `alert` matches any of a message's alerts, `to` any of its recipients.
        """
        within = {"alert": "alerts", "to": "to"}
        for row in self._notifications:
            if row["id"] > after and all(
                value in row.get(within[name], ()) if name in within else row.get(name) == value
                for name, value in wanted.items()
                if value
            ):
                yield row

    def clear(self) -> None:
        """Forget messages and refusals; numbers go on, and faults stay."""
        self._notifications.clear()
        self.rejections.clear()

    def _stamp(self) -> dict[str, Any]:
        self._last += 1
        return {"id": self._last, "time": datetime.now(UTC).isoformat(timespec="milliseconds")}


def fault_from(document: object, kind: str) -> Fault:
    """Read a fault from JSON such as `{"status": 503, "times": 2}`.

    Raises:
        RefusedError: 400 with what to send instead.
    """
    usage = 'send {"status": 400 to 599, "times": how many messages, or nothing for all}'
    breakable = (*KINDS, REMOTE_WRITE)
    if kind not in breakable:
        raise RefusedError(404, "unknown kind", f"{kind} is not one of {', '.join(breakable)}")
    if not isinstance(document, dict):
        raise RefusedError(400, "invalid fault", usage)
    status, times = document.get("status"), document.get("times")
    if not isinstance(status, int) or not 400 <= status <= 599:
        raise RefusedError(400, "invalid fault", usage)
    if times is not None and (not isinstance(times, int) or times < 1):
        raise RefusedError(400, "invalid fault", usage)
    return Fault(status, times)
