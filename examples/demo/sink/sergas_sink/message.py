"""What every receiver makes of what it is sent: a `Message`, or a refusal."""

import re
from dataclasses import dataclass, field

KINDS = ("slack", "pagerduty", "email", "webhook")

REMOTE_WRITE = "remote-write"
"""Samples of a Prometheus: taken and thrown away, or refused while a fault says so."""

_STATUS = re.compile(r"\[(FIRING|RESOLVED)\b[^\]]*\]\s*(\S*)", re.IGNORECASE)
_ALERTNAME = re.compile(r"\balertname\s*[=:]\s*\"?([A-Za-z_]\w*)")


@dataclass(frozen=True)
class Message:
    """One accepted notification, with no secret in it.

    Attributes:
        kind: One of `KINDS`.
        status: `firing`, `resolved`, `acknowledged`, or `unknown` where the text does not say.
        alerts: Names of the alerts it speaks of, as far as its kind carries them.
        subject: Slack's title, PagerDuty's summary, the mail's subject, or the summary that the webhook's alerts
            share; its group key where they share none.
        text: Everything readable in it.
        via: The name in the URL of a Slack or generic webhook.
        channel: Slack's channel.
        key: The last four characters of PagerDuty's routing key, after an ellipsis.
        dedup_key: PagerDuty's incident key.
        sender: The mail's envelope sender.
        to: The mail's envelope recipients.
    """

    kind: str
    status: str
    subject: str
    text: str = ""
    alerts: tuple[str, ...] = ()
    via: str = ""
    channel: str = ""
    key: str = ""
    dedup_key: str = ""
    sender: str = ""
    to: tuple[str, ...] = field(default=())


class RefusedError(Exception):
    """The message is not one the real service would take.

    Attributes:
        status: The HTTP status, or SMTP reply code, to answer with.
        answer: The word the real service answers with.
        reasons: One sentence for each thing that is wrong, naming the field.
    """

    def __init__(self, status: int, answer: str, *reasons: str) -> None:
        super().__init__("; ".join(reasons) or answer)
        self.status = status
        self.answer = answer
        self.reasons = reasons


def status_in(text: str) -> str:
    """Read `firing` or `resolved` from a title such as `[FIRING:2] HighErrorRate`; `unknown` without one.

    A digest, `[DIGEST] 3 info alerts`, tells that alerts have fired.
    """
    if text.startswith("[DIGEST]"):
        return "firing"
    found = _STATUS.search(text)
    return found.group(1).lower() if found else "unknown"


def alerts_in(subject: str, text: str) -> tuple[str, ...]:
    """Name the alerts a rendered notification speaks of, first the one in its title, each once."""
    title = _STATUS.search(subject)
    names = [title.group(2).strip("():,")] if title else []
    names += _ALERTNAME.findall(text)
    return tuple(dict.fromkeys(name for name in names if name))
