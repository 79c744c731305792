"""What can go wrong, each with a sentence that names the object and says what to do."""

from __future__ import annotations


class OperatorError(Exception):
    """The base of every error this operator raises on purpose. Its text is fit for a condition message."""

    reason = "ReconcileFailed"


class SpecError(OperatorError):
    """A SergasMonitoring holds something this operator does not know.

    The API server refuses such objects; one that gets here was admitted by another version of the CRD.
    """

    reason = "SpecNotUnderstood"

    def __init__(self, field: str, advice: str) -> None:
        super().__init__(f"{field}: {advice}")
        self.field = field


class NameTakenError(OperatorError):
    """An object already has a child's name and was not made by this operator."""

    reason = "NameTaken"

    def __init__(self, kind: str, namespace: str, name: str) -> None:
        super().__init__(
            f"{kind} {namespace}/{name} exists and was not made by this operator: "
            f"delete it, or give the SergasMonitoring another name"
        )


class ApiError(OperatorError):
    """The API server refused a request or could not be reached.

    `status` is the HTTP status, 0 when there was no answer.
    """

    reason = "ApiServerRefused"

    def __init__(self, status: int, doing: str, detail: str) -> None:
        super().__init__(f"{doing}: {detail}")
        self.status = status
