"""What became of an attempt to send a mail."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Outcome:
    """What an attempt to send a mail came to.

    Attributes:
        accepted: the recipients for whom the server accepted the mail.
        deferred: the recipients that were refused temporarily, with the server's reply.
        refused: the recipients that were refused permanently, with the server's reply.
        error: why the attempt as a whole failed, empty if it did not.
        certain: False if the server may have accepted the mail without the digest learning of it.
    """

    accepted: tuple[str, ...] = ()
    deferred: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    error: str = ""
    certain: bool = True
