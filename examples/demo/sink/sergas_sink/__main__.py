"""Serve HTTP and SMTP until told to stop.

Environment:
    SINK_HTTP_PORT: HTTP port, 8080 by default.
    SINK_SMTP_PORT: SMTP port, 2525 by default.
    SINK_SMTP_USERNAME, SINK_SMTP_PASSWORD: the login SMTP demands; none is demanded when both are unset.
"""

import asyncio
import os
import sys

import uvicorn

from sergas_sink.journal import Journal
from sergas_sink.smtp import Credentials, serve
from sergas_sink.web import application


def credentials() -> Credentials | None:
    """Read the SMTP login from the environment.

    Raises:
        SystemExit: When only one half is set.
    """
    username, password = os.environ.get("SINK_SMTP_USERNAME", ""), os.environ.get("SINK_SMTP_PASSWORD", "")
    if bool(username) != bool(password):
        sys.exit("Set both SINK_SMTP_USERNAME and SINK_SMTP_PASSWORD, or neither.")
    return Credentials(username, password) if username else None


async def main() -> None:
    """Run both servers on one event loop."""
    journal = Journal()
    login = credentials()
    everywhere = "0.0.0.0"  # noqa: S104  a pod's Service reaches it by the pod's address
    mail = await serve(journal, everywhere, int(os.environ.get("SINK_SMTP_PORT", "2525")), login)
    config = uvicorn.Config(
        application(journal),
        host=everywhere,
        port=int(os.environ.get("SINK_HTTP_PORT", "8080")),
        log_level="info",
        access_log=False,
    )
    async with mail:
        await uvicorn.Server(config).serve()


if __name__ == "__main__":
    asyncio.run(main())
