"""The service that `polling` asks for its reports: done at the so many-th question, with trouble where told."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

Call = tuple[str, int]
"""`order` or `ask`, and which of these calls, from 1."""
TROUBLE = ("lost", "busy", "garbage")
"""What may be wrong with any answer. A question can be answered by `gave up`, too."""


class Reports:
    """A service that makes reports. `calls` are those that it got, in their order."""

    def __init__(self, done_at: int, trouble: Mapping[Call, str] | None = None) -> None:
        self._done_at, self._trouble = done_at, dict(trouble or {})
        self.calls: list[Call] = []

    def count(self, operation: str) -> int:
        return sum(call[0] == operation for call in self.calls)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        for line in head.lower().splitlines():
            if line.startswith("content-length:"):
                await reader.readexactly(int(line.partition(":")[2]))
        operation = "order" if head.startswith("POST") else "ask"
        self.calls.append((operation, self.count(operation) + 1))
        trouble = self._trouble.get(self.calls[-1])
        if trouble != "lost":
            body = b"<html>" if trouble == "garbage" else self._body(operation, trouble)
            status = b"503 Service Unavailable" if trouble == "busy" else b"200 OK"
            head_lines = b"content-type: application/json\r\nconnection: close\r\ncontent-length: %d" % len(body)
            writer.write(b"HTTP/1.1 %s\r\n%s\r\n\r\n%s" % (status, head_lines, body))
            await writer.drain()
        writer.close()

    def _body(self, operation: str, trouble: str | None) -> bytes:
        if operation == "order":
            return b'{"ticket": "t-1"}'
        done = self.count("ask") >= self._done_at
        return b'{"state": "%s", "url": "/r.pdf"}' % (
            b"failed" if trouble == "gave up" else b"done" if done else b"working"
        )

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        async with await asyncio.start_server(self.answer, "127.0.0.1", 0) as server:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
