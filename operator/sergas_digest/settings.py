"""What the environment and the mounted configuration say about this digest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LAST_PORT = 65535


class SettingsError(Exception):
    """A setting is missing or cannot be used; the message says what to write."""


@dataclass(frozen=True)
class Settings:
    """Where things are. A port of 0 is any free one."""

    config: Path = Path("/etc/sergas-digest/digest.json")
    state: Path = Path("/var/lib/sergas-digest")
    host: str = ""
    port: int = 8080


@dataclass(frozen=True)
class MailReceiver:
    """Someone who gets the digest. `password_file` is empty where the server wants no login."""

    name: str
    to: tuple[str, ...]
    sender: str
    smarthost: str
    require_tls: bool = True
    username: str = ""
    password_file: str = ""


@dataclass(frozen=True)
class Config:
    """What is mailed, to whom, how often."""

    interval: int
    environment: str
    receivers: tuple[MailReceiver, ...]


def settings(environment: Mapping[str, str]) -> Settings:
    """The settings in `environment`.

    Raises:
        SettingsError: naming the variable.
    """
    default = Settings()
    port = environment.get("SERGAS_DIGEST_PORT", "") or str(default.port)
    if not port.isdigit() or int(port) > LAST_PORT:
        raise SettingsError(f"SERGAS_DIGEST_PORT is {port!r}: set it to a port from 0 to 65535, such as 8080")
    return Settings(
        config=Path(environment.get("SERGAS_DIGEST_CONFIG", "") or default.config),
        state=Path(environment.get("SERGAS_DIGEST_STATE", "") or default.state),
        host=environment.get("SERGAS_DIGEST_HOST", ""),
        port=int(port),
    )


def read(path: Path) -> Config:
    """The configuration in a file; it is read again before every mail, so a change needs no restart.

    Raises:
        SettingsError: the file is missing or is not what the operator writes.
    """
    try:
        document: dict[str, Any] = json.loads(path.read_text())
        return Config(
            interval=int(document["interval"]),
            environment=str(document["environment"]),
            receivers=tuple(_receiver(found) for found in document["receivers"]),
        )
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise SettingsError(f"{path} is no configuration of a digest: {type(error).__name__} {error}") from error


def password(receiver: MailReceiver) -> str:
    """The password of a receiver, empty where it has none.

    Raises:
        SettingsError: the file cannot be read.
    """
    if not receiver.password_file:
        return ""
    try:
        return Path(receiver.password_file).read_text().strip("\r\n")
    except OSError as error:
        raise SettingsError(f"the password of {receiver.name} cannot be read: {error.strerror}") from error


def _receiver(found: dict[str, Any]) -> MailReceiver:
    return MailReceiver(
        name=str(found["name"]),
        to=tuple(str(address) for address in found["to"]),
        sender=str(found["from"]),
        smarthost=str(found["smarthost"]),
        require_tls=bool(found["requireTLS"]),
        username=str(found.get("username", "")),
        password_file=str(found.get("passwordFile", "")),
    )
