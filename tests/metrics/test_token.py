"""A token, where there is one, stands before metrics and nothing else."""

import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI

from sergas_metrics import MetricsCollector, instrument, metrics_app, serve

TOKEN = "s3cret"
EMPTY = r"^the metrics token is empty: give one that is not, or None to serve metrics to everyone$"


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (f"Bearer {TOKEN}", 200),
        (f"bearer {TOKEN}", 200),
        ("Bearer wrong", 401),
        ("Bearer s3crét", 401),
        (f"Basic {TOKEN}", 401),
        (TOKEN, 401),
        ("", 401),
    ],
)
async def test_metrics_are_served_to_those_who_send_the_token(
    metrics: MetricsCollector, call: Any, authorization: str, status: int
) -> None:
    app = instrument(FastAPI(), collector=metrics, metrics_token=TOKEN)
    answer = await call(app, "/metrics", headers={"authorization": authorization})
    assert answer.status == status
    if status == 401:
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.body == b"Send the metrics token, as in: curl -H 'Authorization: Bearer TOKEN'\n"


async def test_the_application_itself_asks_for_no_token(metrics: MetricsCollector, call: Any) -> None:
    app = instrument(FastAPI(), collector=metrics, metrics_token=TOKEN)
    assert (await call(app, "/openapi.json")).status == 200


def test_the_server_asks_for_it_too(metrics: MetricsCollector) -> None:
    with serve(0, address="127.0.0.1", source=metrics, metrics_token=TOKEN) as server:
        url = f"http://127.0.0.1:{server.port}/metrics"
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(url)  # loopback
        with refused.value as answer:
            assert answer.code == 401
        asked = urllib.request.Request(url, headers={"Authorization": f"Bearer {TOKEN}"})  # loopback
        with urllib.request.urlopen(asked) as answer:  # noqa: S310  # loopback
            assert answer.read().startswith(b"# HELP sergas_http_requests_total ")


@pytest.mark.parametrize(
    "use",
    [
        lambda token: metrics_app(metrics_token=token),
        lambda token: serve(0, metrics_token=token),
        lambda token: instrument(FastAPI(), metrics_token=token),
    ],
    ids=["metrics_app", "serve", "instrument"],
)
def test_an_empty_token_is_refused_at_once(use: Callable[[str], Any]) -> None:
    with pytest.raises(ValueError, match=EMPTY):
        use(" ")
