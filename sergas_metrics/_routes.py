"""Finds the template of the route that answered a request, from what Starlette and FastAPI leave in its ASGI scope.

Neither framework is imported. What they leave behind, and why none of it is enough alone:

* ``endpoint`` is set by every match, the innermost last: whatever else is in the scope counts only if it agrees.
* ``route`` is set by Starlette's router and by FastAPI's own routes, but not by FastAPI's router for plain routes
  such as ``/docs``. Its path lacks the prefix of ``include_router``.
* ``fastapi.effective_route_context`` has that prefix, but stays behind when a mount below it matches further.
* ``root_path`` grows with every mount, by the text that matched and not by the mount's template.

So a route that agrees with ``endpoint`` and lies under no mount is read straight from the scope, and everything else
is found by asking the routes again, once for each route that is known to have answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableMapping
from typing import Any, Final

Scope = MutableMapping[str, Any]

UNMATCHED: Final = "unmatched"
"""The ``route`` label of every request that no route answers."""

_FULL: Final = 2
_PARTIAL: Final = 1
_MAX_REMEMBERED: Final = 4096


class RouteTemplates:
    """Templates of routes, remembered by route and mount."""

    def __init__(self) -> None:
        # A route is kept beside its template so that its id is not given to another object.
        self._known: dict[tuple[int, str], tuple[object, str]] = {}
        self._agreed: dict[int, tuple[object, object, str]] = {}

    def of(self, scope: Scope) -> str:
        """The route's template as the client addresses it, mounts and prefixes included, or ``unmatched``.

        Args:
            scope: The scope of a request that has been routed.
        """
        endpoint = scope.get("endpoint")
        if endpoint is None:
            return _without_endpoint(scope)
        # What the innermost router that tells left behind. It stands for one route as long as the endpoint agrees.
        left = scope["fastapi"].get("effective_route_context") if "fastapi" in scope else None
        if left is None:
            left = scope.get("route")
        agreed = self._agreed.get(id(left))
        if agreed is not None and agreed[1] is endpoint and "app_root_path" not in scope:
            return agreed[2]
        return self._found(scope, endpoint, left)

    def _found(self, scope: Scope, endpoint: object, left: object) -> str:
        route = _agreeing_route(scope, endpoint)
        if route is None:
            # Plain functions may serve several routes, and a mounted application is also what is left of a request
            # that matched none of its routes: such an endpoint does not settle the template.
            return _ask_routes(scope)
        if "app_root_path" in scope:
            return self._remembered(scope, route)
        template = str(route.path)
        if route is (getattr(left, "starlette_route", None) or left):
            if len(self._agreed) >= _MAX_REMEMBERED:
                self._agreed.clear()
            self._agreed[id(left)] = (left, endpoint, template)
        return template

    def _remembered(self, scope: Scope, route: object) -> str:
        key = (id(route), scope.get("root_path", ""))
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= _MAX_REMEMBERED:
                self._known.clear()
            known = self._known[key] = (route, _ask_routes(scope))
        return known[1]


def _agreeing_route(scope: Scope, endpoint: object) -> Any:
    """The route or route context in the scope that belongs to the endpoint, if it has a path of its own."""
    fastapi = scope.get("fastapi")
    context = fastapi.get("effective_route_context") if fastapi else None
    if context is not None:
        route = getattr(context, "starlette_route", None) or context
        if getattr(route, "endpoint", None) is endpoint:
            return route
    route = scope.get("route")
    if route is not None:
        route = getattr(route, "starlette_route", None) or route
        if getattr(route, "endpoint", None) is endpoint:
            return route
    return None


def _without_endpoint(scope: Scope) -> str:
    fastapi = scope.get("fastapi")
    if fastapi and "frontend_path" in fastapi:
        return _frontend_template(scope, fastapi["frontend_path"])
    if "router" in scope:
        return UNMATCHED
    # Nothing was routed in this scope: a middleware answered by itself, or passed a copy of the scope on.
    return _ask_routes(scope)


def _frontend_template(scope: Scope, rest: str) -> str:
    """The template of files that FastAPI serves below a fixed prefix."""
    path = _below_root(scope)
    return (path.removesuffix(rest) if rest else path).rstrip("/") + "/{path}"


def _below_root(scope: Scope) -> str:
    path: str = scope["path"]
    root: str = scope.get("app_root_path", scope.get("root_path", ""))
    return path.removeprefix(root) if root else path


def _ask_routes(scope: Scope) -> str:
    probe = {
        "type": "http",
        "method": scope["method"],
        "path": scope["path"],
        "root_path": scope.get("app_root_path", scope.get("root_path", "")),
        "headers": scope.get("headers", []),
        "path_params": {},
    }
    return _find(_routes_of(scope), probe, "") or UNMATCHED


def _routes_of(scope: Scope) -> Iterable[Any]:
    return getattr(scope.get("router") or scope.get("app"), "routes", None) or ()


def _find(routes: Iterable[Any], scope: Scope, prefix: str) -> str | None:
    partial = None
    for route in _flat(routes):
        if route is None:
            return None  # another framework's
        match, child = route.matches(scope)
        if match.value == _FULL:
            return _template(route, {**scope, **child}, prefix)
        if match.value == _PARTIAL and partial is None:
            partial = (route, {**scope, **child})
    return _template(*partial, prefix) if partial else None


def _flat(routes: Iterable[Any]) -> Iterator[Any]:
    """Routes with those of included routers in their place."""
    for route in routes:
        contexts = getattr(route, "effective_route_contexts", None)
        if contexts is None:
            yield route
        else:
            yield from contexts()


def _template(route: Any, scope: Scope, prefix: str) -> str | None:
    own = getattr(route, "starlette_route", None) or route
    path = prefix + getattr(own, "path", "")
    if not _is_mount(own):
        return path or None
    if not own.routes:
        return path + "/{path}"
    return _find(own.routes, scope, path)


def _is_mount(route: Any) -> bool:
    return hasattr(route, "routes") and hasattr(route, "app")
