"""Errors with a message that names the object and says what to do."""

from __future__ import annotations


class OperatorError(Exception):
    """The base of every error this operator raises on purpose. Its text is fit for a condition message."""

    reason = "ReconcileFailed"


class SpecError(OperatorError):
    """A SergasMonitoring has a field or a value that this operator does not know.

    The API server refuses such resources. One that is stored was admitted by another version of the CRD.
    """

    reason = "SpecNotUnderstood"

    def __init__(self, field: str, advice: str) -> None:
        super().__init__(f"{field}: {advice}")
        self.field = field


class NameTakenError(OperatorError):
    """An object has a child's name and does not belong to this SergasMonitoring."""

    reason = "NameTaken"

    def __init__(self, kind: str, namespace: str, name: str) -> None:
        super().__init__(
            f"{kind} {namespace}/{name} exists and does not belong to this SergasMonitoring: "
            f"delete it, or give the SergasMonitoring another name"
        )


class GarbageCollectionError(OperatorError):
    """A child that is being deleted, or whose SergasMonitoring was deleted, still exists."""

    reason = "WaitingForGarbageCollection"

    def __init__(
        self, kind: str, namespace: str, name: str, why: str = "belongs to a deleted SergasMonitoring of this name"
    ) -> None:
        super().__init__(f"{kind} {namespace}/{name} {why}: it is created again as soon as Kubernetes has removed it")


class ApiError(OperatorError):
    """The API server refused a request or did not answer.

    `status` is the HTTP status, 0 when there was no answer.
    """

    reason = "ApiServerRefused"

    def __init__(self, status: int, doing: str, detail: str) -> None:
        super().__init__(f"{doing}: {detail}")
        self.status = status


class InternalError(OperatorError):
    """A defect of the operator. The message has no details, which could hold a secret value; the log has them."""

    reason = "InternalError"

    def __init__(self, error: Exception) -> None:
        super().__init__(
            f"the reconcile failed with {type(error).__name__}: see the operator's log and report it as a bug"
        )
