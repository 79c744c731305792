"""A drill: an alert, the fault that is to raise it, and what came of it."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from drills.stack import Stack

Act = Callable[[Stack], None]


@dataclass(frozen=True)
class Fault:
    """Something that breaks.

    Attributes:
        says: What breaks, as the table shows it.
        begin: Breaks it.
        end: Mends it; None where nothing here can.
    """

    says: str
    begin: Act
    end: Act | None


@dataclass(frozen=True)
class Drill:
    """A fault and the alert it is to raise.

    Attributes:
        alert: The alert's name.
        severity: The level that is to fire.
        namespace: The alert's label `namespace`; empty for an alert that has none.
        fault: What breaks.
        needs: A query that must have a result before the fault begins: what the alert needs to have seen.
    """

    alert: str
    severity: str
    namespace: str
    fault: Fault
    needs: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells its alert from others."""
        return self.alert, self.namespace, self.severity

    @property
    def name(self) -> str:
        """As a test is called."""
        return f"{self.alert}-{self.severity}"


@dataclass
class Outcome:
    """What came of a drill; seconds are None where the moment did not come.

    Attributes:
        fired: Seconds from the fault to the alert firing in Prometheus.
        delivered: Seconds from the fault to the last of its receivers being told.
        receivers: Who was told that it fires.
        levels: The severities at which it fired.
        quiet: Seconds from the fault's end to the alert's.
        resolved: Seconds from the fault's end to the last receiver being told of it.
        error: What did not happen in time; empty when all did.
    """

    drill: Drill
    fired: float | None = None
    delivered: float | None = None
    receivers: list[str] = field(default_factory=list)
    levels: list[str] = field(default_factory=list)
    quiet: float | None = None
    resolved: float | None = None
    error: str = ""

    def row(self) -> dict[str, Any]:
        """As JSON keeps it."""
        drill = self.drill
        about = {"alert": drill.alert, "severity": drill.severity, "fault": drill.fault.says}
        return about | {name: value for name, value in asdict(self).items() if name != "drill"}
