"""The text and the HTML of a digest. Labels come from whoever can write a metric: none is shown without cleaning."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

import jinja2

from sergas_digest import metrics
from sergas_digest.alert import Alert

log = logging.getLogger(__name__)

# Alerts that are listed. A mail of more is read by nobody, and mail servers refuse large ones.
LISTED = 500
# Characters of the listed alerts, text and HTML together: the mail stays below about 4 MB in any alphabet.
LISTED_LENGTH = 1_000_000
NAMES = 100
LINE, PARAGRAPH, LINK = 300, 600, 500
OBJECT_LABELS = 12
HIDDEN = {"alertname", "severity", "category", "prometheus", "endpoint", "environment"}

# Whitespace, control characters, and invisible characters that join, split or turn around text.
_BLANK = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]+")
_LINK = re.compile(rf"https?://[^\s<>|\"'`\\\x00-\x1f\x7f-\x9f]{{1,{LINK}}}")

_TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("sergas_digest"),
    autoescape=jinja2.select_autoescape(enabled_extensions=("html",)),
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


class Entry(NamedTuple):
    """An alert as plain text and as HTML."""

    text: str
    html: str


@dataclass
class Digest:
    """What a digest shows, besides the entries.

    Attributes:
        environment: the name of the environment.
        boundary: up to when it reports, in Unix seconds.
        total: how many alerts it reports, listed or not.
        firing: how many of them fire.
        dropped: how many more were dropped because the store was full.
        groups: the entries by alertname.
        unlisted: how many alerts of each alertname are not listed.
    """

    environment: str
    boundary: int
    total: int
    firing: int
    dropped: int
    groups: dict[str, list[Entry]] = field(default_factory=dict)
    unlisted: Counter[str] = field(default_factory=Counter)

    @property
    def subject(self) -> str:
        """Such as `[DIGEST] 3 info alerts (1 still firing) in production`."""
        return f"[DIGEST] {self.headline}"

    @property
    def headline(self) -> str:
        """Such as `3 info alerts (1 still firing) in production`."""
        total = self.total + self.dropped
        firing = f" ({self.firing} still firing)" if self.firing else ""
        return f"{total} info {'alert' if total == 1 else 'alerts'}{firing} in {clean(self.environment, 63)}"

    @property
    def notes(self) -> Iterator[str]:
        """Sentences about alerts that are counted and not listed."""
        if self.unlisted:
            names = ", ".join(f"{name} ({count})" for name, count in sorted(self.unlisted.items())[:NAMES])
            yield f"{self.unlisted.total()} more alerts are not listed: {names}."
        if self.dropped:
            yield f"The digest was full and dropped {self.dropped} more alerts. They are only counted."


class Listed(NamedTuple):
    """An alert to be listed. `load` reads it and may fail."""

    fingerprint: str
    name: str
    load: Callable[[], Alert]


def fill(digest: Digest, alerts: Iterable[Listed]) -> Digest:
    """Adds the entries of `alerts`, and counts those for which there is no room. Only one alert is loaded at a time."""
    listed = length = 0
    for alert in alerts:
        name = clean(alert.name, LINE) or "(no name)"
        if listed < LISTED and length < LISTED_LENGTH:
            found = _entry_or_note(alert)
            digest.groups.setdefault(name, []).append(found)
            listed += 1
            length += len(found.text) + len(found.html)
        else:
            digest.unlisted[name] += 1
    digest.groups = dict(sorted(digest.groups.items()))
    return digest


def text(digest: Digest) -> str:
    """The plain body."""
    return _TEMPLATES.get_template("digest.txt").render(digest=digest, until=_time(digest.boundary))


def html(digest: Digest) -> str:
    """The HTML body."""
    return _TEMPLATES.get_template("digest.html").render(digest=digest, until=_time(digest.boundary))


def entry(alert: Alert) -> Entry:
    """An alert as plain text and as HTML."""
    values = {
        "summary": clean(alert.annotations.get("summary", "") or alert.name, LINE),
        "description": clean(alert.annotations.get("description", ""), PARAGRAPH),
        "object": _object(alert),
        "period": _period(alert),
        "links": _links(alert),
    }
    plain, page = (_TEMPLATES.get_template(f"entry.{kind}").render(values) for kind in ("txt", "html"))
    return Entry(plain, page)


def clean(value: str, length: int) -> str:
    """One line of at most `length` characters, without control characters and without anything that looks like a link.

    A character that UTF-8 cannot encode becomes a question mark.
    """
    line = _BLANK.sub(" ", value).strip().encode("utf-8", "replace").decode("utf-8")
    line = line if len(line) <= length else line[: length - 1] + "…"
    return line.replace("://", ":\u200b//")


def link(value: str) -> str:
    """`value` if it is a link that people can follow, empty otherwise."""
    return value if _LINK.fullmatch(value) else ""


def _entry_or_note(alert: Listed) -> Entry:
    """The entry of an alert. One that cannot be read or rendered must not stop the others, so it is only named."""
    try:
        return entry(alert.load())
    except Exception as error:
        log.exception("the alert with fingerprint %s cannot be rendered", alert.fingerprint)
        metrics.UNRENDERABLE.inc()
        reason = f"This alert cannot be shown ({type(error).__name__}). The log of the digest gives the reason."
        note = {"summary": reason, "description": "", "period": "", "links": ()}
        note["object"] = f"fingerprint: {clean(alert.fingerprint, LINE)}"
        plain, page = (_TEMPLATES.get_template(f"entry.{kind}").render(note) for kind in ("txt", "html"))
        return Entry(plain, page)


def _object(alert: Alert) -> str:
    others = [(name, value) for name, value in sorted(alert.labels.items()) if name not in HIDDEN and value]
    shown = [("alertname", alert.name), *others[:OBJECT_LABELS]]
    return ", ".join(f"{clean(name, LINE)}: {clean(value, LINE)}" for name, value in shown)


def _links(alert: Alert) -> Sequence[tuple[str, str]]:
    found = (("Runbook", "runbook_url"), ("Dashboard", "dashboard_url"))
    return [(label, target) for label, name in found if (target := link(alert.annotations.get(name, "")))]


def _period(alert: Alert) -> str:
    if alert.ends is None:
        return f"since {_time(alert.starts)} UTC, still firing"
    if not alert.end_reported:
        return f"since {_time(alert.starts)} UTC, last reported {_time(alert.ends)} UTC, its end was not reported"
    return f"from {_time(alert.starts)} to {_time(alert.ends)} UTC"


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
