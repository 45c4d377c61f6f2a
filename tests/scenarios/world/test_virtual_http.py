"""The network seams over real sockets: claimed time moves the clock, and ends a call as real time would have."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import inf

import httpx
import pytest
from azure.core.exceptions import ServiceRequestError, ServiceResponseTimeoutError
from azure.core.pipeline.transport import HttpRequest

from scenarios.world.virtual_clock import AttemptClock, SimulatedClock, SimulationError
from scenarios.world.virtual_http import VirtualBlobTransport, VirtualTransport

START = 1_800_000_000.0


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


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    served = Server()
    listening = await asyncio.start_server(served.serve, "127.0.0.1", 0)
    served.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    yield served
    listening.close()


@asynccontextmanager
async def client(url: str, *, read: float | None = 5) -> AsyncIterator[httpx.AsyncClient]:
    # One connection: a transport that keeps one after a fault starves the next call.
    inner = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=1))
    timeout = httpx.Timeout(5, read=read)
    async with httpx.AsyncClient(base_url=url, transport=VirtualTransport(inner), timeout=timeout) as made:
        yield made


def attempt() -> AttemptClock:
    clock = AttemptClock(START)
    clock.enter()
    return clock


async def test_the_callers_time_travels_and_the_claimed_time_comes_back(server: Server) -> None:
    clock = attempt()
    server.answers = ["X-Sim-Elapsed: 2.5\r\n"]
    async with client(server.url) as http:
        await http.get("/")
        await clock.advance(2)
        await http.get("/")
    assert server.times_sent() == [START, START + 4.5]
    assert clock.elapsed() == 4.5


async def test_outside_an_attempt_nothing_is_sent_along(server: Server) -> None:
    async with client(server.url) as http:
        assert (await http.get("/")).text == "ok"
    assert "x-sim-time" not in server.seen[0]


@pytest.mark.parametrize("claimed", ["5.5", "inf"])
async def test_what_outlasts_the_read_timeout_ends_in_it(server: Server, claimed: str) -> None:
    clock = attempt()
    server.answers = [f"X-Sim-Elapsed: {claimed}\r\n"] * 3
    async with client(server.url) as http:
        for _ in range(3):
            with pytest.raises(httpx.ReadTimeout):
                await http.get("/")
        assert (await http.get("/")).text == "ok"
    assert clock.elapsed() == 15


async def test_an_answer_in_pieces_outlasts_the_read_timeout_if_no_pause_does(server: Server) -> None:
    clock = attempt()
    server.answers = [f"X-Sim-Elapsed: 20\r\nX-Sim-Longest-Pause: {pause}\r\n" for pause in (1, 5, 6)]
    async with client(server.url) as http:
        for _ in range(2):
            assert (await http.get("/")).text == "ok"
        assert clock.elapsed() == 40
        with pytest.raises(httpx.ReadTimeout):
            await http.get("/")
    assert clock.elapsed() == 45


async def test_a_deadline_of_the_clock_ends_a_hang_and_frees_the_connection(server: Server) -> None:
    clock = attempt()
    server.answers = ["X-Sim-Elapsed: inf\r\n"] * 3
    async with client(server.url, read=None) as http:
        for _ in range(3):
            with pytest.raises(TimeoutError):
                async with SimulatedClock().timeout(27):
                    await http.get("/")
        assert (await http.get("/")).text == "ok"
    assert clock.elapsed() == 81


async def test_a_refusal_is_a_connect_error(server: Server) -> None:
    clock = attempt()
    server.answers = ["X-Sim-Fault: refuse\r\n"] * 3
    async with client(server.url) as http:
        for _ in range(3):
            with pytest.raises(httpx.ConnectError):
                await http.get("/")
        assert (await http.get("/")).text == "ok"
    assert clock.elapsed() == 0


@pytest.mark.parametrize("claimed", ["soon", "-1", "nan"])
async def test_a_claim_that_is_no_duration_fails_the_simulation(server: Server, claimed: str) -> None:
    attempt()
    server.answers = [f"X-Sim-Elapsed: {claimed}\r\n"]
    async with client(server.url) as http:
        with pytest.raises(SimulationError, match="seconds or inf are expected"):
            await http.get("/")


async def test_the_blob_transport_does_the_same(server: Server) -> None:
    clock = attempt()
    server.answers = ["", "X-Sim-Elapsed: 3\r\n", "X-Sim-Elapsed: inf\r\n", "X-Sim-Fault: refuse\r\n"]
    async with VirtualBlobTransport() as transport:
        request = HttpRequest("GET", server.url)
        assert (await transport.send(request)).status_code == 200
        assert clock.elapsed() == 0
        await transport.send(request)
        assert clock.elapsed() == 3
        with pytest.raises(ServiceResponseTimeoutError):
            await transport.send(request, read_timeout=10)
        assert clock.elapsed() == 13
        with pytest.raises(ServiceRequestError):
            await transport.send(request)
    assert server.times_sent() == [START, START, START + 3, START + 13]


async def test_calls_side_by_side_take_the_longest(server: Server) -> None:
    clock = attempt()
    server.answers = ["X-Sim-Elapsed: 1\r\n", "X-Sim-Elapsed: 4\r\n", "X-Sim-Elapsed: 2\r\n"]
    async with httpx.AsyncClient(base_url=server.url, transport=VirtualTransport(), timeout=inf) as http:
        await asyncio.gather(*(http.get("/") for _ in range(3)))
    assert clock.elapsed() == 4
