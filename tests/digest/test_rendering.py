"""The text, the HTML and the message of a digest, also with hostile labels and alerts that cannot be rendered."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from sergas_digest import message, metrics
from sergas_digest.alert import Alert
from sergas_digest.config import MailReceiver
from sergas_digest.rendering import LISTED, LISTED_LENGTH, Digest, Listed, entry, fill, html, text

RECEIVER = MailReceiver("mail", ("ops@sergas.example", "second@sergas.example"), "alerts@sergas.example", "smtp:25")
BOUNDARY = 1_767_398_400  # 2026-01-03 00:00:00 UTC
STARTS = BOUNDARY - 3600.0


def alert(name: str = "ZohoQuotaLow", ends: float | None = STARTS + 60, **annotations: str) -> Alert:
    labels = {"alertname": name, "severity": "info", "namespace": "crm", "job": "sergas-api"}
    return Alert("f", STARTS, ends, labels, {"summary": "14 % of the quota is left"} | annotations)


def digest(*alerts: Alert, dropped: int = 0, environment: str = "production") -> Digest:
    firing = sum(found.ends is None for found in alerts)
    empty = Digest(environment, BOUNDARY, len(alerts), firing, dropped)
    return fill(empty, (Listed(found.fingerprint, found.name, lambda found=found: found) for found in alerts))


def built(found: Digest) -> EmailMessage:
    message_id, content = message.build(RECEIVER, found, BOUNDARY)
    mail = message_from_bytes(content, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    assert mail["Message-ID"] == message_id
    return mail


def test_lists_each_alert_by_name_with_times_and_links() -> None:
    firing = alert(
        "SyncFailing", None, description="Look at Zoho.", runbook_url="https://docs.example.com/SyncFailing.md"
    )
    found = digest(alert(), firing, alert())
    assert text(found) == (
        "3 info alerts (1 still firing) in production, up to 2026-01-03 00:00:00 UTC.\n"
        "\n"
        "SyncFailing (1)\n"
        "\n"
        "* 14 % of the quota is left\n"
        "  Look at Zoho.\n"
        "  alertname: SyncFailing, job: sergas-api, namespace: crm\n"
        "  since 2026-01-02 23:00:00 UTC, still firing\n"
        "  Runbook: https://docs.example.com/SyncFailing.md\n"
        "\n"
        "ZohoQuotaLow (2)\n"
        "\n"
        "* 14 % of the quota is left\n"
        "  alertname: ZohoQuotaLow, job: sergas-api, namespace: crm\n"
        "  from 2026-01-02 23:00:00 to 2026-01-02 23:01:00 UTC\n"
        "\n"
        "* 14 % of the quota is left\n"
        "  alertname: ZohoQuotaLow, job: sergas-api, namespace: crm\n"
        "  from 2026-01-02 23:00:00 to 2026-01-02 23:01:00 UTC\n"
    )
    page = html(found)
    assert '<a href="https://docs.example.com/SyncFailing.md">Runbook</a>' in page
    assert '<h2 style="font-size:15px">ZohoQuotaLow (2)</h2>' in page
    assert page.count("<p style=") == 3
    assert built(digest(alert()))["Subject"] == "[DIGEST] 1 info alert in production"


def test_says_that_the_end_of_an_alert_was_not_reported() -> None:
    expired = Alert("f", STARTS, STARTS + 60, {"alertname": "Expired"}, {}, end_reported=False)
    assert (
        "since 2026-01-02 23:00:00 UTC, last reported 2026-01-02 23:01:00 UTC, its end was not reported"
        in entry(expired).text
    )


def test_every_message_has_its_own_id() -> None:
    found = digest(alert())
    ids = {built(found)["Message-ID"] for _ in range(10)}
    assert len(ids) == 10
    assert all(re.fullmatch(r"<digest\.[0-9a-f]{32}@sergas\.example>", number) for number in ids)


@pytest.mark.parametrize(
    "attack",
    [
        "x\r\nBcc: victim@example.com\r\n\r\nbody",
        '<script>alert(1)</script><a href="http://evil.example">x</a>',
        '" onmouseover="alert(1)',
        "http://evil.example/login",
        "one\u2028two\u202ethree\x85four",
        "lone \ud800 surrogate",
        "{{ 7 * 7 }}{% raw %}",
        "x" * 100_000,
    ],
)
def test_hostile_values_add_no_header_line_markup_or_link(attack: str) -> None:
    labels = dict.fromkeys(("alertname", "namespace", "job"), attack)
    annotations = dict.fromkeys(("summary", "description", "runbook_url", "dashboard_url"), attack)
    annotations["runbook_url"] = "javascript:alert(1)"
    annotations["dashboard_url"] = 'https://x.example/"><script>alert(1)</script>'
    found = digest(Alert("f", STARTS, None, labels, annotations), environment=attack)
    mail = built(found)
    assert set(mail.keys()) == set(built(digest(alert())).keys())
    assert not re.search(r"[\r\n]", mail["Subject"])
    body, page = text(found), html(found)
    assert len(body.splitlines()) == 8
    assert "://" not in body
    assert not re.search(r"<(?!/?(!DOCTYPE|html|head|meta|title|body|h1|h2|p|b|br)\b)", page)
    assert "://" not in page
    assert 'onmouseover="' not in page
    assert "49" not in body
    assert len(page) < 10_000


def test_counts_alerts_that_are_not_listed_by_name() -> None:
    many = [alert(f"Alert{number % 2}") for number in range(LISTED + 3)]
    body = text(digest(*many, dropped=4))
    assert body.startswith("507 info alerts in production")
    assert "\n\n3 more alerts are not listed: Alert0 (2), Alert1 (1).\n" in body
    assert body.endswith("\n\nThe digest was full and dropped 4 more alerts. They are only counted.\n")


def test_message_is_bounded_in_any_alphabet() -> None:
    long = "\U0001d518" * 1000
    labels = {f"label{number:02}": long for number in range(64)}
    many = [Alert("f", STARTS, None, labels, {"summary": long, "description": long}) for _ in range(LISTED)]
    found = digest(*many)
    assert found.unlisted.total() > 0
    assert sum(len(each.text) + len(each.html) for each in found.groups["(no name)"]) < LISTED_LENGTH + 20_000
    _, content = message.build(RECEIVER, found, BOUNDARY)
    assert len(content) < 15_000_000
    assert all(len(line) <= 78 for line in content.splitlines())


def test_an_alert_that_cannot_be_rendered_is_named_and_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    def corrupt() -> Alert:
        raise ValueError("Expecting value: line 1 column 1 (char 0)")

    before = metrics.UNRENDERABLE._value.get()
    rows = [
        Listed("a" * 16, "Corrupt", corrupt),
        Listed("b" * 16, "Late", lambda: alert("Late", ends=1e18)),
        Listed("c" * 16, "Good", lambda: alert("Good")),
    ]
    body = text(fill(Digest("production", BOUNDARY, 3, 0, 0), rows))
    assert "This alert cannot be shown (ValueError). The log of the digest gives the reason." in body
    assert "  fingerprint: aaaaaaaaaaaaaaaa\n" in body
    assert "  fingerprint: bbbbbbbbbbbbbbbb\n" in body
    assert "alertname: Good" in body
    assert metrics.UNRENDERABLE._value.get() == before + 2
    assert "the alert with fingerprint aaaaaaaaaaaaaaaa cannot be rendered" in caplog.text
