"""What the sink takes over SMTP, in real conversations."""

import base64
import os
import smtplib
import subprocess
import sys
from email.message import EmailMessage
from pathlib import Path

import pytest

SINK = Path(__file__).parents[2] / "examples" / "demo" / "sink"
SENDER, RECIPIENT = "alerts@sergas.example", "ops@sergas.example"


def mail(subject="[FIRING:1] HighErrorRate (sergas-api)", **headers):
    message = EmailMessage()
    wanted = {"From": SENDER, "To": RECIPIENT, "Date": "Mon, 02 Nov 2026 10:00:00 +0000", "Subject": subject}
    for name, value in (wanted | headers).items():
        if value:
            message[name] = value
    message.set_content("Labels:\n alertname = HighErrorRate\n")
    return message


def send(sink, message, login=None):
    with smtplib.SMTP("127.0.0.1", sink.smtp_port, timeout=20) as server:
        if login:
            server.login(*login)
        server.send_message(message, SENDER, [RECIPIENT])


def test_mail_is_kept_with_envelope_subject_and_alerts(sink):
    send(sink, mail())
    [kept] = sink.received(kind="email")
    assert kept["subject"] == "[FIRING:1] HighErrorRate (sergas-api)"
    assert (kept["status"], kept["alerts"]) == ("firing", ["HighErrorRate"])
    assert (kept["sender"], kept["to"]) == (SENDER, [RECIPIENT])
    assert sink.received(to=RECIPIENT) == [kept]


def test_a_resolution_is_told_by_its_subject(sink):
    send(sink, mail("[RESOLVED] HighErrorRate (sergas-api)"))
    assert [row["status"] for row in sink.received()] == ["resolved"]


def test_a_digest_tells_that_the_alerts_it_names_have_fired(sink):
    message = mail("[DIGEST] 2 info alerts in production")
    message.set_content("* one\n  alertname: ZohoQuotaLow, namespace: crm\n\n* two\n  alertname: SyncFailing\n")
    send(sink, message)
    [kept] = sink.received(kind="email")
    assert (kept["status"], kept["alerts"]) == ("firing", ["ZohoQuotaLow", "SyncFailing"])


def test_an_html_mail_is_kept_as_readable_text(sink):
    message = mail()
    message.set_content(
        "<html><head><style>b {}</style></head><body><b>alertname</b> = HighErrorRate &amp; more</body></html>",
        subtype="html",
    )
    send(sink, message)
    assert sink.received()[0]["text"] == "alertname  = HighErrorRate & more"


def test_a_mail_without_a_subject_is_refused_by_name(sink):
    with pytest.raises(smtplib.SMTPDataError) as refusal:
        send(sink, mail(Subject=""))
    assert refusal.value.smtp_code == 554
    assert refusal.value.smtp_error == b"5.6.0 message refused: the Subject header is missing"
    assert sink.received() == []


def test_a_fault_refuses_mail_with_its_code(sink):
    sink.web.put("/faults/email", json={"status": 451, "times": 1})
    with pytest.raises(smtplib.SMTPDataError) as refusal:
        send(sink, mail())
    assert refusal.value.smtp_code == 451
    send(sink, mail())
    assert len(sink.received()) == 1


def test_mail_without_a_login_is_refused_where_one_is_demanded(sink_with_login):
    with pytest.raises(smtplib.SMTPSenderRefused) as refusal:
        send(sink_with_login, mail())
    assert refusal.value.smtp_code == 530
    assert sink_with_login.received() == []


def test_mail_with_the_right_login_is_kept(sink_with_login):
    send(sink_with_login, mail(), ("alerts", "s3cret"))
    assert len(sink_with_login.received(kind="email")) == 1


def test_the_login_asks_in_the_words_that_alertmanager_understands(sink_with_login):
    with smtplib.SMTP("127.0.0.1", sink_with_login.smtp_port, timeout=20) as server:
        server.ehlo()
        assert server.esmtp_features["auth"].split() == ["LOGIN"]
        challenges = [base64.b64decode(server.docmd("AUTH", "LOGIN")[1])]
        challenges.append(base64.b64decode(server.docmd(base64.b64encode(b"alerts").decode())[1]))
        assert server.docmd(base64.b64encode(b"s3cret").decode())[0] == 235
    assert challenges == [b"Username:", b"Password:"]


def test_a_wrong_password_is_refused_and_seen_in_the_rejections(sink_with_login):
    with pytest.raises(smtplib.SMTPAuthenticationError) as refusal:
        send(sink_with_login, mail(), ("alerts", "guess"))
    assert refusal.value.smtp_code == 535
    assert [row["reasons"] for row in sink_with_login.rejected()] == [["unknown user or wrong password"]]


def test_no_login_is_offered_where_none_is_set(sink):
    with smtplib.SMTP("127.0.0.1", sink.smtp_port, timeout=20) as server:
        server.ehlo()
        assert not server.has_extn("auth")


def test_half_a_login_stops_the_start_with_what_to_set():
    environment = os.environ | {"SINK_SMTP_USERNAME": "alerts", "PYTHONPATH": str(SINK)}
    started = subprocess.run(
        [sys.executable, "-m", "sergas_sink"], env=environment, capture_output=True, text=True, timeout=30, check=False
    )
    assert started.returncode == 1
    assert started.stderr == "Set both SINK_SMTP_USERNAME and SINK_SMTP_PASSWORD, or neither.\n"
