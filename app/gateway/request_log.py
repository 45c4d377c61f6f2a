"""Around every request: what its log lines carry, one line at its end, and an answer for the unexpected."""

import time

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import PipelineError
from app.gateway.api.errors import problem_response

log = structlog.get_logger(__name__)

_QUIET = {"/livez", "/readyz", "/health"}
"""Asked every few seconds by machines: logged for those who look closely."""


class Frame:
    """ASGI middleware, inside CORS so that a browser can read the answer to an unexpected error too."""

    def __init__(self, app: ASGIApp) -> None:
        """Go around this application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; log it; answer 500 where something unexpected was raised."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        structlog.contextvars.clear_contextvars()
        began = time.perf_counter()
        status: int | None = None

        async def watched_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched_send)
        except ClientDisconnect:
            log.info("client left", method=scope["method"], path=scope["path"])
            return
        except Exception:
            log.exception("unexpected error", method=scope["method"], path=scope["path"])
            if status is None:
                answer = problem_response(PipelineError("An unexpected error in the backend"))
                await answer(scope, receive, watched_send)
        level = "debug" if scope["path"] in _QUIET else "info"
        milliseconds = round((time.perf_counter() - began) * 1000, 1)
        getattr(log, level)("request", method=scope["method"], path=scope["path"], status=status, ms=milliseconds)
