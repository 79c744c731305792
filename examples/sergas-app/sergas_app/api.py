"""The API: accounts, their synchronisation and their recommendations."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from fastapi.routing import APIRoute

from sergas_metrics import MetricsCollector

from .accounts import Account, Accounts, UnknownAccountError
from .database import PoolTimeoutError
from .faults import FaultSwitches, RefusedError, SimulatedError
from .recommendations import RecommendationType, Recommender, RejectionReason
from .zoho import ZohoClient, ZohoRateLimitError, ZohoTimeoutError, sync_account

STATUS: dict[type[Exception], tuple[int, dict[str, str]]] = {
    SimulatedError: (500, {}),
    RefusedError: (429, {"Retry-After": "10"}),
    UnknownAccountError: (404, {}),
    PoolTimeoutError: (503, {"Retry-After": "5"}),
    ZohoRateLimitError: (503, {"Retry-After": "60"}),
    ZohoTimeoutError: (504, {}),
}
"""What a client is told of each error: status and headers. Any other error is one nobody thought of."""


class TranslatingRoute(APIRoute):
    """A route whose errors become answers."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler, with errors translated."""
        handler = super().get_route_handler()

        async def translated(request: Request) -> Response:
            try:
                return await handler(request)
            except tuple(STATUS) as error:
                status, headers = STATUS[type(error)]
                raise HTTPException(status, str(error), headers) from error

        return translated


def api_router(
    accounts: Accounts, zoho: ZohoClient, recommender: Recommender, metrics: MetricsCollector, faults: FaultSwitches
) -> APIRouter:
    """The routes of the API, every one of them subject to the faults in force."""

    async def known(account_id: int) -> Account:
        return await accounts.get(account_id)

    router = APIRouter(prefix="/accounts", dependencies=[Depends(faults.strike_request)], route_class=TranslatingRoute)
    account = Depends(known)

    @router.get("")
    async def list_accounts(size: int = Query(20, ge=1, le=100)) -> list[dict[str, object]]:
        return [asdict(account) for account in await accounts.page(size)]

    @router.get("/{account_id}")
    async def get_account(account: Account = account) -> dict[str, object]:
        return asdict(account)

    @router.post("/{account_id}/sync")
    async def sync(account: Account = account) -> dict[str, object]:
        return await sync_account(accounts, zoho, metrics, faults, account.id)

    @router.get("/{account_id}/recommendations")
    async def recommendations(account: Account = account) -> list[dict[str, object]]:
        made = [await recommender.recommend(account) for _ in range(2)]
        return [one for one in made if one is not None]

    @router.post("/{account_id}/recommendations/{type_}/accept", status_code=204, dependencies=[account])
    async def accept(type_: RecommendationType) -> None:
        metrics.business.record_accepted(type_)

    @router.post("/{account_id}/recommendations/{type_}/reject", status_code=204, dependencies=[account])
    async def reject(type_: RecommendationType, reason: RejectionReason) -> None:
        metrics.business.record_rejected(type_, reason)

    return router
