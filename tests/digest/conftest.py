"""A digest with mail servers and an Alertmanager, from the helpers of tests/routing."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# There are no packages under tests/: helpers are found by name.
sys.path.insert(0, str(Path(__file__).parents[1] / "operator"))
sys.path.append(str(Path(__file__).parents[1] / "routing"))
sys.path.append(str(Path(__file__).parent))

from digest_process import Digest
from farend import PASSWORD, USER, FarEnd
from mail_server import MailServer
from running import Alertmanager


@pytest.fixture
def far_end() -> Iterator[FarEnd]:
    found = FarEnd().start()
    yield found
    found.stop()


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    found = MailServer().start()
    yield found
    found.stop()


@pytest.fixture
def digest(tmp_path: Path) -> Iterator[Digest]:
    """Not started yet."""
    found = Digest(tmp_path / "digest")
    yield found
    if found.process:
        found.kill()


@pytest.fixture
def alertmanager(tmp_path: Path) -> Iterator[Alertmanager]:
    """Not started yet."""
    found = Alertmanager(tmp_path / "alertmanager")
    yield found
    found.stop()


@pytest.fixture
def mail_receiver(mail_server: MailServer, tmp_path: Path) -> dict[str, Any]:
    """A receiver at the mail server, as the operator writes it."""
    (tmp_path / "mail.password").write_text(f"{PASSWORD}\n")
    return {
        "name": "mail",
        "to": ["ops@sergas.example", "second@sergas.example"],
        "from": "alerts@sergas.example",
        "smarthost": mail_server.smarthost,
        "requireTLS": False,
        "username": USER,
        "passwordFile": str(tmp_path / "mail.password"),
    }
