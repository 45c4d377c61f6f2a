"""A server that claims what it is told to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Server:
    """Answers each request with the next of the given headers, and keeps what it was sent."""

    def __init__(self) -> None:
        self.answers: list[str] = []
        self.seen: list[str] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except (asyncio.IncompleteReadError, ConnectionError):
                break
            self.seen.append(head.decode().lower())
            answer = self.answers.pop(0) if self.answers else ""
            writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n{answer}\r\nok".encode())
            await writer.drain()
        writer.close()

    def times_sent(self) -> list[float]:
        return [float(head.split("x-sim-time: ")[1].split("\r\n")[0]) for head in self.seen]


@asynccontextmanager
async def claiming() -> AsyncIterator[Server]:
    served = Server()
    listening = await asyncio.start_server(served.serve, "127.0.0.1", 0)
    served.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    yield served
    listening.close()
