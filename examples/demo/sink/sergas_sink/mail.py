"""The mail Alertmanager sends, as it comes off the wire."""

import html
import re
from collections.abc import Sequence
from email import message_from_bytes, policy
from email.message import EmailMessage

from sergas_sink.message import Message, RefusedError, alerts_in, status_in

_TAG = re.compile(r"<(?:style|head)\b.*?</(?:style|head)>|<[^>]+>", re.DOTALL | re.IGNORECASE)
_BLANKS = re.compile(r"\s*\n\s*")


def read(content: bytes, sender: str, recipients: Sequence[str]) -> Message:
    """Read one message with its envelope.

    Raises:
        RefusedError: 554 where a header that RFC 5322 or a mail reader needs is missing.
    """
    mail = message_from_bytes(content, policy=policy.default)
    absent = [f"the {name} header is missing" for name in ("From", "To", "Subject", "Date") if not mail[name]]
    if absent:
        raise RefusedError(554, "5.6.0 message refused", *absent)
    subject, text = str(mail["Subject"]), _text(mail)
    return Message(
        kind="email",
        status=status_in(subject),
        subject=subject,
        text=text,
        alerts=alerts_in(subject, text),
        sender=sender,
        to=tuple(recipients),
    )


def _text(mail: EmailMessage) -> str:
    body = mail.get_body(preferencelist=("plain", "html"))
    if body is None:
        return ""
    text = str(body.get_content())
    if body.get_content_type() == "text/html":
        text = html.unescape(_TAG.sub(" ", text))
    return _BLANKS.sub("\n", text).strip()
