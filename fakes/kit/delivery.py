"""How an answer leaves the fake: whole, cut, in dribbles, or not at all, on the real socket."""

import asyncio
import socket
import struct
from typing import Any

from starlette.types import Message, Receive, Scope, Send

from fakes.kit.calls import Answer, Call, Ending

TRANSPORT = "fakes.transport"
"""The key in the ASGI scope under which the kit's server hands over the connection."""
ABORT = struct.pack("ii", 1, 0)  # SO_LINGER on, for 0 s: close() sends RST


async def deliver(answer: Answer, call: Call, scope: Scope, receive: Receive, send: Send) -> None:
    """Send an answer the way it ends."""
    if answer.ending is Ending.SILENCE and not call.virtual:
        await gone(receive)
        return
    if answer.ending in (Ending.RESET, Ending.CLOSE):
        transport: asyncio.Transport = scope[TRANSPORT]
        if answer.ending is Ending.RESET:
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
            transport.abort()
        else:
            transport.close()
        await gone(receive)
        return
    if call.entry is not None:
        call.entry.status = answer.status if answer.ending is not Ending.SILENCE else None
    headers = answer.headers
    if scope["method"] != "HEAD":  # whose Content-Length is that of a body which is not sent
        headers = [*answer.without(b"content-length"), (b"content-length", b"%d" % len(answer.body))]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers + elapsed(call)})
    if answer.ending is Ending.CUT:
        await send({"type": "http.response.body", "body": answer.body[: len(answer.body) // 2], "more_body": True})
        scope[TRANSPORT].close()
        await gone(receive)
        return
    body = answer.body
    if answer.pace is not None and not call.virtual:
        size, pause = answer.pace
        leaving = asyncio.ensure_future(gone(receive))
        try:
            while body and not leaving.done():
                await send({"type": "http.response.body", "body": body[:size], "more_body": True})
                body = body[size:]
                await asyncio.wait([leaving], timeout=pause * call.scale)
        finally:
            leaving.cancel()
        if body:
            return
    await send({"type": "http.response.body", "body": body})


def elapsed(call: Call) -> list[tuple[bytes, bytes]]:
    """Return the headers that tell a virtual caller what the call took, and how long it was silent at most."""
    if not call.virtual:
        return []
    told = [(b"x-sim-elapsed", repr(call.elapsed).encode())]
    if call.longest_pause is not None:
        told.append((b"x-sim-longest-pause", repr(call.longest_pause).encode()))
    return told


async def gone(receive: Receive) -> None:
    """Wait until the caller has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


class Recorder:
    """A `send` that keeps the answer back, for faults that change it."""

    def __init__(self) -> None:
        self._start: dict[str, Any] = {}
        self._body: list[bytes] = []

    async def __call__(self, message: Message) -> None:
        """Take one message of ASGI."""
        if message["type"] == "http.response.start":
            self._start = dict(message)
        elif message["type"] == "http.response.body":
            self._body.append(message.get("body", b""))

    def answer(self) -> Answer:
        """Return what was sent."""
        return Answer(self._start["status"], b"".join(self._body), list(self._start.get("headers", ())))
