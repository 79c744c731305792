"""The configuration that the operator mounts: who receives the digest, how often, and which token senders must have."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import msgspec

log = logging.getLogger(__name__)

MINIMUM_INTERVAL = 1
# Year 2200: an interval beyond it has no boundary that a date could show.
MAXIMUM_INTERVAL = 7_258_118_400


class ConfigError(Exception):
    """A file of the configuration is missing or cannot be used. The message names the file and the field."""


class MailReceiver(msgspec.Struct, frozen=True):
    """A receiver of the digest. `password_file` is empty when the mail server needs no login."""

    name: str
    to: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    sender: str = msgspec.field(name="from")
    smarthost: Annotated[str, msgspec.Meta(pattern=r"^.+:[0-9]{1,5}$")]
    require_tls: bool = msgspec.field(name="requireTLS", default=True)
    username: str = ""
    password_file: str = msgspec.field(name="passwordFile", default="")

    @property
    def host(self) -> str:
        """The mail server's name or address, without the brackets of an IPv6 address."""
        return self.smarthost.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The mail server's port."""
        return int(self.smarthost.rpartition(":")[2])


class Config(msgspec.Struct, frozen=True):
    """The content of digest.json. `interval` is in seconds."""

    interval: Annotated[int, msgspec.Meta(ge=MINIMUM_INTERVAL, le=MAXIMUM_INTERVAL)]
    environment: str
    receivers: tuple[MailReceiver, ...]
    token_file: str = msgspec.field(name="tokenFile", default="")


def read(path: Path) -> Config:
    """The configuration in a file. It is read before every use, so a change needs no restart.

    Raises:
        ConfigError: the file is missing, or is not the JSON that the operator writes.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Config)
    except OSError as error:
        raise ConfigError(f"the configuration {path} cannot be read: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise ConfigError(f"the configuration {path} is invalid: {error}") from error


class ConfigFile:
    """The configuration as it is in the file now, or as it was when it could last be read.

    Attributes:
        config: that configuration, None if it could never be read.
        error: why it cannot be used as it is now, empty if it can.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.config: Config | None = None
        self.error = ""

    def refresh(self) -> Config | None:
        """Reads the file. An error is logged when it first occurs."""
        before = self.error
        try:
            self.config = read(self._path)
            tokens(self.config)
            self.error = ""
        except ConfigError as error:
            self.error = str(error)
        if self.error and self.error != before:
            log.error("%s", self.error)
        elif before and not self.error:
            log.info("the configuration %s is valid again", self._path)
        return self.config


def password(receiver: MailReceiver) -> str:
    """The password of a receiver, empty if it has none.

    Raises:
        ConfigError: the file cannot be read.
    """
    if not receiver.password_file:
        return ""
    try:
        return Path(receiver.password_file).read_text(encoding="utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError(
            f"the password file {receiver.password_file} of receiver {receiver.name} cannot be read: {reason}"
        ) from error


def tokens(config: Config) -> tuple[bytes, ...]:
    """The bearer tokens that are accepted: one per line of the token file, so that a token can be rotated.

    Raises:
        ConfigError: tokenFile is not set, or the file cannot be read or holds no token.
    """
    if not config.token_file:
        raise ConfigError("the configuration has no tokenFile: set it to a file that holds the senders' bearer token")
    try:
        found = tuple(line.strip() for line in Path(config.token_file).read_bytes().splitlines() if line.strip())
    except OSError as error:
        raise ConfigError(f"the tokenFile {config.token_file} cannot be read: {error.strerror}") from error
    if not found:
        raise ConfigError(f"the tokenFile {config.token_file} is empty: write a bearer token into it")
    return found
