"""A service's answer is as little trusted as a user's request: each of these little servers does its worst."""

import asyncio
import contextlib
import gzip
import io
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest
from PIL import Image
from temporalio.testing import ActivityEnvironment

from app.attempts.attempt import Attempt
from app.attempts.deadline import Deadline
from app.attempts.heartbeat import Heart
from app.errors import PipelineError
from app.errors.services import SAM3_ERRORS
from app.pictures.picture_file import PictureFile
from app.pictures.result_checks import BadResultError, check_fidelity, check_mask, check_resized, open_result
from app.pictures.results import Results
from app.services.blob import BlobStore
from app.services.http import ServiceAnswer, ServiceClient, http_client
from app.settings import Settings

MEGABYTE = 1024 * 1024
OWN, ANOTHER = "5f0d3b52-1d41-4bd5-9a3c-0f6f6d3b1a01", "5f0d3b52-1d41-4bd5-9a3c-0f6f6d3b1a02"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Thing(ServiceAnswer):
    """An answer of some shape."""

    a: int


class Villain:
    """A server that answers as it likes, and counts what it could send and how often it was asked."""

    def __init__(self, answer: Serve) -> None:
        self.answer = answer
        self.url = ""
        self.requests: list[bytes] = []
        self.gone = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                self.requests.append(await reader.readuntil(b"\r\n\r\n"))
                await self.answer(reader, writer)
        finally:
            self.gone.set()
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


@asynccontextmanager
async def villain(answer: Serve) -> AsyncIterator[Villain]:
    one = Villain(answer)
    server = await asyncio.start_server(one.serve, "127.0.0.1", 0)
    one.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield one
    finally:
        server.close()
        await server.wait_closed()


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with http_client() as client:
        yield client


async def ask(http: httpx.AsyncClient, url: str, *, seconds: float = 20) -> Thing:
    """Ask a service as an attempt does."""
    attempt = Attempt("w-1", "generate_mask", 1, Deadline(seconds), Deadline(seconds + 5), Heart(None))
    client = ServiceClient(http, url, SAM3_ERRORS)
    return await ActivityEnvironment().run(lambda: client.call(attempt, "GET", "/jobs/1", Thing))


@pytest.mark.parametrize("head", [HEAD + b"Content-Length: 1000000000\r\n\r\n", HEAD + b"Connection: close\r\n\r\n"])
async def test_a_gigabyte_and_an_endless_stream_are_not_read(http: httpx.AsyncClient, head: bytes) -> None:
    sent = 0

    async def flood(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(head)
        while True:
            writer.write(b" " * 65536)
            await writer.drain()
            sent += 65536

    async with villain(flood) as server:
        with pytest.raises(SAM3_ERRORS.bad_answer, match="more than 1048576 bytes"):
            await ask(http, server.url)
        await asyncio.wait_for(server.gone.wait(), 10)  # the connection is closed, not kept to drain
    assert sent < 24 * MEGABYTE  # what fits into the buffers of both sockets


async def test_endless_headers_end(http: httpx.AsyncClient) -> None:
    async def chatter(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD)
        while True:
            writer.write(b"X-More: " + b"m" * 1000 + b"\r\n")
            await writer.drain()

    async with villain(chatter) as server:
        with pytest.raises(SAM3_ERRORS.unavailable):
            await ask(http, server.url)
        await asyncio.wait_for(server.gone.wait(), 10)


@pytest.mark.parametrize("drop", [b" ", b"HTTP/1.1 100 Continue\r\n\r\n"])
async def test_an_answer_in_drops_ends_at_the_deadline(http: httpx.AsyncClient, drop: bytes) -> None:
    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"" if b"100" in drop else HEAD + b"Content-Length: 100000\r\n\r\n")
        while True:
            writer.write(drop)
            await writer.drain()
            await asyncio.sleep(0.02)  # faster than any timeout for a read

    async with villain(drip) as server:
        began = time.monotonic()
        with pytest.raises(SAM3_ERRORS.timeout):
            await ask(http, server.url, seconds=1)
        assert time.monotonic() - began < 5
        await asyncio.wait_for(server.gone.wait(), 10)


def answering(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> Serve:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = [b"HTTP/1.1 " + status, b"Content-Length: %d" % len(body), b"Connection: close", *headers]
        writer.write(b"\r\n".join(lines) + b"\r\n\r\n" + body)
        await writer.drain()

    return answer


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (gzip.compress(b" " * 200 * MEGABYTE), [b"Content-Encoding: gzip"]),
        (b"[" * 1_000_000, []),
        (b'{"a":' * 100_000, []),
        (b'{"a": 1' + b"0" * 100_000 + b"}", []),
        (b'{"a": NaN}', []),
        (b"\xff\xfe{}", []),
        (b"", []),
    ],
    ids=["gzip bomb", "deep list", "deep object", "huge number", "NaN", "not UTF-8", "empty"],
)
async def test_bodies_that_blow_up_are_a_bad_answer(http: httpx.AsyncClient, body: bytes, headers: list[bytes]) -> None:
    async with villain(answering(body, *headers)) as server:
        with pytest.raises(SAM3_ERRORS.bad_answer):
            await ask(http, server.url)


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": 1, "x": [' + b",".join([b"[]"] * 300_000) + b"]}",
        b'{"a": 1, "x": [' + b",".join([b"0"] * 500_000) + b"]}",
        b"[" + b",".join([b'{"a": 1}'] * 100_000) + b"]",
    ],
    ids=["lists", "numbers", "objects"],
)
async def test_a_million_values_are_not_parsed(http: httpx.AsyncClient, body: bytes) -> None:
    async with villain(answering(body)) as server:
        with pytest.raises(SAM3_ERRORS.bad_answer, match="more structure"):
            await ask(http, server.url)


async def test_what_an_answer_holds_beside_its_fields_is_tolerated(http: httpx.AsyncClient) -> None:
    async with villain(answering(b'{"a": 1, "debug": ' + json.dumps([[0.5, {}]] * 2_000).encode() + b"}")) as server:
        assert (await ask(http, server.url)).a == 1


@pytest.mark.parametrize("status", [b"301 Moved", b"302 Found", b"303 See Other", b"307 Temporary", b"308 Permanent"])
async def test_a_redirect_leads_nowhere(http: httpx.AsyncClient, status: bytes) -> None:
    async with villain(answering(b'{"a": 1}')) as other:
        location = b"Location: " + other.url.encode() + b"/jobs/1"
        async with villain(answering(b"", location, status=status)) as server:
            with pytest.raises(SAM3_ERRORS.bad_answer, match="redirect"):
                await ask(http, server.url)
        assert not other.requests


async def test_a_service_s_cookies_are_not_kept(http: httpx.AsyncClient) -> None:
    """They would grow with each answer, and go to every service on the same host."""
    async with villain(answering(b'{"a": 1}', b"Set-Cookie: track=me; Path=/")) as server:
        await ask(http, server.url)
        await ask(http, server.url)
    assert len(server.requests) == 2
    assert not [request for request in server.requests if b"cookie" in request.lower()]


@pytest.mark.parametrize(
    "uri",
    [
        f"azure://other-container/{OWN}-mask.png",
        f"azure://jewelry-uploads/{ANOTHER}-mask.png",
        f"azure://jewelry-uploads/{ANOTHER.upper()}-mask.png",
        f"azure://jewelry-uploads/{ANOTHER}.jpg",
        f"azure://jewelry-uploads/{ANOTHER}/mask.png",
        f"azure://jewelry-uploads/staging/{OWN}",
        f"azure://jewelry-uploads/staging/{ANOTHER}",
        f"azure://jewelry-uploads/{OWN}.jpg",
        f"azure://jewelry-uploads/{OWN}-/../../other/x.png",
        f"azure://jewelry-uploads/{OWN}-mask.png?sv=2025&sig=x",
        f"azure://jewelry-uploads/{OWN}-mask.png#x",
        f"azure://jewelry-uploads\\{OWN}-mask.png",
        "azure://jewelry-uploads/",
        f"http://127.0.0.1/{OWN}-mask.png",
        "file:///etc/passwd",
        "",
    ],
)
async def test_a_result_is_read_from_the_try_on_s_own_blobs_alone(uri: str) -> None:
    def unread(_: PictureFile, _named: str) -> None:
        pytest.fail("a foreign blob was read")

    settings = Settings.model_validate(
        {"azure_account_name": "account", "azure_account_key": "c2VjcmV0", "a100_urls": "http://127.0.0.1:9"}
        | dict.fromkeys(("azure_blob_endpoint", "image_manipulator_url"), "http://127.0.0.1:9")
        | dict.fromkeys(("birefnet_url", "sam3_url"), "http://127.0.0.1:9")
    )
    store = BlobStore(settings)
    attempt = Attempt(OWN, "generate_mask", 1, Deadline(5), Deadline(5), Heart(None))
    try:
        with pytest.raises(SAM3_ERRORS.bad_answer):
            await Results(store).check(attempt, uri, SAM3_ERRORS, unread)
    finally:
        await store.close()


def bomb(size: tuple[int, int], kind: str) -> bytes:
    """A picture of one colour whose file is small."""
    out = io.BytesIO()
    Image.new("L", size).save(out, kind)
    return out.getvalue()


def claiming(data: bytes, width: int, height: int) -> bytes:
    """The same JPEG, whose header claims another size."""
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + height.to_bytes(2) + width.to_bytes(2) + data[at + 4 :]


def test_a_picture_bomb_is_refused_by_its_header() -> None:
    large = bomb((9000, 9000), "PNG")
    huge = claiming(bomb((64, 64), "JPEG"), 65_000, 65_000)
    wide = claiming(bomb((64, 64), "JPEG"), 4_001, 3_000)
    began = time.process_time()
    with pytest.raises(BadResultError):
        check_mask(open_result(large), "", (64, 64), [])
    with pytest.raises(BadResultError):
        check_resized(open_result(huge), "", (64, 64))
    with pytest.raises(BadResultError):
        check_fidelity(open_result(huge), "JPEG")
    with pytest.raises(BadResultError, match="4001x3000"):
        check_fidelity(open_result(wide), "JPEG")
    assert time.process_time() - began < 1


async def test_an_error_names_neither_the_address_nor_the_answer(http: httpx.AsyncClient) -> None:
    async with villain(answering(b'{"a": "very-secret-answer"}')) as server:
        with pytest.raises(PipelineError) as refused:
            await ask(http, server.url)
    assert "127.0.0.1" not in refused.value.message
    assert "very-secret" not in refused.value.message
