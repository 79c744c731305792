"""The command `python -m sergas_digest`: serves until SIGTERM."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

from aiohttp import web

from sergas_digest import logs, settings
from sergas_digest.clock import Clock
from sergas_digest.config import ConfigFile
from sergas_digest.database import Database
from sergas_digest.delivery import Delivery
from sergas_digest.server import Server
from sergas_digest.settings import Settings, SettingsError

# Requests that are under way when the server stops.
SHUTDOWN_SECONDS = 10.0


def main() -> int:
    """Runs the digest and returns its exit status."""
    try:
        found = settings.read(os.environ)
    except SettingsError as error:
        print(f"sergas-digest: {error}", file=sys.stderr)
        return 2
    logs.configure(found.log_level, found.log_format)
    asyncio.run(serve(found))
    return 0


async def serve(found: Settings) -> None:
    """Receives alerts and sends mails until SIGTERM. What is under way then is finished."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    clock = Clock()
    database = Database(found.state, clock.wall)
    config_file = ConfigFile(found.config)
    delivery = Delivery(database, config_file, clock)
    server = Server(database, config_file, delivery, clock)
    runner = web.AppRunner(server.application(), access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        await web.TCPSite(runner, found.host or None, found.port).start()
        await delivery.run(stop)
    finally:
        await runner.cleanup()
        database.close()


if __name__ == "__main__":
    sys.exit(main())
