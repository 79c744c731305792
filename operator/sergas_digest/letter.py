"""The digest as a mail. Labels come from whoever can write a metric: none is printed as it comes."""

from __future__ import annotations

import hashlib
import html
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import formatdate

from sergas_digest.alert import Alert
from sergas_digest.settings import Config, MailReceiver
from sergas_digest.store import Pending

LISTED = 500
LINE, PARAGRAPH = 300, 600
OBJECTS = 12
HIDDEN = {"alertname", "severity", "category", "prometheus", "endpoint", "environment"}

_BLANK = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]+")
_ADDRESS = re.compile(r"https?://[^\s<>|\"'`\\\x00-\x1f\x7f-\x9f]{1,500}")


def letter(receiver: MailReceiver, config: Config, pending: Pending, boundary: int, now: float) -> EmailMessage:
    """The mail that tells `receiver` of `pending`.

    The same content has the same Message-ID: a mail that had to be sent twice can be recognised.
    """
    mail = EmailMessage()
    mail["Subject"] = subject(config, pending)
    mail["From"] = receiver.sender
    mail["To"] = ", ".join(receiver.to)
    mail["Date"] = formatdate(now)
    seed = f"{receiver.name} {config.environment} {boundary} {pending.upto} {','.join(receiver.to)}"
    domain = receiver.sender.rpartition("@")[2]
    mail["Message-ID"] = f"<digest.{hashlib.sha256(seed.encode()).hexdigest()[:32]}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text(config, pending, boundary))
    mail.add_alternative(page(config, pending, boundary), subtype="html")
    return mail


def subject(config: Config, pending: Pending) -> str:
    """Such as `[DIGEST] 3 info alerts in production, 1 still firing`."""
    return f"[DIGEST] {_count(pending)} in {clean(config.environment, 63)}"


def text(config: Config, pending: Pending, boundary: int) -> str:
    """The plain body."""
    lines = [f"{_count(pending)} in {clean(config.environment, 63)}, up to {_time(boundary)} UTC."]
    for name, alerts in _by_name(pending):
        lines += ["", f"{name} ({len(alerts)})"]
        for alert in alerts:
            lines += ["", *_entry(alert)]
    lines += [f"\n{line}" for line in _left_out(pending)]
    return "\n".join(lines) + "\n"


def page(config: Config, pending: Pending, boundary: int) -> str:
    """The HTML body."""
    parts = [
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Digest</title></head>'
        '<body style="margin:0;padding:16px;font:14px/1.5 Helvetica,Arial,sans-serif;color:#1b1f24">',
        f'<h1 style="font-size:18px">{html.escape(subject(config, pending))}</h1>',
        f"<p>Up to {_time(boundary)} UTC.</p>",
    ]
    for name, alerts in _by_name(pending):
        parts.append(f'<h2 style="font-size:15px">{html.escape(name)} ({len(alerts)})</h2>')
        parts += [_html_entry(alert) for alert in alerts]
    parts += [f"<p>{html.escape(line)}</p>" for line in _left_out(pending)]
    return "\n".join([*parts, "</body></html>"]) + "\n"


def clean(value: str, length: int) -> str:
    """One line without control characters, no longer than `length`, in which no address is one any more."""
    line = _BLANK.sub(" ", value).strip()
    line = line if len(line) <= length else line[: length - 1] + "…"
    return line.replace("://", ":\u200b//")


def address(value: str) -> str:
    """`value` if people can be sent there, empty otherwise."""
    return value if _ADDRESS.fullmatch(value) else ""


def _count(pending: Pending) -> str:
    total = len(pending.alerts) + pending.dropped
    firing = sum(alert.ends is None for alert in pending.alerts)
    plural = "alert" if total == 1 else "alerts"
    return f"{total} info {plural}" + (f" ({firing} still firing)" if firing else "")


def _by_name(pending: Pending) -> list[tuple[str, list[Alert]]]:
    found: dict[str, list[Alert]] = {}
    for alert in pending.alerts[:LISTED]:
        found.setdefault(clean(alert.name, LINE) or "(no name)", []).append(alert)
    return sorted(found.items())


def _left_out(pending: Pending) -> Iterator[str]:
    """Alerts that are counted and not listed."""
    more = Counter(clean(alert.name, LINE) for alert in pending.alerts[LISTED:])
    if more:
        names = ", ".join(f"{name} ({count})" for name, count in sorted(more.items())[:100])
        yield f"{more.total()} more alerts are not listed: {names}."
    if pending.dropped:
        yield f"{pending.dropped} more alerts came than this digest can keep; they are counted only."


def _entry(alert: Alert) -> Iterator[str]:
    yield f"* {_summary(alert)}"
    if alert.annotations.get("description"):
        yield f"  {clean(alert.annotations['description'], PARAGRAPH)}"
    yield f"  {_object(alert)}"
    yield f"  {_period(alert)}"
    for label, link in _links(alert):
        yield f"  {label}: {link}"


def _html_entry(alert: Alert) -> str:
    description = html.escape(clean(alert.annotations.get("description", ""), PARAGRAPH))
    links = " ".join(f'<a href="{html.escape(link)}">{label}</a>' for label, link in _links(alert))
    lines = [f"<b>{html.escape(_summary(alert))}</b>", description, html.escape(_object(alert)), _period(alert), links]
    body = "<br>\n".join(line for line in lines if line)
    return f'<p style="border-left:3px solid #d0d7de;padding-left:12px">{body}</p>'


def _summary(alert: Alert) -> str:
    return clean(alert.annotations.get("summary", "") or alert.name, LINE)


def _object(alert: Alert) -> str:
    others = [(name, value) for name, value in sorted(alert.labels.items()) if name not in HIDDEN and value]
    shown = [("alertname", alert.name), *others[:OBJECTS]]
    return ", ".join(f"{clean(name, 80)}: {clean(value, 80)}" for name, value in shown)


def _links(alert: Alert) -> Iterator[tuple[str, str]]:
    for label, name in (("Runbook", "runbook_url"), ("Dashboard", "dashboard_url")):
        if link := address(alert.annotations.get(name, "")):
            yield label, link


def _period(alert: Alert) -> str:
    if alert.ends is None:
        return f"since {_time(alert.starts)} UTC, still firing"
    return f"from {_time(alert.starts)} to {_time(alert.ends)} UTC"


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
