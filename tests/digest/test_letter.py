"""The digest as people read it, also with labels somebody means harm by."""

from __future__ import annotations

import re
from email import message_from_bytes, policy

import pytest

from sergas_digest.alert import Alert
from sergas_digest.letter import LISTED, letter, page, subject, text
from sergas_digest.settings import Config, MailReceiver
from sergas_digest.store import Pending

RECEIVER = MailReceiver("mail", ("ops@sergas.example", "second@sergas.example"), "alerts@sergas.example", "smtp:25")
CONFIG = Config(86400, "production", (RECEIVER,))
BOUNDARY = 1_767_398_400  # 2026-01-03 00:00:00 UTC
STARTS = BOUNDARY - 3600.0


def alert(name: str = "ZohoQuotaLow", ends: float | None = STARTS + 60, **annotations: str) -> Alert:
    labels = {"alertname": name, "severity": "info", "namespace": "crm", "job": "sergas-api"}
    return Alert("f", STARTS, ends, labels, {"summary": "14 % of the quota is left"} | annotations)


def pending(*alerts: Alert, dropped: int = 0) -> Pending:
    return Pending(alerts, 7, dropped, dropped)


def test_it_says_how_many_and_lists_each_by_name_with_its_times_and_links() -> None:
    firing = alert(
        "SyncFailing", None, description="Look at Zoho.", runbook_url="https://docs.example.com/SyncFailing.md"
    )
    assert text(CONFIG, pending(alert(), firing), BOUNDARY) == (
        "2 info alerts (1 still firing) in production, up to 2026-01-03 00:00:00 UTC.\n"
        "\n"
        "SyncFailing (1)\n"
        "\n"
        "* 14 % of the quota is left\n"
        "  Look at Zoho.\n"
        "  alertname: SyncFailing, job: sergas-api, namespace: crm\n"
        "  since 2026-01-02 23:00:00 UTC, still firing\n"
        "  Runbook: https://docs.example.com/SyncFailing.md\n"
        "\n"
        "ZohoQuotaLow (1)\n"
        "\n"
        "* 14 % of the quota is left\n"
        "  alertname: ZohoQuotaLow, job: sergas-api, namespace: crm\n"
        "  from 2026-01-02 23:00:00 to 2026-01-02 23:01:00 UTC\n"
    )
    assert subject(CONFIG, pending(alert())) == "[DIGEST] 1 info alert in production"
    html = page(CONFIG, pending(alert(), firing), BOUNDARY)
    assert '<a href="https://docs.example.com/SyncFailing.md">Runbook</a>' in html
    assert "<h2" in html
    assert "ZohoQuotaLow (1)" in html


def test_the_same_content_has_the_same_message_id_and_other_content_another() -> None:
    first = letter(RECEIVER, CONFIG, pending(alert()), BOUNDARY, BOUNDARY)
    again = letter(RECEIVER, CONFIG, pending(alert()), BOUNDARY, BOUNDARY + 60)
    later = letter(RECEIVER, CONFIG, pending(alert()), BOUNDARY + 86400, BOUNDARY)
    assert first["Message-ID"] == again["Message-ID"] != later["Message-ID"]
    assert re.fullmatch(r"<digest\.[0-9a-f]{32}@sergas\.example>", first["Message-ID"])


@pytest.mark.parametrize(
    "attack",
    [
        "x\r\nBcc: victim@example.com\r\n\r\nbody",
        '<script>alert(1)</script><a href="http://evil.example">x</a>',
        '" onmouseover="alert(1)',
        "http://evil.example/login",
        "one\u2028two\u202ethree\x85four",
        "x" * 100_000,
    ],
)
def test_hostile_values_add_no_header_no_line_no_markup_and_no_link(attack: str) -> None:
    labels = dict.fromkeys(("alertname", "namespace", "job"), attack)
    annotations = dict.fromkeys(("summary", "description", "runbook_url", "dashboard_url"), attack)
    annotations["runbook_url"] = "javascript:alert(1)"
    annotations["dashboard_url"] = 'https://x.example/"><script>alert(1)</script>'
    hostile = Alert("f", STARTS, None, labels, annotations)
    config = Config(86400, attack, (RECEIVER,))
    mail = letter(RECEIVER, config, pending(hostile), BOUNDARY, BOUNDARY)
    read = message_from_bytes(mail.as_bytes(), policy=policy.default)
    assert set(read.keys()) == set(letter(RECEIVER, CONFIG, pending(alert()), BOUNDARY, BOUNDARY).keys())
    assert not re.search(r"[\r\n]", read["Subject"])
    body, html = text(config, pending(hostile), BOUNDARY), page(config, pending(hostile), BOUNDARY)
    assert len(body.splitlines()) == 8
    assert "://" not in body
    assert not re.search(r"<(?!/?(!DOCTYPE|html|head|meta|title|body|h1|h2|p|b|br)\b)", html)
    assert "://" not in html
    assert 'onmouseover="' not in html
    assert len(html) < 10_000


def test_what_is_not_listed_is_counted_by_name() -> None:
    many = [alert(f"Alert{number % 2}") for number in range(LISTED + 3)]
    body = text(CONFIG, pending(*many, dropped=4), BOUNDARY)
    assert body.startswith("507 info alerts in production")
    assert "\n3 more alerts are not listed: Alert0 (2), Alert1 (1).\n" in body
    assert body.endswith("\n4 more alerts came than this digest can keep; they are counted only.\n")
