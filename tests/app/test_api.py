"""The API, and the faults that break it."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from sergas_app.faults import Faults

Sample = Callable[..., float | None]

NONE_ON = Faults().model_dump()


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


async def test_the_fault_zoho_quota_taken_leaves_less_and_refuses_nothing(started: Any, sample: Sample) -> None:
    client = await started(zoho_quota=100)
    await client.post("/faults", json={"zoho_quota_taken": 0.9})
    assert (await client.post("/accounts/1/sync")).status_code == 200
    assert sample("sergas_zoho_rate_limit_remaining") == 9
    assert sample("sergas_zoho_rate_limit_max") == 100


async def test_the_fault_sync_stopped_synchronises_nothing_and_answers_well(started: Any, sample: Sample) -> None:
    client = await started()
    await client.post("/faults", json={"sync_stopped": True})
    answer = await client.post("/accounts/1/sync")
    assert (answer.status_code, answer.json()["synced"]) == (200, False)
    assert not sample("sergas_zoho_accounts_synced_total")
    assert not sample("sergas_zoho_sync_last_success_timestamp_seconds")


async def test_the_fault_refused_answers_429_and_leaves_the_switches_alone(started: Any) -> None:
    client = await started()
    await client.post("/faults", json={"refused": 1})
    answer = await client.get("/accounts")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "10")
    assert answer.json() == {"detail": "simulated: the fault refused=1 is on"}
    assert (await client.get("/healthz")).status_code == 200


async def test_the_fault_hang_holds_requests_until_it_is_over(started: Any, sample: Sample, eventually: Any) -> None:
    client = await started()
    await client.post("/faults", json={"hang": 1})
    waiting = [asyncio.create_task(client.get("/accounts")) for _ in range(3)]
    await eventually(lambda: sample("sergas_http_requests_in_progress") == 3)
    await client.delete("/faults")
    assert [(await one).status_code for one in waiting] == [200, 200, 200]


async def test_the_fault_connections_held_fills_the_pool_and_one_too_many_fails_requests(
    started: Any, sample: Sample, eventually: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sergas_app.database.WAIT_SECONDS", 0.05)
    client = await started()
    await client.post("/faults", json={"connections_held": 19})
    assert (await client.get("/accounts")).status_code == 200
    assert sample("sergas_database_pool_connections", state="in_use") == 19
    assert sample("sergas_database_pool_connections_max") == 20
    await client.post("/faults", json={"connections_held": 20})
    assert (await client.get("/accounts")).status_code == 503
    assert sample("sergas_database_errors_total", error_type="PoolTimeoutError") == 1
    await client.delete("/faults")
    await eventually(lambda: sample("sergas_database_pool_connections", state="in_use") == 0)


async def test_the_fault_query_seconds_slows_the_database(started: Any, sample: Sample) -> None:
    client = await started()
    await client.post("/faults", json={"query_seconds": 0.3})
    await client.get("/accounts")
    duration = "sergas_database_query_duration_seconds"
    assert sample(f"{duration}_bucket", operation="list_accounts", le="0.25") == 0
    assert sample(f"{duration}_count", operation="list_accounts") == 1


async def test_the_fault_cache_misses_makes_every_look_up_a_miss(started: Any, sample: Sample) -> None:
    client = await started()
    await client.post("/faults", json={"cache_misses": 1})
    for _ in range(3):
        await client.get("/accounts/1")
    assert sample("sergas_cache_misses_total", cache="accounts") == 3
    assert not sample("sergas_cache_hits_total", cache="accounts")


async def test_the_fault_no_recommendations_makes_none(started: Any, sample: Sample) -> None:
    client = await started()
    await client.post("/faults", json={"no_recommendations": True})
    assert (await client.get("/accounts/1/recommendations")).json() == []
    assert not sample("sergas_recommendations_generated_total", type="renewal")


async def test_a_rejection_is_recorded_with_its_reason(started: Any, sample: Sample) -> None:
    client = await started()
    path = "/accounts/1/recommendations/upsell/reject"
    assert (await client.post(path, params={"reason": "too_expensive"})).status_code == 204
    assert sample("sergas_recommendations_rejected_total", type="upsell", reason="too_expensive") == 1
    assert (await client.post(path, params={"reason": "invented"})).status_code == 422


async def test_mishaps_break_what_ordinary_life_breaks(started: Any, sample: Sample) -> None:
    client = await started(mishaps=1)
    answer = await client.post("/accounts/1/sync")
    assert (answer.status_code, answer.json()) == (504, {"detail": "Zoho did not answer in time"})
    assert sample("sergas_zoho_api_calls_total", endpoint="accounts", status="timeout") == 1
    assert (await client.get("/accounts/1/recommendations")).status_code == 500
    assert sample("sergas_unhandled_exceptions_total", error_type="KeyError") == 1


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
