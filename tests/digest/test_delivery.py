"""The delivery loop with a clock that the tests set, a real database and a real mail server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mail_server import MailServer

from sergas_digest import alert_store, batch_store
from sergas_digest.alert import Alert
from sergas_digest.alert_store import EXPIRY_SECONDS
from sergas_digest.clock import Clock
from sergas_digest.config import ConfigFile
from sergas_digest.database import Database, StorageError
from sergas_digest.delivery import Delivery

DAY = 86_400
MIDNIGHT = 1_767_398_400.0  # 2026-01-03 00:00:00 UTC


class Scene:
    """A delivery whose wall and monotonic clocks stand still until they are set."""

    def __init__(self, folder: Path, receiver: dict[str, Any]) -> None:
        self.wall, self.monotonic = MIDNIGHT - 3600, 1000.0
        (folder / "token").write_text("token")
        document = {"interval": DAY, "environment": "production", "tokenFile": str(folder / "token")}
        (folder / "digest.json").write_text(json.dumps(document | {"receivers": [receiver]}))
        self.folder = folder
        self.open()

    def open(self) -> None:
        """Starts a process of the digest, as it were."""
        clock = Clock(lambda: self.wall, lambda: self.monotonic)
        self.database = Database(self.folder, clock.wall)
        self.delivery = Delivery(self.database, ConfigFile(self.folder / "digest.json"), clock)

    def restart(self) -> None:
        self.database.close()
        self.open()

    def passes(self, seconds: float) -> None:
        """Lets time go by."""
        self.wall += seconds
        self.monotonic += seconds

    async def look(self) -> None:
        """One pass of the loop, and the mails that it starts."""
        await self.delivery.look()
        await asyncio.gather(*self.delivery._tasks.values())

    def store(self, name: str, ends: bool = True) -> None:
        alert = Alert(name, self.wall, self.wall if ends else None, {"alertname": name}, {})
        self.database.execute(lambda db: alert_store.store(db, [alert], self.wall))

    def periods(self) -> list[float | None]:
        def ends(db):
            return [batch_store.read(db, number).ends for number, *_ in batch_store.content(db, "mail").alerts]

        return self.database.execute(ends)


@pytest.fixture
def scene(tmp_path: Path, mail_receiver: dict[str, Any]) -> Iterator[Scene]:
    found = Scene(tmp_path, mail_receiver)
    yield found
    found.database.close()


def subjects(mail_server: MailServer) -> list[str]:
    return [str(mail.message["Subject"]) for mail in mail_server.mails]


async def test_sends_once_at_each_boundary(scene: Scene, mail_server: MailServer) -> None:
    await scene.look()
    scene.store("a")
    scene.passes(3599)
    await scene.look()
    assert mail_server.mails == []
    scene.passes(1)
    for _ in range(3):
        await scene.look()
    assert subjects(mail_server) == ["[DIGEST] 1 info alert in production"]
    assert "up to 2026-01-03 00:00:00 UTC" in mail_server.mails[0].body()


async def test_a_failed_mail_waits_for_its_delay_and_a_restart_tries_at_once(
    scene: Scene, mail_server: MailServer
) -> None:
    await scene.look()
    scene.store("a")
    scene.passes(3600)
    mail_server.replies["MAIL"] = "451 later"
    for delay in (10, 20, 40):
        sessions = mail_server.sessions
        await scene.look()
        assert mail_server.sessions == sessions + 1
        scene.passes(delay - 0.1)
        await scene.look()
        assert mail_server.sessions == sessions + 1
        scene.passes(0.1)
    scene.restart()
    mail_server.replies.clear()
    await scene.look()
    assert len(mail_server.mails) == 1


async def test_a_clock_that_jumps_ahead_and_back_delays_no_later_digest(
    scene: Scene, mail_server: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    await scene.look()
    scene.store("first")
    scene.wall += 30 * DAY
    await scene.look()
    assert len(mail_server.mails) == 1
    scene.wall -= 30 * DAY
    scene.store("second")
    await scene.look()
    assert len(mail_server.mails) == 1
    scene.passes(3600)
    await scene.look()
    assert len(mail_server.mails) == 2
    assert "second" in mail_server.mails[1].body()
    assert [record.message for record in caplog.records if "clock" in record.message] == [
        f"the clock was set by +{30 * DAY} s",
        f"the clock was set by -{30 * DAY} s",
    ]


async def test_a_clock_that_was_ahead_before_a_restart_delays_no_later_digest(
    scene: Scene, mail_server: MailServer
) -> None:
    scene.wall += 400 * DAY
    await scene.look()
    scene.passes(DAY)
    await scene.look()
    scene.wall -= 401 * DAY
    scene.restart()
    scene.store("a")
    await scene.look()
    scene.passes(3600)
    await scene.look()
    assert len(mail_server.mails) == 1


async def test_a_jump_of_the_clock_ends_no_alert(scene: Scene) -> None:
    scene.store("firing", ends=False)
    await scene.look()
    scene.wall += 5 * EXPIRY_SECONDS
    await scene.look()
    assert scene.periods() == [None]


async def test_time_that_the_digest_was_down_ends_no_alert(scene: Scene) -> None:
    scene.store("firing", ends=False)
    await scene.look()
    scene.passes(5 * EXPIRY_SECONDS)
    scene.restart()
    await scene.look()
    assert scene.periods() == [None]
    scene.passes(EXPIRY_SECONDS - 1)
    await scene.look()
    assert scene.periods() == [None]
    seen = scene.database.execute(lambda db: db.execute("SELECT last_seen FROM alerts").fetchone()[0])
    scene.passes(2)
    await scene.look()
    assert scene.periods() == [seen]


async def test_time_that_alerts_were_refused_ends_no_alert(scene: Scene) -> None:
    scene.store("firing", ends=False)
    await scene.look()
    scene.passes(EXPIRY_SECONDS - 1)
    with pytest.raises(StorageError):
        scene.database.execute(lambda db: db.execute("INSERT INTO missing VALUES (1)"))
    await scene.look()
    scene.passes(2)
    await scene.look()
    assert scene.periods() == [None]


async def test_a_deferred_recipient_does_not_delay_the_next_digest(scene: Scene, mail_server: MailServer) -> None:
    mail_server.replies["RCPT second@sergas.example"] = "450 later"
    await scene.look()
    scene.store("first")
    scene.passes(3600)
    await scene.look()
    scene.passes(DAY - 1)
    await scene.look()
    scene.store("second")
    scene.passes(1)
    await scene.look()
    assert [mail.recipients for mail in mail_server.mails] == [("ops@sergas.example",)] * 2
    del mail_server.replies["RCPT second@sergas.example"]
    scene.passes(600)
    await scene.look()
    await scene.look()
    assert [mail.recipients for mail in mail_server.mails[2:]] == [("second@sergas.example",)] * 2


async def test_an_unexpected_error_is_a_failed_attempt(
    scene: Scene, mail_server: MailServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await scene.look()
    scene.store("a")
    scene.passes(3600)
    with monkeypatch.context() as patch:
        patch.setattr("sergas_digest.message.build", lambda *_: 1 / 0)
        await scene.delivery.look()
        await asyncio.gather(*scene.delivery._tasks.values(), return_exceptions=True)
    assert "mail: the digest was not sent; next attempt in 10 s" in caplog.text
    scene.passes(10)
    await scene.look()
    assert len(mail_server.mails) == 1
