"""HEAD for what machines probe: the status of GET without its body, which the server leaves out."""

from starlette.types import ASGIApp, Receive, Scope, Send

PATHS = frozenset({"/livez", "/readyz", "/health", "/docs", "/openapi.json"})


class HeadAsGet:
    """ASGI middleware. The rest of the API has no HEAD: of a result it would cost as much as GET."""

    def __init__(self, app: ASGIApp) -> None:
        """Go around this application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, as GET where it is a HEAD of one of the paths."""
        if scope["type"] == "http" and scope["method"] == "HEAD" and scope["path"] in PATHS:
            scope = {**scope, "method": "GET"}
        await self._app(scope, receive, send)
