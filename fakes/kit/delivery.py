"""How an answer leaves the fake: whole, cut, in dribbles, or not at all, on the real socket."""

import asyncio
import socket
import struct
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, cast

from starlette.types import Message, Receive, Scope, Send

from . import wire
from .calls import Answer, Call, Ending
from .digests import kept
from .ledger import Entry

TRANSPORT = "fakes.transport"
"""The key in the ASGI scope under which the kit's server hands over the connection."""
ABORT = struct.pack("ii", 1, 0)  # SO_LINGER on, for 0 s: close() sends RST
ELAPSED, LONGEST_PAUSE = wire.ELAPSED.lower().encode(), wire.LONGEST_PAUSE.lower().encode()


class Exchange:
    """One call on its way through, both directions: the ledger gets the status and what it keeps of two JSON bodies.

    While the application `answers`, a 500 is held back until it is known whether it raised.
    """

    __slots__ = ("_asked", "_call", "_given", "_held", "_receive", "_send", "answers", "begun")

    def __init__(self, call: Call, receive: Receive, send: Send, *, asks_json: bool) -> None:
        self._call = call
        self._receive = receive
        self._send = send
        self._asked: bytes | None = b"" if asks_json and call.entry is not None else None
        self._given: bytes | None = None
        self._held: list[Message] = []
        self.answers = False
        self.begun = False
        """Some of the answer is out."""

    async def receive(self) -> Message:
        """Hand on what the caller sends."""
        message = await self._receive()
        if self._asked is not None and message["type"] == "http.request":
            self._asked += message.get("body", b"")
            if not message.get("more_body"):
                cast("Entry", self._call.entry).sent = kept(self._asked)
                self._asked = b""
        return message

    async def send(self, message: Message) -> None:
        """Hand on what is answered."""
        call = self._call
        if message["type"] == "http.response.start":
            if self.answers and message["status"] == HTTPStatus.INTERNAL_SERVER_ERROR:
                self._held.append(message)
                return
            self.begun = True
            headers = message.get("headers", ())
            if call.entry is not None:
                call.entry.status = message["status"]
                self._given = b"" if is_json(headers) else None
            if call.virtual:
                message["headers"] = [*headers, *_elapsed(call)]
        elif self._held:
            self._held.append(message)
            return
        elif self._given is not None:
            self._given += message.get("body", b"")
            if not message.get("more_body"):
                cast("Entry", call.entry).answered = kept(self._given)
                self._given = b""
        await self._send(message)

    async def let_go(self) -> None:
        """Send what was held back: the application has ended, and meant it."""
        self.answers = False
        held, self._held = self._held, []
        for message in held:
            await self.send(message)

    def drop(self) -> None:
        """Forget what was held back: it was the answer to an exception."""
        self.answers = False
        self._held.clear()


async def deliver(answer: Answer, call: Call, scope: Scope, receive: Receive, send: Send) -> None:
    """Send an answer the way it ends."""
    if answer.ending is Ending.SILENCE and not call.virtual:
        await gone(receive)
        return
    if answer.ending is Ending.RESET:
        await reset(scope, receive)
        return
    if answer.ending is Ending.CLOSE:
        scope[TRANSPORT].close()
        await gone(receive)
        return
    if answer.head_pace is not None and not call.virtual:
        await _head_by_head(answer, call, scope, receive)
        return
    headers = answer.headers
    if scope["method"] != "HEAD":  # whose Content-Length is that of a body which is not sent
        headers = [*answer.without(b"content-length"), (b"content-length", b"%d" % len(answer.body))]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    if answer.ending is Ending.CUT:
        await send({"type": "http.response.body", "body": answer.body[: len(answer.body) // 2], "more_body": True})
        scope[TRANSPORT].close()
        await gone(receive)
        return
    if answer.pace is not None and not call.virtual:
        await _dribble(answer, call, receive, send)
        return
    await send({"type": "http.response.body", "body": answer.body})
    if answer.ending is Ending.SILENCE and call.entry is not None:
        call.entry.status = None  # that of a virtual call, which never gets one


async def _dribble(answer: Answer, call: Call, receive: Receive, send: Send) -> None:
    """Send the body in pieces, as long as the caller stays."""
    body, (size, pause) = answer.body, answer.pace or (1, 0.0)
    leaving = asyncio.ensure_future(gone(receive))
    try:
        while body and not leaving.done():
            await send({"type": "http.response.body", "body": body[:size], "more_body": True})
            body = body[size:]
            await asyncio.wait([leaving], timeout=pause * call.scale)
    finally:
        leaving.cancel()
    if not body:
        await send({"type": "http.response.body", "body": b""})


async def _head_by_head(answer: Answer, call: Call, scope: Scope, receive: Receive) -> None:
    """Write an answer by hand, its headers in pieces: no server sends half of them."""
    transport: asyncio.Transport = scope[TRANSPORT]
    size, pause = answer.head_pace or (1, 0.0)
    head = answer.head()
    if call.entry is not None:
        call.entry.status = answer.status
    leaving = asyncio.ensure_future(gone(receive))
    try:
        while head and not leaving.done():
            transport.write(head[:size])
            head = head[size:]
            await asyncio.wait([leaving], timeout=pause * call.scale)
        transport.write(answer.body)
        transport.close()
        await leaving
    finally:
        leaving.cancel()


async def reset(scope: Scope, receive: Receive) -> None:
    """End the connection with a TCP RST, unless the caller has left."""
    transport: asyncio.Transport = scope[TRANSPORT]
    if not transport.is_closing():
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
        transport.abort()
    await gone(receive)


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


def _elapsed(call: Call) -> list[tuple[bytes, bytes]]:
    """Return the headers that tell a virtual caller what the call took, and how long it was silent at most."""
    told = [(ELAPSED, repr(call.elapsed).encode())]
    if call.longest_pause is not None:
        told.append((LONGEST_PAUSE, repr(call.longest_pause).encode()))
    return told


def is_json(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Return whether headers, with names in any case, announce JSON."""
    for name, value in headers:
        if len(name) == 12 and name.lower() == b"content-type":
            return value.startswith(b"application/json")
    return False
