"""Faults of the process, its disk and its mail server: every alert is in exactly one mail, or in two identical ones
where the digest cannot know that the server accepted the first.
"""

from __future__ import annotations

import json
import os
import random
import resource
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from digest_process import TOKEN, Digest, payload, posted
from farend import LOOPBACK, wait
from mail_server import BREAK, STEPS, Mail, MailServer, dripping_server, paused

FIRST, SECOND = "ops@sergas.example", "second@sergas.example"
FAILURES = 'sergas_digest_mail_failures_total{receiver="mail"}'
SENT = 'sergas_digest_mails_sent_total{receiver="mail"}'
LONG = 100_000_000


def alerts(mails: list[Mail], recipient: str = FIRST) -> Counter[str]:
    """How many mails to a recipient contain each alert."""
    found: Counter[str] = Counter()
    for mail in mails:
        if recipient in mail.recipients:
            found.update({line.split()[-1] for line in mail.body().splitlines() if line.startswith("* summary of ")})
    return found


def settle(digest: Digest, mail_server: MailServer) -> None:
    """Waits until a later alert was mailed, after which nothing that came before can be mailed any more."""
    digest.store(posted("Last"))
    wait("the last mail", lambda: alerts(mail_server.mails)["Last"])
    wait("nothing waits", lambda: digest.metric("sergas_digest_alerts_pending") == 0)


@pytest.mark.parametrize("step", STEPS)
def test_a_kill_before_the_server_accepts_repeats_nothing(
    digest: Digest, mail_server: MailServer, mail_receiver: dict[str, Any], step: str
) -> None:
    digest.configure(1, mail_receiver)
    mail_server.pause_at = step
    digest.start()
    digest.store(posted("First"))
    paused(mail_server)
    digest.kill()
    mail_server.release()
    digest.start()
    settle(digest, mail_server)
    for recipient in (FIRST, SECOND):
        assert alerts(mail_server.mails, recipient) == {"First": 1, "Last": 1}


def test_a_kill_after_the_reply_repeats_nothing(
    digest: Digest, mail_server: MailServer, mail_receiver: dict[str, Any]
) -> None:
    digest.configure(1, mail_receiver)
    mail_server.pause_at = "QUIT"
    digest.start()
    digest.store(posted("First"))
    paused(mail_server)
    digest.kill()
    mail_server.release()
    digest.start()
    settle(digest, mail_server)
    assert alerts(mail_server.mails) == {"First": 1, "Last": 1}


def test_a_kill_between_acceptance_and_reply_repeats_the_same_mail(
    digest: Digest, mail_server: MailServer, mail_receiver: dict[str, Any]
) -> None:
    digest.configure(1, mail_receiver)
    mail_server.pause_at = "accepted"
    digest.start()
    digest.store(posted("First"))
    paused(mail_server)
    # It must not be in the repeated mail, which would then be another one.
    digest.store(posted("Between"))
    digest.kill()
    mail_server.release()
    digest.start()
    settle(digest, mail_server)
    first, second, *_ = mail_server.mails
    assert first.content == second.content
    assert first.message["Message-ID"] == second.message["Message-ID"]
    assert alerts(mail_server.mails) == {"First": 2, "Between": 1, "Last": 1}


@pytest.mark.parametrize(("step", "count"), [("message", 1), ("accepted", 2)])
def test_a_connection_lost_before_the_reply_repeats_the_same_mail(
    digest: Digest, mail_server: MailServer, mail_receiver: dict[str, Any], step: str, count: int
) -> None:
    digest.configure(1, mail_receiver)
    mail_server.replies[step] = BREAK
    digest.start()
    digest.store(posted("First"))
    wait("a failure", lambda: digest.metric(FAILURES))
    digest.store(posted("Between"))
    mail_server.replies.clear()
    settle(digest, mail_server)
    found = alerts(mail_server.mails)
    assert (found["First"], found["Between"]) == (count, 1)
    ids = [mail.message["Message-ID"] for mail in mail_server.mails if "summary of First" in mail.body()]
    assert len(set(ids)) == 1


@pytest.mark.parametrize("reply", ["421 bye", "500 what", BREAK])
def test_an_error_at_quit_repeats_nothing(
    digest: Digest, mail_server: MailServer, mail_receiver: dict[str, Any], reply: str
) -> None:
    mail_server.replies["QUIT"] = reply
    digest.configure(1, mail_receiver)
    digest.start()
    digest.store(posted("First"))
    settle(digest, mail_server)
    assert alerts(mail_server.mails) == {"First": 1, "Last": 1}
    assert digest.metric(FAILURES) == 0


def test_a_temporarily_refused_recipient_gets_the_mail_later_and_the_other_once(
    digest: Digest, mail_server: MailServer, mail_receiver: dict[str, Any]
) -> None:
    mail_server.replies[f"RCPT {SECOND}"] = "450 4.2.0 greylisted"
    digest.configure(1, mail_receiver)
    digest.start()
    digest.store(posted("First"))
    wait("the first recipient's mail", lambda: alerts(mail_server.mails)["First"])
    refused = 'sergas_digest_recipients_refused_total{kind="temporary",receiver="mail"}'
    wait("it is counted", lambda: digest.metric(refused))
    digest.kill()
    del mail_server.replies[f"RCPT {SECOND}"]
    digest.start()
    wait("the second recipient's mail", lambda: alerts(mail_server.mails, SECOND)["First"])
    settle(digest, mail_server)
    for recipient in (FIRST, SECOND):
        assert alerts(mail_server.mails, recipient) == {"First": 1, "Last": 1}
    assert len({mail.message["Message-ID"] for mail in mail_server.mails if "of First" in mail.body()}) == 1


def test_a_permanently_refused_recipient_is_counted_and_holds_up_nobody(
    digest: Digest, mail_server: MailServer, mail_receiver: dict[str, Any]
) -> None:
    mail_server.replies[f"RCPT {SECOND}"] = "550 5.1.1 no such user"
    digest.configure(1, mail_receiver)
    digest.start()
    digest.store(posted("First"))
    wait("the first mail", lambda: digest.metric(SENT) == 1)
    settle(digest, mail_server)
    assert alerts(mail_server.mails) == {"First": 1, "Last": 1}
    assert alerts(mail_server.mails, SECOND) == {}
    refused = 'sergas_digest_recipients_refused_total{kind="permanent",receiver="mail"}'
    # Once for each mail, without a retry.
    wait("it is counted", lambda: digest.metric(refused) == 2)
    wait("it is overdue", lambda: digest.metric('sergas_digest_overdue_seconds{receiver="mail"}') > 1)
    assert any(f"{SECOND} was refused (permanent): 550 5.1.1 no such user" in message for message in digest.messages())


def test_a_session_ends_soon_after_sigterm(
    digest: Digest, mail_server: MailServer, mail_receiver: dict[str, Any]
) -> None:
    with dripping_server(0.2) as (smarthost, sent):
        digest.configure(1, mail_receiver | {"smarthost": smarthost})
        digest.start()
        digest.store(posted("First"))
        wait("a session", lambda: sent[0] > 2)
        began = time.monotonic()
        assert digest.stop(50) == 0
        assert 10 < time.monotonic() - began < 40
    digest.configure(1, mail_receiver)
    digest.start()
    settle(digest, mail_server)
    assert alerts(mail_server.mails) == {"First": 1, "Last": 1}


def test_no_stored_alert_is_lost_when_it_is_killed_at_random(
    digest: Digest, mail_server: MailServer, mail_receiver: dict[str, Any]
) -> None:
    digest.configure(1, mail_receiver)
    stored = set()
    choice = random.Random(14)
    for run in range(8):
        digest.spawn()
        deadline = time.monotonic() + choice.uniform(0.05, 0.5)
        # No more than one mail lists.
        for number in range(50):
            name = f"R{run}N{number}"
            if digest.post(payload(posted(name)))[0] == 200:
                stored.add(name)
            if time.monotonic() > deadline:
                break
        digest.kill()
    digest.start()
    settle(digest, mail_server)
    assert len(stored) > 20
    missing = stored - set(alerts(mail_server.mails))
    assert not missing
    by_id = {mail.message["Message-ID"]: mail for mail in mail_server.mails}
    assert max(alerts(list(by_id.values())).values()) == 1


def test_a_request_that_is_cut_off_stores_nothing(
    digest: Digest, mail_server: MailServer, mail_receiver: dict[str, Any]
) -> None:
    digest.configure(1, mail_receiver)
    digest.start()
    body = payload(posted("Cut"))
    head = f"POST /alerts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection((LOOPBACK, digest.port)) as connection:
        connection.sendall(head.encode() + body[:-1])
    settle(digest, mail_server)
    assert alerts(mail_server.mails) == {"Last": 1}


def test_a_corrupt_database_is_replaced_and_reported(
    digest: Digest, mail_server: MailServer, mail_receiver: dict[str, Any]
) -> None:
    digest.configure(LONG, mail_receiver)
    digest.start()
    digest.store(posted("Lost"))
    assert digest.metric("sergas_digest_database_replaced_timestamp_seconds") == 0
    digest.stop()
    (digest.folder / "state" / "digest.sqlite").write_bytes(b"not a database" * 1000)
    digest.configure(1, mail_receiver)
    digest.start()
    settle(digest, mail_server)
    assert time.time() - digest.metric("sergas_digest_database_replaced_timestamp_seconds") < 60
    assert (digest.folder / "state" / "digest.sqlite.corrupt").exists()
    assert any("is corrupt" in message for message in digest.messages())


def test_an_alert_that_cannot_be_rendered_stops_no_mail(
    digest: Digest, mail_server: MailServer, mail_receiver: dict[str, Any]
) -> None:
    digest.configure(LONG, mail_receiver)
    digest.start()
    digest.store(posted("Broken"), posted("Good"))
    digest.stop()
    script = "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); "
    script += "db.execute(\"UPDATE alerts SET labels = 'no json' WHERE name = 'Broken'\"); db.commit()"
    subprocess.run(["python3", "-c", script, str(digest.folder / "state" / "digest.sqlite")], check=True)
    digest.configure(1, mail_receiver)
    digest.start()
    [mail] = wait("the mail", lambda: mail_server.mails)
    assert "summary of Good" in mail.body()
    assert "fingerprint: Broken" in mail.body()
    assert digest.metric("sergas_digest_alerts_unrenderable_total") == 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with 1 MiB."""
    if os.geteuid() != 0:
        pytest.skip("mounting a file system needs root")
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], check=False, capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Fills a file system with one file."""
    found = folder / "ballast"
    with found.open("wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue
    return found


def until_refused(digest: Digest) -> set[str]:
    """Posts alerts until one is refused for want of room, and returns the names of those that were stored."""
    stored = set()
    for number in range(5000):
        name = f"Before{number}"
        status, answer = digest.post(payload(posted(name) | {"annotations": {"summary": f"summary of {name}"}}))
        if status == 503:
            assert "the alerts cannot be stored: " in answer
            return stored
        assert status == 200
        stored.add(name)
    raise AssertionError("5000 alerts fit a full disk")


def test_a_full_disk_refuses_alerts_is_not_ready_and_sends_nothing_twice(
    digest: Digest, mail_server: MailServer, mail_receiver: dict[str, Any], small_disk: Path
) -> None:
    digest.state = small_disk
    digest.configure(LONG, mail_receiver)
    digest.start()
    digest.store(posted("First"))
    ballast = fill(small_disk)
    stored = until_refused(digest) | {"First"}
    status, reason = digest.ask("/readyz")
    assert (status, "full" in reason) == (503, True)
    wait("the metric says so", lambda: digest.metric("sergas_digest_storage_writable") == 0)
    assert digest.metric('sergas_digest_rejections_total{reason="storage"}') >= 1
    # A restart on the full disk changes nothing, and what is due is not sent: it could not be recorded.
    digest.kill()
    digest.configure(1, mail_receiver)
    digest.spawn()
    wait("a failed attempt", lambda: (digest.metric(FAILURES) or 0) > 0 or digest.ask("/readyz")[0] == 503)
    ballast.unlink()
    wait("it is ready", lambda: digest.ask("/readyz")[0] == 200)
    settle(digest, mail_server)
    found = alerts(mail_server.mails)
    assert set(found) == stored | {"Last"}
    assert max(found.values()) == 1
    assert len(mail_server.mails) <= 3


def test_a_disk_that_is_full_after_the_server_accepted_sends_nothing_twice(
    digest: Digest, mail_server: MailServer, mail_receiver: dict[str, Any], small_disk: Path
) -> None:
    digest.state = small_disk
    digest.configure(2, mail_receiver)
    digest.start()
    mail_server.pause_at = "accepted"
    digest.store(posted("First"))
    paused(mail_server)
    ballast = fill(small_disk)
    stored = until_refused(digest)
    mail_server.release()
    wait("it is not ready", lambda: digest.ask("/readyz")[0] == 503)
    sessions = mail_server.sessions
    # Long enough for the retries that followed every ten seconds.
    began = time.monotonic()
    wait("time goes by", lambda: time.monotonic() - began > 12)
    assert mail_server.sessions <= sessions + 1
    ballast.unlink()
    wait("it is ready", lambda: digest.ask("/readyz")[0] == 200)
    settle(digest, mail_server)
    found = alerts(mail_server.mails)
    assert set(found) == stored | {"First", "Last"}
    assert max(found.values()) == 1


def test_a_file_size_limit_is_handled_as_a_full_disk(
    digest: Digest, mail_server: MailServer, mail_receiver: dict[str, Any]
) -> None:
    digest.configure(LONG, mail_receiver)
    digest.start()
    assert digest.process
    digest.store(posted("First"))
    size = max(found.stat().st_size for found in (digest.folder / "state").iterdir())
    resource.prlimit(digest.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    stored = until_refused(digest)
    assert digest.ask("/readyz")[0] == 503
    resource.prlimit(digest.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    wait("it is ready", lambda: digest.ask("/readyz")[0] == 200)
    digest.configure(2, mail_receiver)
    settle(digest, mail_server)
    assert set(alerts(mail_server.mails)) == stored | {"First", "Last"}


def test_ten_thousand_alerts_for_three_receivers_take_less_than_100_mib(
    digest: Digest, mail_server: MailServer, mail_receiver: dict[str, Any]
) -> None:
    receivers = [mail_receiver | {"name": name} for name in ("one", "two", "three")]
    digest.configure(LONG, *receivers)
    digest.start()
    text = "x" * 200
    for start in range(0, 10_000, 100):
        names = [f"A{number}" for number in range(start, start + 100)]
        many = [posted(name, alertname=f"Alert{name[-1]}", namespace="crm", pod=name, path=text) for name in names]
        for one in many:
            one["annotations"] = {"summary": text, "description": text * 3}
        digest.store(*many)
    wait("all of them", lambda: digest.metric("sergas_digest_alerts_pending") == 10_000)
    stored = digest.memory()
    assert digest.post(b"x" * (55 * 1024 * 1024))[0] in {0, 413}
    digest.configure(2, *receivers)
    wait("three mails", lambda: len(mail_server.mails) == 3)
    assert mail_server.mails[0].message["Subject"] == "[DIGEST] 10000 info alerts in production"
    wait("nothing waits", lambda: digest.metric("sergas_digest_alerts_pending") == 0)
    print(json.dumps({"stored": round(stored, 1), "most": round(digest.memory(), 1)}))
    assert digest.memory() < 100
