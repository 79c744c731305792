"""The command `sergas-operator`: settings, then kopf."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

import prometheus_client

from sergas_operator import cli, metrics, settings
from sergas_operator.errors import OperatorError


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    parsed = cli.arguments(sys.argv[1:] if argv is None else argv)
    if parsed.command == "render":
        return cli.render(parsed.file)
    try:
        return serve(settings.read(os.environ))
    except OperatorError as error:
        print(f"sergas-operator: {error}", file=sys.stderr)
        return 2


def serve(found: settings.Settings) -> int:
    """Run the operator until it receives SIGTERM."""
    # Rendering needs neither kopf nor a cluster, and importing them takes half a second.
    from sergas_operator.controller import handlers, health  # noqa: PLC0415

    log(found)
    # A full garbage collection examines every imported object and stops the operator for about 30 ms, a third of the
    # time in which it reacts. These objects live as long as the process: it need not examine them.
    gc.collect()
    gc.freeze()
    operator = handlers.Operator(found)
    prometheus_client.start_http_server(found.metrics_port, registry=metrics.REGISTRY)
    health.serve(operator.health, found.health_port)
    asyncio.run(handlers.run(operator))
    return 0


def log(found: settings.Settings) -> None:
    """Write every log line to standard error, as JSON or plain text."""
    handler = logging.StreamHandler()
    if found.log_format == "json":
        handler.setFormatter(JsonLines())
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=found.log_level, handlers=[handler], force=True)
    # kopf logs every event.
    logging.getLogger("kopf").setLevel(logging.DEBUG if found.log_level == "DEBUG" else logging.WARNING)


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and exception where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """The line for `record`."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


if __name__ == "__main__":
    sys.exit(main())
