"""An application for servers of several workers: they import it by name."""

import asyncio
import os

from fastapi import FastAPI

from sergas_metrics import MetricsCollector, instrument

metrics = MetricsCollector(directory=os.environ["METRICS_DIRECTORY"])
metrics.business.set_accounts_active(7)
app = FastAPI()


@app.get("/process")
async def process() -> int:
    return os.getpid()


@app.get("/never")
async def never() -> None:
    await asyncio.Event().wait()


instrument(app, collector=metrics)
