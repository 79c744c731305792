"""The command `python -m sergas_digest`: serves until it is told to end."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys

from aiohttp import web

from sergas_digest.courier import Courier
from sergas_digest.settings import Settings, SettingsError, settings
from sergas_digest.store import Store
from sergas_digest.web import application

SHUTDOWN_SECONDS = 10.0


def main() -> int:
    """Runs the digest and returns its exit status."""
    logging.basicConfig(level="INFO", format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        found = settings(os.environ)
        found.state.mkdir(parents=True, exist_ok=True)
    except (SettingsError, OSError) as error:
        print(f"sergas-digest: {error}", file=sys.stderr)
        return 2
    asyncio.run(serve(found))
    return 0


async def serve(found: Settings) -> None:
    """Takes alerts and sends mails until SIGTERM; what is under way is finished."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    store = Store(found.state)
    courier = Courier(store, found.config)
    runner = web.AppRunner(application(courier), access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        await web.TCPSite(runner, found.host or None, found.port).start()
        await courier.run(stop)
    finally:
        await runner.cleanup()
        store.close()


if __name__ == "__main__":
    sys.exit(main())
