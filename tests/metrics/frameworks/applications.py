"""The same application in each framework: /items/{id} answers, /boom raises, anything else is not found."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import Any

from sergas_metrics import MetricsCollector, MetricsMiddleware, instrument

Scope = MutableMapping[str, Any]

ROUTE_KEY = "app.route"
"""Where an application leaves its route's template, if its framework keeps it out of the scope."""


def route_in_scope(scope: Scope) -> str | None:
    """The template that an application left in its scope."""
    found: str | None = scope.get(ROUTE_KEY)
    return found


def fastapi(metrics: MetricsCollector) -> Any:
    """FastAPI."""
    from fastapi import FastAPI

    app = FastAPI()

    @app.get("/items/{item_id}")
    async def item(item_id: int) -> dict[str, int]:
        return {"id": item_id}

    @app.get("/boom")
    async def boom() -> None:
        raise RuntimeError("boom")

    return instrument(app, collector=metrics)


def starlette(metrics: MetricsCollector) -> Any:
    """Starlette."""
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    async def item(request: Request) -> JSONResponse:
        return JSONResponse({"id": int(request.path_params["item_id"])})

    async def boom(_: Request) -> JSONResponse:
        raise RuntimeError("boom")

    return instrument(Starlette(routes=[Route("/items/{item_id}", item), Route("/boom", boom)]), collector=metrics)


def litestar(metrics: MetricsCollector) -> Any:
    """Litestar, which leaves the template in its scope."""
    from litestar import Litestar, get

    @get("/items/{item_id:int}")
    async def item(item_id: int) -> dict[str, int]:
        return {"id": item_id}

    @get("/boom")
    async def boom() -> None:
        raise RuntimeError("boom")

    app = Litestar([item, boom], logging_config=None)
    return MetricsMiddleware(
        app, collector=metrics, metrics_path="/metrics", route=lambda scope: scope.get("path_template")
    )


def quart(metrics: MetricsCollector) -> Any:
    """Quart, which keeps the rule in its request."""
    from quart import Quart, request

    app = Quart("quart_app")

    @app.before_request
    async def leave_route() -> None:
        if request.url_rule is not None:
            request.scope[ROUTE_KEY] = request.url_rule.rule  # type: ignore[typeddict-unknown-key]

    @app.get("/items/<int:item_id>")
    async def item(item_id: int) -> dict[str, int]:
        return {"id": item_id}

    @app.get("/boom")
    async def boom() -> None:
        raise RuntimeError("boom")

    return MetricsMiddleware(app, collector=metrics, metrics_path="/metrics", route=route_in_scope)


def leave_route(get_response: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A middleware of Django that leaves the template in the scope."""

    def answer(request: Any) -> Any:
        response = get_response(request)
        if request.resolver_match is not None:
            request.scope[ROUTE_KEY] = f"/{request.resolver_match.route}"
        return response

    return answer


def django(metrics: MetricsCollector) -> Any:
    """Django by ASGI, which keeps the match in its request."""
    import django as framework
    from django.conf import settings
    from django.core.asgi import get_asgi_application
    from django.http import HttpRequest, JsonResponse
    from django.urls import path

    def item(_: HttpRequest, item_id: int) -> JsonResponse:
        return JsonResponse({"id": item_id})

    def boom(_: HttpRequest) -> JsonResponse:
        raise RuntimeError("boom")

    class Urls:
        urlpatterns = (path("items/<int:item_id>", item), path("boom", boom))

    settings.configure(
        SECRET_KEY="a test's",
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=Urls,
        MIDDLEWARE=["applications.leave_route"],
        LOGGING_CONFIG=None,
    )
    framework.setup()
    return MetricsMiddleware(get_asgi_application(), collector=metrics, metrics_path="/metrics", route=route_in_scope)


def falcon(metrics: MetricsCollector) -> Any:
    """Falcon by ASGI, which keeps the template in its request."""
    from falcon.asgi import App, Request, Response

    class Item:
        async def on_get(self, _: Request, response: Response, item_id: int) -> None:
            response.media = {"id": item_id}

    class Boom:
        async def on_get(self, _: Request, __: Response) -> None:
            raise RuntimeError("boom")

    class LeaveRoute:
        async def process_resource(self, request: Request, *_: Any) -> None:
            request.scope[ROUTE_KEY] = request.uri_template

    app = App(middleware=[LeaveRoute()])
    app.add_route("/items/{item_id:int}", Item())
    app.add_route("/boom", Boom())
    return MetricsMiddleware(app, collector=metrics, metrics_path="/metrics", route=route_in_scope)
