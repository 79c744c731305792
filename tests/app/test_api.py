"""The API, and the faults that break it."""

from collections.abc import Callable
from typing import Any

import pytest

Sample = Callable[..., float | None]

NONE_ON = {"errors": 0.0, "latency_seconds": 0.0, "crash": False, "queue_backlog": 0, "zoho_rate_limit": False}


async def test_accounts_are_listed_and_read_through_a_cache(started: Any, sample: Sample) -> None:
    client = await started()
    assert [account["id"] for account in (await client.get("/accounts?size=3")).json()] == [1, 2, 3]
    for _ in range(2):
        assert (await client.get("/accounts/2")).json()["name"] == "Account 2"
    assert sample("sergas_cache_misses_total", cache="accounts") == 1
    assert sample("sergas_cache_hits_total", cache="accounts") == 1
    assert sample("sergas_accounts_active_total") == 5


async def test_an_account_that_does_not_exist_is_404(started: Any) -> None:
    answer = await (await started()).get("/accounts/6")
    assert (answer.status_code, answer.json()) == (
        404,
        {"detail": "there is no account 6; accounts are numbered 1 to 5"},
    )


async def test_a_synchronisation_calls_zoho_and_is_recorded(started: Any, sample: Sample) -> None:
    client = await started(zoho_quota=100)
    assert (await client.post("/accounts/1/sync")).json()["synced"] is True
    assert sample("sergas_zoho_api_calls_total", endpoint="accounts", status="200") == 1
    assert sample("sergas_zoho_accounts_synced_total") == 1
    assert sample("sergas_zoho_rate_limit_remaining") == 99


async def test_a_quota_that_is_used_up_refuses_calls(started: Any, sample: Sample) -> None:
    client = await started(zoho_quota=1)
    statuses = [(await client.post("/accounts/1/sync")).status_code for _ in range(2)]
    assert statuses == [200, 503]
    assert sample("sergas_zoho_rate_limit_remaining") == 0
    assert sample("sergas_zoho_api_calls_total", endpoint="accounts", status="429") == 1


async def test_recommendations_are_generated_and_accepted(started: Any, sample: Sample) -> None:
    client = await started()
    made = (await client.get("/accounts/1/recommendations")).json()
    assert len(made) == 2
    assert (await client.post(f"/accounts/1/recommendations/{made[0]['type']}/accept")).status_code == 204
    assert sample("sergas_recommendations_accepted_total", type=made[0]["type"]) == 1
    assert sum(sample("sergas_recommendations_generated_total", type=one["type"]) or 0 for one in made) >= 2


async def test_a_type_of_recommendation_that_does_not_exist_makes_no_series(started: Any, sample: Sample) -> None:
    client = await started()
    assert (await client.post("/accounts/1/recommendations/invented/accept")).status_code == 422
    assert sample("sergas_recommendations_accepted_total", type="invented") is None


async def test_the_fault_errors_breaks_the_api_and_nothing_else(started: Any, sample: Sample) -> None:
    client = await started()
    assert (await client.post("/faults", json={"errors": 1})).json() == {**NONE_ON, "errors": 1.0}
    answer = await client.get("/accounts")
    assert (answer.status_code, answer.json()) == (500, {"detail": "simulated: the fault errors=1 is on"})
    assert (await client.get("/healthz")).json() == {"status": "ok"}
    assert (await client.get("/metrics")).status_code == 200
    assert sample("sergas_http_requests_total", method="GET", route="/accounts", status="500") == 1

    assert (await client.delete("/faults")).json() == NONE_ON
    assert (await client.get("/accounts")).status_code == 200


async def test_the_fault_latency_slows_the_api(started: Any, sample: Sample) -> None:
    client = await started()
    await client.post("/faults", json={"latency_seconds": 0.3})
    await client.get("/accounts")
    below = sample("sergas_http_request_duration_seconds_bucket", method="GET", route="/accounts", le="0.25")
    assert below == 0


async def test_the_fault_zoho_rate_limit_refuses_every_call(started: Any, sample: Sample) -> None:
    client = await started()
    await client.post("/faults", json={"zoho_rate_limit": True})
    answer = await client.post("/accounts/1/sync")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
    assert answer.json() == {"detail": "Zoho allows no more calls in this minute"}
    assert sample("sergas_zoho_sync_failures_total", error_type="ZohoRateLimitError") == 1
    assert sample("sergas_zoho_rate_limit_remaining") == 0


async def test_faults_change_one_by_one(started: Any) -> None:
    client = await started()
    await client.post("/faults", json={"errors": 0.2})
    await client.post("/faults", json={"queue_backlog": 7})
    assert (await client.get("/faults")).json() == {**NONE_ON, "errors": 0.2, "queue_backlog": 7}


@pytest.mark.parametrize(
    ("wrong", "field", "message"),
    [
        ({"errors": 1.5}, "errors", "Input should be less than or equal to 1"),
        ({"latency_seconds": -1}, "latency_seconds", "Input should be greater than or equal to 0"),
        ({"latency": 1}, "latency", "Extra inputs are not permitted"),
    ],
)
async def test_a_wrong_fault_is_refused_and_changes_nothing(
    started: Any, wrong: dict[str, float], field: str, message: str
) -> None:
    client = await started()
    answer = await client.post("/faults", json=wrong)
    assert answer.status_code == 422
    assert [(error["loc"], error["msg"]) for error in answer.json()["detail"]] == [([field], message)]
    assert (await client.get("/faults")).json() == NONE_ON


async def test_the_rate_of_load_is_shown_and_changed(started: Any) -> None:
    client = await started(role="agents")
    assert (await client.get("/load")).json() == {"rate": 0.0}
    assert (await client.put("/load", json={"rate": 3})).json() == {"rate": 3.0}
    assert (await client.get("/load")).json() == {"rate": 3.0}
    assert (await client.put("/load", json={"rate": -1})).status_code == 422


async def test_agents_serve_the_switches_but_not_the_api(started: Any) -> None:
    client = await started(role="agents")
    assert (await client.get("/accounts")).status_code == 404
    assert (await client.get("/healthz")).status_code == 200
