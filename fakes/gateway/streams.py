"""Server-sent events as the gateway sends them, and as networks break them."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from fastapi import Response
from starlette.types import Receive, Scope, Send

from fakes.gateway.scripts import TIMES, Stream
from fakes.gateway.tryons import TryOn

COMMENT_S = 15.0
"""Seconds between two comments of a stream that has nothing else to say."""

LOOK_S = 0.1
AGAIN_MS = 5000
"""When a browser comes again after `unavailable`."""


def events_of(tryon: TryOn, leaving: asyncio.Event, last_seen: str | None) -> Response:
    """Return the stream of a try-on, from the event that the client has seen last."""
    if last_seen is not None and last_seen == _id(tryon.state()) and tryon.state()["status"] != "RUNNING":
        return Response(status_code=204)  # an EventSource comes again for ever, unless it is told that this was all
    return _Stream(tryon, leaving, last_seen)


class _Stream(Response):
    media_type = "text/event-stream"

    def __init__(self, tryon: TryOn, leaving: asyncio.Event, last_seen: str | None) -> None:
        super().__init__(headers={"Cache-Control": "no-cache", "X-Scenario": tryon.script.name})
        del self.headers["content-length"]
        self._tryon = tryon
        self._leaving = leaving
        self._seen = last_seen
        tryon.requests["events"] += 1

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI
        """Send the events; a stream that breaks ends without its end."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        left = asyncio.ensure_future(_left(receive))
        breaks = self._tryon.script.stream is Stream.BREAKS
        sent = 0
        try:
            async for event in self._events(left):
                await send({"type": "http.response.body", "body": event.encode(), "more_body": True})
                sent += 1
                if breaks and sent == TIMES:
                    return
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            left.cancel()

    async def _events(self, left: asyncio.Future[None]) -> AsyncIterator[str]:
        kind = self._tryon.script.stream
        spoken = asyncio.get_running_loop().time()
        if kind is Stream.UNAVAILABLE and self._tryon.requests["events"] == 1:
            error = {"code": "TEMPORAL_UNAVAILABLE", "message": "Temporal cannot take the request now", "details": []}
            yield _event("unavailable", {"error": error}, retry=AGAIN_MS)
            return
        while not left.done() and not self._leaving.is_set():
            state = self._tryon.state()
            ended = state["status"] != "RUNNING"
            now = asyncio.get_running_loop().time()
            if _id(state) != self._seen and kind is not Stream.SILENT:
                self._seen, spoken = _id(state), now
                yield _event("end" if ended else "progress", state, id=_id(state))
            elif now - spoken >= COMMENT_S:
                spoken = now
                yield ": ping\n\n"
            if ended and kind is not Stream.SILENT:
                return
            await asyncio.sleep(LOOK_S)


def _id(state: dict[str, Any]) -> str:
    return str(state.get("progress", state["status"]))


def _event(name: str, data: dict[str, Any], **fields: str | int) -> str:
    lines = [f"event: {name}", *(f"{key}: {value}" for key, value in fields.items()), f"data: {json.dumps(data)}"]
    return "\n".join(lines) + "\n\n"


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
