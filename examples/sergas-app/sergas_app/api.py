"""The API: accounts, their synchronisation and their recommendations."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import APIRouter, Depends, HTTPException, Query

from sergas_metrics import MetricsCollector

from .accounts import Account, Accounts, RecommendationType, UnknownAccountError
from .agents import sync_account
from .faults import FaultSwitches, SimulatedError
from .zoho import ZohoClient, ZohoRateLimitError


def api_router(accounts: Accounts, zoho: ZohoClient, metrics: MetricsCollector, faults: FaultSwitches) -> APIRouter:
    """The routes of the API, every one of them subject to the faults in force."""

    async def fault() -> None:
        try:
            await faults.strike()
        except SimulatedError as error:
            raise HTTPException(500, str(error)) from error

    async def known(account_id: int) -> Account:
        try:
            return await accounts.get(account_id)
        except UnknownAccountError as error:
            raise HTTPException(404, str(error)) from error

    router = APIRouter(prefix="/accounts", dependencies=[Depends(fault)])
    account = Depends(known)

    @router.get("")
    async def list_accounts(size: int = Query(20, ge=1, le=100)) -> list[dict[str, object]]:
        return [asdict(account) for account in await accounts.page(size)]

    @router.get("/{account_id}")
    async def get_account(account: Account = account) -> dict[str, object]:
        return asdict(account)

    @router.post("/{account_id}/sync")
    async def sync(account: Account = account) -> dict[str, object]:
        try:
            return await sync_account(accounts, zoho, metrics, account.id)
        except ZohoRateLimitError as error:
            raise HTTPException(503, str(error), headers={"Retry-After": "60"}) from error

    @router.get("/{account_id}/recommendations")
    async def recommendations(account: Account = account) -> list[dict[str, object]]:
        return [accounts.recommend(account) for _ in range(2)]

    @router.post("/{account_id}/recommendations/{type_}/accept", status_code=204, dependencies=[account])
    async def accept(type_: RecommendationType) -> None:
        metrics.business.record_accepted(type_)

    return router
