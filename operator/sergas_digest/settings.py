"""The settings of the process, from environment variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LAST_PORT = 65535
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
LOG_FORMATS = ("json", "plain")


class SettingsError(Exception):
    """An environment variable cannot be used. The message names it and says what to write."""


@dataclass(frozen=True)
class Settings:
    """Where the files are, where the server listens, and how it logs. Port 0 is any free port."""

    config: Path = Path("/etc/sergas-digest/digest.json")
    state: Path = Path("/var/lib/sergas-digest")
    host: str = ""
    port: int = 8080
    log_level: str = "INFO"
    log_format: str = "json"


def read(environment: Mapping[str, str]) -> Settings:
    """The settings in `environment`; a variable that is missing or empty has its default.

    Raises:
        SettingsError: a variable has a value that cannot be used.
    """
    default = Settings()
    port = environment.get("SERGAS_DIGEST_PORT", "") or str(default.port)
    if not (port.isascii() and port.isdigit()) or int(port) > LAST_PORT:
        raise SettingsError(f"SERGAS_DIGEST_PORT is {port!r}: set it to a port from 0 to 65535, such as 8080")
    return Settings(
        config=Path(environment.get("SERGAS_DIGEST_CONFIG", "") or default.config),
        state=Path(environment.get("SERGAS_DIGEST_STATE", "") or default.state),
        host=environment.get("SERGAS_DIGEST_HOST", ""),
        port=int(port),
        log_level=_choice(environment, "SERGAS_LOG_LEVEL", LOG_LEVELS, default.log_level),
        log_format=_choice(environment, "SERGAS_LOG_FORMAT", LOG_FORMATS, default.log_format),
    )


def _choice(environment: Mapping[str, str], name: str, choices: Sequence[str], default: str) -> str:
    value = environment.get(name, "") or default
    if value not in choices:
        raise SettingsError(f"{name} is {value!r}: set it to {', '.join(choices[:-1])} or {choices[-1]}")
    return value
