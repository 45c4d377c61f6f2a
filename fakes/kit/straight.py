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

    They leave out what FastAPI has around its routes and does nothing here: its last resort for errors, which is the
    kit's, and the search for the route. The application is taken as it is now, as FastAPI takes it with its first call.
    """
    if not isinstance(app, FastAPI) or not _is_plain(app):
        return {}
    app.middleware_stack = app.middleware_stack or app.build_middleware_stack()  # it refuses middleware from now on
    found = ((each.name, _place(app, each)) for each in operations)
    return {name: _Way(app, place) for name, place in found if place is not None}


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
        and not ((telemetry := getattr(app, "_native_telemetry", None)) and telemetry.enabled())
    )


def _place(app: FastAPI, operation: Operation) -> int | None:
    """Return the place of the first route that may answer an operation, None when something else may do so before."""
    for place, route in enumerate(app.router.routes):
        if type(route) not in {Route, APIRoute}:
            return None
        assert isinstance(route, Route)
        if _apart(route.path, operation.path) or operation.method not in (route.methods or (operation.method,)):
            continue
        return place if isinstance(route, APIRoute) and not CONVERTED.search(route.path) else None
    return None


def _apart(one: str, other: str) -> bool:
    """Say whether no path fits two patterns."""
    if CONVERTED.search(one + other) or ":path}" in one + other:
        return False
    mine, theirs = one.split("/"), other.split("/")
    return len(mine) != len(theirs) or any(a != b and "{" not in a + b for a, b in zip(mine, theirs, strict=True))


class _Way:
    """The way to one route, or to all of the application where that does not fit."""

    def __init__(self, app: FastAPI, place: int) -> None:
        self._app, self._routes = app, app.router.routes[: place + 1]
        self._inside = ExceptionMiddleware(
            AsyncExitStackMiddleware(self._routes[-1].handle), handlers=app.exception_handlers, debug=app.debug
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match, found = self._routes[-1].matches(scope)
        # Routes may change at any time, and do in the lifespan of some.
        if match is Match.FULL and self._app.router.routes[: len(self._routes)] == self._routes:
            scope.update(found, app=self._app, router=self._app.router)
            await self._inside(scope, receive, send)
        else:
            await self._app(scope, receive, send)
