"""One connection's limits: bytes and seconds of headers, and readers that do not read."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from temporalio.client import Client
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.gateway import http_limits as connections
from app.gateway.api.responses import AnswersWithPictures
from app.services.blob import BlobStore
from app.settings import Settings
from tests.app.gateway.conftest import Served, body, serving, until

pytestmark = pytest.mark.asyncio(loop_scope="session")

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
GET = b"GET /livez HTTP/1.1\r\nHost: x\r\n"


@pytest_asyncio.fixture(loop_scope="session")
async def connection(gateway: Served) -> AsyncIterator[Connection]:
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    yield reader, writer
    writer.transport.abort()


async def answer(connection: Connection) -> tuple[int, dict[str, Any]]:
    """Read one answer with its body."""
    async with asyncio.timeout(10):
        head = (await connection[0].readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.split("content-length: ")[1].split("\r\n")[0])
        return int(head.split()[1]), json.loads(await connection[0].readexactly(length))


async def refusal(connection: Connection) -> tuple[int, str]:
    """Read an answer and the end of the connection after it."""
    status, content = await answer(connection)
    assert await asyncio.wait_for(connection[0].read(), 10) == b""
    return status, content["error"]["code"]


def chunked(end: bytes) -> bytes:
    return b"POST /workflow/start HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n" + end


@pytest.mark.parametrize(
    "request_bytes",
    [
        GET + b"X: " + b"x" * 66_000 + b"\r\n\r\n",
        GET + b"X: " + b"x" * 1_000_000,
        GET + b"x" * 1_000_000,
        GET + b"".join(b"X-%d: y\r\n" % number for number in range(3000)) + b"\r\n",
        b"GET /" + b"a" * 1_000_000,
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\r\n" * 500_000,
        chunked(b"0\r\nX: " + b"x" * 1_000_000),
        chunked(b"0\r\n" + b"".join(b"X-%d: y\r\n" % number for number in range(3000)) + b"\r\n"),
        chunked(b"2;" + b"x" * 1_000_000),
    ],
    ids=[
        "one header",
        "endless header",
        "endless name",
        "many headers",
        "endless target",
        "long target",
        "empty lines",
        "endless trailer",
        "many trailers",
        "endless chunk extension",
    ],
)
async def test_headers_over_64_kib_are_refused_and_the_client_gets_to_know(
    connection: Connection, request_bytes: bytes
) -> None:
    connection[1].write(request_bytes)
    assert await refusal(connection) == (431, "HEADERS_TOO_LARGE")


async def test_100_mb_of_headers_are_not_kept(gateway: Served, connection: Connection) -> None:
    connection[1].write(GET)
    sent = 0
    try:
        for number in range(1000):
            connection[1].write(b"X-%d: " % number + b"x" * 100_000 + b"\r\n")
            await connection[1].drain()
            sent += 100_000
    except ConnectionError:
        pass
    held = [len(protocol.headers or ()) for protocol in protocols(gateway)]
    assert max(held, default=0) < 10


async def test_headers_just_under_the_limit_are_taken(connection: Connection) -> None:
    connection[1].write(GET + b"X: " + b"x" * 64_000 + b"\r\n\r\n")
    assert (await answer(connection))[0] == 200
    connection[1].write(GET + b"X: " + b"x" * 64_000 + b"\r\n\r\n")  # each request has its own
    assert (await answer(connection))[0] == 200


async def test_pipelined_requests_behind_a_body_are_counted_apart(connection: Connection) -> None:
    content = json.dumps(body(padding="x" * 100_000)).encode()
    post = b"POST /workflow/start HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(content)
    connection[1].write(post + content + GET + b"\r\n")
    assert (await answer(connection))[0] == 202
    assert (await answer(connection))[0] == 200


@pytest.mark.parametrize("start", [b"GET /", GET, GET + b"X: "], ids=["half a target", "no end", "half a header"])
async def test_half_sent_headers_end_after_their_time(
    gateway: Served, monkeypatch: pytest.MonkeyPatch, start: bytes
) -> None:
    monkeypatch.setattr(connections, "HEAD_TIMEOUT", 0.4)
    connection = await asyncio.open_connection("127.0.0.1", gateway.port)
    began = time.monotonic()
    connection[1].write(start)
    dripping = asyncio.create_task(drip(connection[1]))
    assert await refusal(connection) == (408, "HEADERS_TIMEOUT")
    assert 0.3 < time.monotonic() - began < 5
    dripping.cancel()
    connection[1].transport.abort()


async def drip(writer: asyncio.StreamWriter) -> None:
    while True:
        await asyncio.sleep(0.05)
        writer.write(b"x")


async def test_the_second_request_of_a_connection_has_its_time_too(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEAD_TIMEOUT", 0.3)
    connection[1].write(GET + b"\r\n")
    assert (await answer(connection))[0] == 200
    connection[1].write(GET)
    assert await refusal(connection) == (408, "HEADERS_TIMEOUT")


async def test_a_slow_answer_is_not_a_slow_header(gateway: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_TIMEOUT", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    content = json.dumps(body()).encode()
    writer.write(b"POST /workflow/start HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(content))
    await asyncio.sleep(0.6)  # longer than headers may take
    writer.write(content)
    assert (await answer((reader, writer)))[0] == 202
    writer.close()


@pytest.mark.parametrize("start", [b"", b"\r\n\r\n"], ids=["nothing", "empty lines"])
async def test_who_never_asks_is_closed_like_who_is_idle(settings: Settings, client: Client, start: bytes) -> None:
    async with serving(settings, client) as served:
        served.server.config.timeout_keep_alive = 0.3  # type: ignore[assignment]  # it goes to a timer as it is
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(start)
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()


async def test_what_is_no_http_is_refused_in_the_one_shape(connection: Connection) -> None:
    connection[1].write(b"GARBAGE\r\n\r\n")
    assert await refusal(connection) == (400, "INVALID_REQUEST")


def protocols(gateway: Served) -> list[HttpToolsProtocol]:
    return [one for one in gateway.server.server_state.connections if isinstance(one, HttpToolsProtocol)]


# ---------------------------------------------------------------- readers
LARGE = 12_000_000
"""Bytes of a picture: more than the kernel holds for a connection that is not read."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def large_result(gateway: Served, blobs: BlobStore) -> str:
    """The id of a try-on with a large picture, and that picture's base64 in its answer."""
    workflow_id = str((await gateway.http.post("/workflow/start", json=body())).json()["workflowId"])
    await gateway.http.get(f"/workflow/{workflow_id}?wait=20")
    await blobs.put(f"{workflow_id}-flux.jpg", b"x" * LARGE, "image/jpeg")
    return workflow_id


async def asking(port: int, workflow_id: str, headers: bytes = b"", buffer: int = 1) -> socket.socket:
    """Ask for a result on a connection that nobody reads from, with a small buffer in the kernel."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    connection.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(connection, ("127.0.0.1", port))
    await loop.sock_sendall(
        connection, f"GET /workflow/{workflow_id} HTTP/1.1\r\nHost: x\r\n".encode() + headers + b"\r\n"
    )
    return connection


def connected(served: Served, connection: socket.socket) -> bool:
    return connection.getsockname() in [one.client for one in protocols(served)]


@pytest.mark.parametrize("headers", [b"", b"Connection: close\r\n"], ids=["kept open", "closed after it"])
async def test_a_reader_that_takes_nothing_is_given_up(
    gateway: Served, large_result: str, monkeypatch: pytest.MonkeyPatch, headers: bytes
) -> None:
    monkeypatch.setattr(connections, "READER_TIMEOUT", 0.5)
    results: AnswersWithPictures = gateway.app.state.parts.results
    connection = await asking(gateway.port, large_result, headers)
    await until(lambda: true(results.sending == 1))
    began = time.monotonic()
    await until(lambda: true(not connected(gateway, connection)))
    assert time.monotonic() - began < 5
    await until(lambda: true(results.sending == 0))
    connection.close()


async def test_a_small_answer_that_is_not_taken_does_not_keep_a_connection(settings: Settings, client: Client) -> None:
    """Too little for the server to stop writing: the connection is an idle one, and closing it must not wait."""
    async with serving(settings, client) as served:
        served.server.config.timeout_keep_alive = 0.5  # type: ignore[assignment]  # it goes to a timer as it is
        connection = await asking(served.port, "none")
        await until(lambda: true(connected(served, connection)))
        (protocol,) = [one for one in protocols(served) if one.client == connection.getsockname()]
        protocol.transport.write(b"x" * 10_000_000)
        protocol.resume_writing()  # as if only the last bytes were left
        await until(lambda: true(not connected(served, connection)))
        connection.close()


async def test_a_slow_but_steady_reader_gets_all_of_it(
    gateway: Served, large_result: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "READER_TIMEOUT", 1)
    connection = await asking(gateway.port, large_result, b"Connection: close\r\n", buffer=500_000)
    began, taken = time.monotonic(), 0
    while piece := await asyncio.get_running_loop().sock_recv(connection, 100_000):
        taken += len(piece)
        await asyncio.sleep(0.02)
    assert taken > LARGE * 4 / 3
    assert time.monotonic() - began > 1.5  # longer than it may take nothing
    connection.close()


async def test_answers_that_slow_readers_hold_are_limited_and_others_get_theirs(
    settings: Settings, client: Client, large_result: str
) -> None:
    few = settings.model_copy(update={"result_slots": 4, "body_timeout_s": 1})
    async with serving(few, client, proxies="127.0.0.1") as served:
        results: AnswersWithPictures = served.app.state.parts.results
        slow = [await asking(served.port, large_result) for _ in range(10)]
        await until(lambda: true(results.sending == 2))  # half of them for one caller
        refused = await served.http.get(f"/workflow/{large_result}")
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "GATEWAY_BUSY")
        assert refused.headers["retry-after"] == "5"
        other = await served.http.get(f"/workflow/{large_result}", headers={"X-Forwarded-For": "203.0.113.7"})
        assert other.json()["status"] == "COMPLETED"
        assert (results.sending, other.status_code) == (2, 200)
        for connection in slow:
            connection.close()
        await until(lambda: true(results.sending == 0))
        assert (await served.http.get(f"/workflow/{large_result}")).status_code == 200


async def true(condition: bool) -> bool:
    return condition
