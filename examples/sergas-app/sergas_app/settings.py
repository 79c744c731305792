"""Settings, read from the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

ROLES = ("all", "api", "agents")


@dataclass(frozen=True)
class Settings:
    """How the process runs.

    Attributes:
        role: ``api`` answers requests, ``agents`` works the queue, ``all`` does both in one process.
        host: The address to listen on.
        port: The port of the API, of ``/metrics`` and of the switches.
        load_rate: Work that the process makes for itself: requests per second in ``api``, tasks per second in
            ``agents``, both in ``all``. 0 makes none; ``PUT /load`` changes it.
        workers: Tasks that each agent works on at once.
        accounts: Accounts that exist.
        zoho_quota: Calls per minute that the simulated Zoho allows.
        log_level: Level of the log.
    """

    role: str = "all"
    host: str = "0.0.0.0"  # noqa: S104  # a pod is reached by its address, not by loopback
    port: int = 8000
    load_rate: float = 0.0
    workers: int = 4
    accounts: int = 200
    zoho_quota: int = 6000
    log_level: str = "info"

    @property
    def has_api(self) -> bool:
        """Whether this process answers the API."""
        return self.role in ("all", "api")

    @property
    def has_agents(self) -> bool:
        """Whether this process runs agents."""
        return self.role in ("all", "agents")


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Settings from ``SERGAS_ROLE``, ``SERGAS_PORT`` and so on; see the README.

    Raises:
        ValueError: A variable has a value that cannot be used; the message names it.
    """
    role = environment.get("SERGAS_ROLE", "all")
    if role not in ROLES:
        raise ValueError(f"SERGAS_ROLE={role!r} is no role: write one of {', '.join(ROLES)}")
    return Settings(
        role=role,
        host=environment.get("SERGAS_HOST", Settings.host),
        port=int(_number(environment, "SERGAS_PORT", Settings.port)),
        load_rate=_number(environment, "SERGAS_LOAD_RATE", Settings.load_rate),
        workers=int(_number(environment, "SERGAS_WORKERS", Settings.workers)),
        accounts=int(_number(environment, "SERGAS_ACCOUNTS", Settings.accounts)),
        zoho_quota=int(_number(environment, "SERGAS_ZOHO_QUOTA", Settings.zoho_quota)),
        log_level=environment.get("SERGAS_LOG_LEVEL", Settings.log_level).lower(),
    )


def _number(environment: Mapping[str, str], name: str, default: float) -> float:
    text = environment.get(name, "")
    try:
        number = float(text) if text else default
    except ValueError:
        raise ValueError(f"{name}={text!r} is no number: write one, such as {name}={default:g}") from None
    if number < 0:
        raise ValueError(f"{name}={text!r} is below 0: write 0 or more")
    return number
