"""From the kit straight to a route of FastAPI: it knows the operation, so nothing is looked for twice."""

import re
from collections.abc import Iterable

from fastapi import FastAPI
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from fastapi.routing import APIRoute, APIRouter
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from .calls import Operation

CONVERTED = re.compile(r":(?!path\})\w+\}")
"""A parameter that fits more or less than anything without a slash."""


def straight(app: ASGIApp, operations: Iterable[Operation]) -> dict[str, ASGIApp]:
    """Return what answers the operations, by name, of those that need nothing of an application but their route.

    They leave out what FastAPI has around its routes and does nothing here: its telemetry, its last resort for errors,
    which is the kit's, and the search for the route. The application is taken as it is now.
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
        and app.max_body_size is app.router.max_body_size is None
        and not app.router.form_limits
        and not {500, Exception} & app.exception_handlers.keys()
        and "build_middleware_stack" not in vars(app)  # as an instrumentation replaces it
    )


def _route(app: FastAPI, operation: Operation) -> APIRoute | None:
    """Return the first route that may answer an operation, None when something else may do so before it."""
    for route in app.router.routes:
        if type(route) not in {Route, APIRoute}:
            return None
        assert isinstance(route, Route)
        if _apart(route.path, operation.path) or operation.method not in (route.methods or (operation.method,)):
            continue
        return route if isinstance(route, APIRoute) and not CONVERTED.search(route.path) else None
    return None


def _apart(one: str, other: str) -> bool:
    """Say whether no path fits two patterns."""
    if CONVERTED.search(one + other) or ":path}" in one + other:
        return False
    mine, theirs = one.split("/"), other.split("/")
    return len(mine) != len(theirs) or any(a != b and "{" not in a + b for a, b in zip(mine, theirs, strict=True))


class _Way:
    """The way to one route, or to all of the application where that does not fit."""

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
