"""Sending large answers: each is in memory for as long as its reader takes, so that their number is limited."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.gateway.admission.bodies import SLOWEST
from app.gateway.http_limits import READER_TIMEOUT

PIECE = int(READER_TIMEOUT * SLOWEST)
"""Bytes that are handed over at once: who needs longer than READER_TIMEOUT for them reads slower than one may send."""


class HeldAnswer(Response):
    """JSON that is made and sent within a slot. The slot is free again when the reader has all but the last bytes."""

    media_type = "application/json"

    def __init__(self, make: Callable[[], Awaitable[bytes]], slot: AbstractAsyncContextManager[None]) -> None:
        """Take the way to make the JSON, and the slot to do it in."""
        super().__init__()
        self._make = make
        self._slot = slot

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI
        """Wait for the slot, make the answer and send it piece by piece. What `make` raises comes out."""
        async with self._slot:
            answer = Response(await self._make(), media_type=self.media_type)
            await send({"type": "http.response.start", "status": answer.status_code, "headers": answer.raw_headers})
            body = memoryview(answer.body)
            for place in range(0, len(body), PIECE):
                # The server waits with each until the one before has been taken.
                await send({"type": "http.response.body", "body": body[place : place + PIECE], "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
