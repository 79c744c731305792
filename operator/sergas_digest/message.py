"""The message of a digest: headers and the two bodies, as the bytes that are sent."""

from __future__ import annotations

import uuid
from email import policy
from email.message import EmailMessage
from email.utils import formatdate

from sergas_digest import rendering
from sergas_digest.config import MailReceiver


def build(receiver: MailReceiver, digest: rendering.Digest, now: float) -> tuple[str, bytes]:
    """The Message-ID and the message for a receiver. `now` is its date, in Unix seconds."""
    message = EmailMessage(policy=policy.SMTP if _ascii(receiver) else policy.SMTPUTF8)
    message_id = f"<digest.{uuid.uuid4().hex}@{receiver.sender.rpartition('@')[2]}>"
    message["Subject"] = digest.subject
    message["From"] = receiver.sender
    message["To"] = ", ".join(receiver.to)
    message["Date"] = formatdate(now)
    message["Message-ID"] = message_id
    message["Auto-Submitted"] = "auto-generated"
    # Quoted-printable has short lines of ASCII, which every server takes.
    message.set_content(rendering.text(digest), cte="quoted-printable")
    message.add_alternative(rendering.html(digest), subtype="html", cte="quoted-printable")
    return message_id, message.as_bytes()


def _ascii(receiver: MailReceiver) -> bool:
    return all(address.isascii() for address in (receiver.sender, *receiver.to))
