"""Latencies of addresses under so many connections, which are open before the first measured request.

A load generator that connects while it measures reports its own connecting as the server's tail. This one costs about
30 us a request, so that its queue of answers that come together stays far below what is measured.
"""

import asyncio
import time
from collections.abc import Sequence
from functools import partial
from typing import cast
from urllib.parse import urlsplit

import httptools
import uvloop

from loadtests.measure.histogram import at_percentile

LONGEST_S = 120
"""A measurement that takes longer has hung."""


class _Connection(asyncio.Protocol):
    """Sends a request, waits for the whole answer, sends the next."""

    def __init__(self, request: bytes, rounds: int) -> None:
        self.latencies: list[float] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._request = request
        self._left = rounds
        self._began = 0.0
        self._transport: asyncio.Transport
        self._parser = httptools.HttpResponseParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.send()

    def send(self) -> None:
        self._began = time.perf_counter()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        self.latencies.append(time.perf_counter() - self._began)
        if self._parser.get_status_code() != 200:
            self._fail(f"an answer was {self._parser.get_status_code()}")
        elif len(self.latencies) <= self._left:  # the first one paid for the connection, and is not counted
            self._parser = httptools.HttpResponseParser(self)
            asyncio.get_running_loop().call_soon(self.send)
        else:
            self._transport.close()
            self.done.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(f"the connection broke: {exc}")

    def _fail(self, why: str) -> None:
        if not self.done.done():
            self.done.set_exception(RuntimeError(why))


def percentile_ms(url: str, *, connections: int, rounds: int, share: float) -> float:
    """Return the latency that this share of the answers keeps, in milliseconds.

    Raises:
        RuntimeError: an answer was no 200, or the server closes connections after an answer.
    """
    latencies = sorted(uvloop.run(ask([url] * connections, rounds)))
    return at_percentile(latencies, 100 * share) * 1000


async def ask(urls: Sequence[str], rounds: int) -> list[float]:
    """GET each address so many times over a connection of its own, all at once, and return the seconds of each answer.

    Raises:
        RuntimeError: an answer was no 200, or the server closes connections after an answer.
    """
    loop = asyncio.get_running_loop()
    opened = []
    for url in urls:
        where = urlsplit(url)
        request = f"GET {where.path} HTTP/1.1\r\nHost: {where.netloc}\r\n\r\n".encode()
        made = partial(_Connection, request, rounds)
        opened.append((await loop.create_connection(made, str(where.hostname), where.port or 80))[1])
    async with asyncio.timeout(LONGEST_S):
        await asyncio.gather(*(connection.done for connection in opened))
    return [latency for connection in opened for latency in connection.latencies[1:]]
