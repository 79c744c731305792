"""The route label: the template that answered, as the client addresses it, and never a path with values in it."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Host, Mount, Route, Router

from sergas_metrics import MetricsCollector, MetricsMiddleware, instrument

Requests = Callable[[], dict[tuple[str, str, str], float]]


async def text(_: Request) -> Response:
    return PlainTextResponse("text")


async def opaque(_scope: Any, _receive: Any, send: Any) -> None:
    await PlainTextResponse("opaque")({"type": "http", "method": "GET"}, _receive, send)


def customers() -> FastAPI:
    """A FastAPI application to mount."""
    app = FastAPI()

    @app.get("/customers/{customer_id}")
    async def get(customer_id: str) -> dict[str, str]:
        return {"id": customer_id}

    return app


def accounts() -> APIRouter:
    """A router to include."""
    router = APIRouter(prefix="/accounts")

    @router.get("/{account_id}")
    async def get(account_id: int) -> dict[str, int]:
        return {"id": account_id}

    router.add_route("/plain/{number}", text)
    router.mount("/inner", customers())
    return router


def fastapi_app() -> FastAPI:
    """Every way to put a route into a FastAPI application."""
    app = FastAPI()

    @app.get("/items/{item_id:path}")
    async def item(item_id: str) -> dict[str, str]:
        return {"id": item_id}

    outer = APIRouter(prefix="/v2")
    outer.include_router(accounts(), prefix="/deep")
    app.include_router(accounts(), prefix="/api")
    app.include_router(accounts(), prefix="/tenants/{tenant}")
    app.include_router(outer)
    app.mount("/sub", customers())
    app.mount("/again", customers())
    app.mount("/regions/{region}", customers())
    app.mount("/opaque", opaque)
    app.mount("/star", starlette_app())
    app.add_route("/same/a", text)
    app.add_route("/same/b/{x}", text)
    return app


def starlette_app() -> Starlette:
    """Every way to put a route into a Starlette application."""
    routes: list[BaseRoute] = [
        Route("/plain/{number:int}", text),
        Route("/same/a", text),
        Mount("/mount", routes=[Route("/in/{x}", text), Mount("/more/{y}", routes=[Route("/{z}", text)])]),
        Mount("/fast", customers()),
        Mount("/opaque", opaque),
        Mount("/wrapped", routes=[Route("/{x}", text)], middleware=[Middleware(PassOn)]),
    ]
    return Starlette(routes=routes)


class PassOn:
    """A middleware that does nothing."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


def takes_mounts_of_included_routers() -> bool:
    """Whether this FastAPI does: older ones answer 404 there."""
    router, app = APIRouter(), FastAPI()
    router.mount("/inner", opaque)
    before = len(app.routes)
    app.include_router(router)
    return len(app.routes) > before


INCLUDED_MOUNTS = takes_mounts_of_included_routers()


def of_included_mount(route: str) -> tuple[str, str]:
    """Route and status of a request to one."""
    return (route, "200") if INCLUDED_MOUNTS else ("unmatched", "404")


FASTAPI_ROUTES = {
    "/items/a/b/c": ("/items/{item_id:path}", "200"),
    "/api/accounts/7": ("/api/accounts/{account_id}", "200"),
    "/api/accounts/seven": ("/api/accounts/{account_id}", "422"),
    "/tenants/x/accounts/7": ("/tenants/{tenant}/accounts/{account_id}", "200"),
    "/v2/deep/accounts/7": ("/v2/deep/accounts/{account_id}", "200"),
    "/api/plain/3": ("/api/plain/{number}", "200"),
    "/api/inner/customers/7": of_included_mount("/api/inner/customers/{customer_id}"),
    "/v2/deep/inner/customers/7": of_included_mount("/v2/deep/inner/customers/{customer_id}"),
    "/api/inner/nothing": ("unmatched", "404"),
    "/sub/customers/7": ("/sub/customers/{customer_id}", "200"),
    "/again/customers/7": ("/again/customers/{customer_id}", "200"),
    "/regions/eu/customers/7": ("/regions/{region}/customers/{customer_id}", "200"),
    "/regions/us/customers/8": ("/regions/{region}/customers/{customer_id}", "200"),
    "/opaque/a/b": ("/opaque/{path}", "200"),
    "/star/plain/3": ("/star/plain/{number:int}", "200"),
    "/star/mount/in/3": ("/star/mount/in/{x}", "200"),
    "/star/fast/customers/9": ("/star/fast/customers/{customer_id}", "200"),
    "/star/nothing": ("unmatched", "404"),
    "/same/a": ("/same/a", "200"),
    "/same/b/1": ("/same/b/{x}", "200"),
    "/docs": ("/docs", "200"),
    "/sub/docs": ("/sub/docs", "200"),
    "/openapi.json": ("/openapi.json", "200"),
    "/nothing": ("unmatched", "404"),
    "/sub/nothing": ("unmatched", "404"),
    "/docs/": ("unmatched", "307"),
}

STARLETTE_ROUTES = {
    "/plain/3": ("/plain/{number:int}", "200"),
    "/same/a": ("/same/a", "200"),
    "/mount/in/3": ("/mount/in/{x}", "200"),
    "/mount/more/3/4": ("/mount/more/{y}/{z}", "200"),
    "/mount/nothing": ("unmatched", "404"),
    "/fast/customers/7": ("/fast/customers/{customer_id}", "200"),
    "/opaque/a": ("/opaque/{path}", "200"),
    "/wrapped/1": ("/wrapped/{x}", "200"),
    "/nothing": ("unmatched", "404"),
}


@pytest.mark.parametrize(("path", "expected"), FASTAPI_ROUTES.items(), ids=FASTAPI_ROUTES)
async def test_fastapi_requests_carry_their_template(
    metrics: MetricsCollector, requests: Requests, call: Any, path: str, expected: tuple[str, str]
) -> None:
    await call(instrument(fastapi_app(), collector=metrics), path)
    assert requests() == {("GET", *expected): 1}


@pytest.mark.parametrize(("path", "expected"), STARLETTE_ROUTES.items(), ids=STARLETTE_ROUTES)
async def test_starlette_requests_carry_their_template(
    metrics: MetricsCollector, requests: Requests, call: Any, path: str, expected: tuple[str, str]
) -> None:
    await call(instrument(starlette_app(), collector=metrics), path)
    assert requests() == {("GET", *expected): 1}


@pytest.mark.parametrize(
    ("build", "table"), [(fastapi_app, FASTAPI_ROUTES), (starlette_app, STARLETTE_ROUTES)], ids=["FastAPI", "Starlette"]
)
async def test_one_request_does_not_colour_the_next(
    metrics: MetricsCollector,
    requests: Requests,
    call: Any,
    build: Callable[[], Any],
    table: dict[str, tuple[str, str]],
) -> None:
    app = instrument(build(), collector=metrics)
    expected: dict[tuple[str, str, str], float] = {}
    for path, labels in [*table.items(), *reversed(table.items())]:
        await call(app, path)
        expected["GET", *labels] = expected.get(("GET", *labels), 0) + 1
    assert requests() == expected


@pytest.mark.parametrize("build", [fastapi_app, starlette_app], ids=["FastAPI", "Starlette"])
async def test_a_prefix_that_a_proxy_adds_is_no_part_of_the_route(
    metrics: MetricsCollector, requests: Requests, call: Any, build: Callable[[], Any]
) -> None:
    app = instrument(build(), collector=metrics)
    path = "/proxy/api/accounts/7" if build is fastapi_app else "/proxy/mount/in/3"
    await call(app, path, root_path="/proxy")
    assert set(requests()) <= {
        ("GET", "/api/accounts/{account_id}", "200"),
        ("GET", "/mount/in/{x}", "200"),
    }


@pytest.mark.filterwarnings("ignore:The `root_path` parameter is deprecated")
async def test_an_application_that_knows_its_root_path_is_labelled_without_it(
    metrics: MetricsCollector, requests: Requests, call: Any
) -> None:
    app = FastAPI(root_path="/proxy")
    app.mount("/sub", customers())
    app.include_router(accounts())
    wrapped = MetricsMiddleware(app, collector=metrics)
    await call(wrapped, "/proxy/sub/customers/7")
    await call(wrapped, "/accounts/7")
    assert set(requests()) == {
        ("GET", "/sub/customers/{customer_id}", "200"),
        ("GET", "/accounts/{account_id}", "200"),
    }


async def test_an_instrumented_application_below_a_mount_is_labelled_with_the_mount(
    metrics: MetricsCollector, requests: Requests, call: Any
) -> None:
    app = FastAPI()
    app.mount("/sub", instrument(customers(), collector=metrics))
    await call(app, "/sub/customers/7")
    assert requests() == {("GET", "/sub/customers/{customer_id}", "200"): 1}


async def test_a_method_that_the_route_lacks_keeps_the_route(
    metrics: MetricsCollector, requests: Requests, call: Any
) -> None:
    app = instrument(fastapi_app(), collector=metrics)
    await call(app, "/api/accounts/7", "POST")
    await call(app, "/sub/customers/7", "DELETE")
    assert requests() == {
        ("POST", "/api/accounts/{account_id}", "405"): 1,
        ("DELETE", "/sub/customers/{customer_id}", "405"): 1,
    }


async def test_methods_that_clients_invent_share_a_label(
    metrics: MetricsCollector, requests: Requests, call: Any
) -> None:
    app = instrument(fastapi_app(), collector=metrics)
    await call(app, "/nothing", "BREW")
    await call(app, "/nothing", "STEEP")
    assert requests() == {("OTHER", "unmatched", "404"): 2}


async def test_routes_by_host_carry_their_template(metrics: MetricsCollector, requests: Requests, call: Any) -> None:
    app = Starlette(routes=[Host("{tenant}.sergas.com", Router([Route("/x/{y}", text)]))])
    await call(instrument(app, collector=metrics), "/x/1", headers={"host": "acme.sergas.com"})
    assert requests() == {("GET", "/x/{y}", "200"): 1}


async def test_a_request_refused_before_routing_carries_the_route_it_was_meant_for(
    metrics: MetricsCollector, requests: Requests, call: Any
) -> None:
    class Refuse(BaseHTTPMiddleware):
        async def dispatch(self, _: Request, __: Callable[[Request], Awaitable[Response]]) -> Response:
            return PlainTextResponse("log in", 401)

    app = fastapi_app()
    app.add_middleware(Refuse)
    await call(instrument(app, collector=metrics), "/api/accounts/7")
    assert requests() == {("GET", "/api/accounts/{account_id}", "401"): 1}


async def test_what_a_mounted_application_refuses_by_itself_carries_the_route_too(
    metrics: MetricsCollector, requests: Requests, call: Any
) -> None:
    class RefuseDeletion(PassOn):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            refused = scope["type"] == "http" and scope["method"] == "DELETE"
            await (PlainTextResponse("no", 403) if refused else self.app)(scope, receive, send)

    sub = customers()
    sub.add_middleware(RefuseDeletion)
    sub.add_api_route("/any", lambda: {}, methods=["GET", "DELETE"])
    app = FastAPI()
    app.mount("/sub", sub)
    instrument(app, collector=metrics)
    await call(app, "/sub/nothing")
    await call(app, "/sub/any", "DELETE")
    await call(app, "/sub/nothing", "DELETE")
    assert requests() == {
        ("GET", "unmatched", "404"): 1,
        ("DELETE", "/sub/any", "403"): 1,
        ("DELETE", "unmatched", "403"): 1,
    }


async def test_a_middleware_that_copies_the_scope_hides_no_route(
    metrics: MetricsCollector, requests: Requests, call: Any
) -> None:
    class Copy(PassOn):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await self.app(dict(scope), receive, send)

    app = fastapi_app()
    app.add_middleware(Copy)
    await call(instrument(app, collector=metrics), "/sub/customers/7")
    assert requests() == {("GET", "/sub/customers/{customer_id}", "200"): 1}


async def test_an_application_without_routes_is_unmatched(
    metrics: MetricsCollector, requests: Requests, call: Any
) -> None:
    await call(MetricsMiddleware(opaque, collector=metrics), "/anything")
    assert requests() == {("GET", "unmatched", "200"): 1}


async def test_values_in_a_mount_make_no_series_of_their_own(
    metrics: MetricsCollector, requests: Requests, call: Any
) -> None:
    app = instrument(fastapi_app(), collector=metrics)
    for number in range(20):
        await call(app, f"/regions/{number}/customers/{number}")
    assert requests() == {("GET", "/regions/{region}/customers/{customer_id}", "200"): 20}
