"""The network seams over real sockets: claimed time moves the clock, and ends a call as real time would have."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import inf

import httpx
import pytest

from scenarios.virtual import VirtualTimeError, VirtualTransport, story_alone
from tests.virtual.claiming import Server, claiming

START = 1_800_000_000.0


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with claiming() as served:
        yield served


@asynccontextmanager
async def client(url: str, *, read: float | None = 5) -> AsyncIterator[httpx.AsyncClient]:
    # One connection: a transport that keeps one after a fault starves the next call.
    inner = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=1))
    timeout = httpx.Timeout(5, read=read)
    async with httpx.AsyncClient(base_url=url, transport=VirtualTransport(inner), timeout=timeout) as made:
        yield made


async def test_the_callers_time_travels_and_the_claimed_time_comes_back(server: Server) -> None:
    with story_alone(START) as story:
        server.answers = ["X-Sim-Elapsed: 2.5\r\n"]
        async with client(server.url) as http:
            await http.get("/")
            await asyncio.sleep(2)
            await http.get("/")
        assert server.times_sent() == [START, START + 4.5]
        assert story.now == 4.5


async def test_outside_an_attempt_nothing_is_sent_along(server: Server) -> None:
    async with client(server.url) as http:
        assert (await http.get("/")).text == "ok"
    assert "x-sim-time" not in server.seen[0]


@pytest.mark.parametrize("claimed", ["5.5", "inf"])
async def test_what_outlasts_the_read_timeout_ends_in_it(server: Server, claimed: str) -> None:
    with story_alone(START) as story:
        server.answers = [f"X-Sim-Elapsed: {claimed}\r\n"] * 3
        async with client(server.url) as http:
            for _ in range(3):
                with pytest.raises(httpx.ReadTimeout):
                    await http.get("/")
            assert (await http.get("/")).text == "ok"
        assert story.now == 15


async def test_an_answer_in_pieces_outlasts_the_read_timeout_if_no_pause_does(server: Server) -> None:
    with story_alone(START) as story:
        server.answers = [f"X-Sim-Elapsed: 20\r\nX-Sim-Longest-Pause: {pause}\r\n" for pause in (1, 5, 6)]
        async with client(server.url) as http:
            for _ in range(2):
                assert (await http.get("/")).text == "ok"
            assert story.now == 40
            with pytest.raises(httpx.ReadTimeout):
                await http.get("/")
        assert story.now == 45


async def test_a_deadline_ends_a_hang_and_frees_the_connection(server: Server) -> None:
    with story_alone(START) as story:
        server.answers = ["X-Sim-Elapsed: inf\r\n"] * 3
        async with client(server.url, read=None) as http:
            for _ in range(3):
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(27):
                        await http.get("/")
            assert (await http.get("/")).text == "ok"
        assert story.now == 81


async def test_a_refusal_is_a_connect_error(server: Server) -> None:
    with story_alone(START) as story:
        server.answers = ["X-Sim-Fault: refuse\r\n"] * 3
        async with client(server.url) as http:
            for _ in range(3):
                with pytest.raises(httpx.ConnectError):
                    await http.get("/")
            assert (await http.get("/")).text == "ok"
        assert story.now == 0


async def test_a_name_that_is_not_found_is_a_connect_error_of_the_resolver(server: Server) -> None:
    with story_alone(START) as story:
        server.answers = ["X-Sim-Fault: dns\r\n"] * 3
        async with client(server.url) as http:
            for _ in range(3):
                with pytest.raises(httpx.ConnectError, match="name resolution") as error:
                    await http.get("/")
                assert isinstance(error.value.__cause__, socket.gaierror)
            assert (await http.get("/")).text == "ok"
        assert story.now == 0


async def test_an_address_from_which_nothing_comes_back_takes_the_connect_timeout(server: Server) -> None:
    with story_alone(START) as story:
        server.answers = ["X-Sim-Fault: unreachable\r\n"] * 2
        timeout = httpx.Timeout(None, connect=4)
        async with httpx.AsyncClient(base_url=server.url, transport=VirtualTransport(), timeout=timeout) as http:
            with pytest.raises(httpx.ConnectTimeout):
                await http.get("/")
            assert story.now == 4
            with pytest.raises(TimeoutError):  # without a timeout of its own it waits for ever
                async with asyncio.timeout(27):
                    await http.get("/", timeout=None)
            assert (await http.get("/")).text == "ok"
        assert story.now == 31


@pytest.mark.parametrize("claimed", ["soon", "-1", "nan"])
async def test_a_claim_that_is_no_duration_fails_the_simulation(server: Server, claimed: str) -> None:
    with story_alone(START):
        server.answers = [f"X-Sim-Elapsed: {claimed}\r\n"]
        async with client(server.url) as http:
            with pytest.raises(VirtualTimeError, match="seconds or inf are expected"):
                await http.get("/")


async def test_calls_side_by_side_take_the_longest(server: Server) -> None:
    with story_alone(START) as story:
        server.answers = ["X-Sim-Elapsed: 1\r\n", "X-Sim-Elapsed: 4\r\n", "X-Sim-Elapsed: 2\r\n"]
        async with httpx.AsyncClient(base_url=server.url, transport=VirtualTransport(), timeout=inf) as http:
            await asyncio.gather(*(http.get("/") for _ in range(3)))
        assert story.now == 4
