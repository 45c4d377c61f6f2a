"""From the kit straight to a route of FastAPI: it knows the operation, so nothing is looked for twice."""

from collections.abc import Iterable

from fastapi import FastAPI
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from fastapi.routing import APIRoute, APIRouter
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from .calls import Operation


def straight(app: ASGIApp, operations: Iterable[Operation]) -> dict[str, ASGIApp]:
    """Return what answers the operations, by name, of those that need nothing of an application but their route.

    They leave out what FastAPI has around its routes and does nothing here: its telemetry, its last resort for errors,
    which is the kit's, and the search for the route.
    """
    if not isinstance(app, FastAPI) or not _is_plain(app):
        return {}
    found = ((each.name, _route(app, each)) for each in operations)
    return {name: _Way(app, route) for name, route in found if route is not None}


def _is_plain(app: FastAPI) -> bool:
    """Say whether an application does no more around its routes than FastAPI does by itself."""
    return (
        type(app) is FastAPI
        and type(app.router) is APIRouter
        and not app.user_middleware
        and not app.root_path
        and not (app.max_body_size or app.router.form_limits)
        and not {500, Exception} & app.exception_handlers.keys()
        and "build_middleware_stack" not in vars(app)  # as an instrumentation replaces it
    )


def _route(app: FastAPI, operation: Operation) -> APIRoute | None:
    """Return the first route that may answer an operation, None when something else may do so before it."""
    for route in app.router.routes:
        if not isinstance(route, Route):
            return None
        if _apart(route.path, operation.path) or operation.method not in (route.methods or (operation.method,)):
            continue
        return route if type(route) is APIRoute else None
    return None


def _apart(one: str, other: str) -> bool:
    """Say whether no path fits two patterns."""
    if ":path}" in one + other:
        return False
    mine, theirs = one.split("/"), other.split("/")
    return len(mine) != len(theirs) or any(a != b and "{" not in a + b for a, b in zip(mine, theirs, strict=True))


class _Way:
    """The way to one route, or to all of the application where the route has a narrower pattern than the operation."""

    def __init__(self, app: FastAPI, route: APIRoute) -> None:
        self._app, self._route = app, route
        self._inside = ExceptionMiddleware(
            AsyncExitStackMiddleware(route.handle), handlers=app.exception_handlers, debug=app.debug
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match, found = self._route.matches(scope)
        if match is Match.FULL:
            scope.update(found, app=self._app, router=self._app.router)
            await self._inside(scope, receive, send)
        else:
            await self._app(scope, receive, send)
