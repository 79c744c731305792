"""Run the application: python -m sergas_app."""

from __future__ import annotations

import sys

import uvicorn

from .application import build
from .settings import read_settings

GRACE_SECONDS = 10
"""How long requests under way may take after SIGTERM."""


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    try:
        settings = read_settings()
    except ValueError as error:
        sys.exit(str(error))
    uvicorn.run(
        build(settings),
        host=settings.host,
        port=settings.port,
        log_level=settings.log_level,
        access_log=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


if __name__ == "__main__":
    main()
