"""Bodies that nobody would send, on the real gateway: no 500, no hang, no memory that stays."""

import asyncio
import base64
import gzip
import io
import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, strategies as st
from PIL import Image

from tests.fuzz.conftest import EXAMPLES, Target

pytestmark = pytest.mark.long("a fuzzer, on a gateway of its own")

ANSWERS = {202, 413, 422}
SLOWEST_S = 10.0
GROWTH_MB = 80
"""What the heap may keep of 10,000 requests: it is warmed up by the largest bodies first."""

BAD_PHOTOS = Path(__file__).parents[2].parent / "shared" / "photos" / "bad"


def jpeg(side: int = 48) -> bytes:
    out = io.BytesIO()
    Image.effect_noise((side, side), 60).convert("RGB").save(out, "JPEG")
    return out.getvalue()


PHOTO = jpeg()
GOOD: dict[str, Any] = {
    "originalImageBase64": base64.b64encode(PHOTO).decode(),
    "maskPoints": [{"x": 0.5, "y": 0.3, "label": 1}],
    "brushStrokes": [{"points": [{"x": 0.5, "y": 0.5}], "mode": "add", "size": 20}],
    "sessionId": "s",
}
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
points = st.fixed_dictionaries({"x": anything, "y": anything, "label": anything})
strokes = st.fixed_dictionaries({"points": st.lists(points, max_size=3), "mode": anything, "size": anything})


@st.composite
def broken_photos(draw: st.DrawFn) -> str:
    """Base64 of the photo with bytes changed, cut off or put in."""
    data = bytearray(PHOTO)
    for _ in range(draw(st.integers(0, 8))):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    cut = draw(st.integers(0, len(data)))
    return base64.b64encode(bytes(data[:cut]) + draw(st.binary(max_size=20))).decode()


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """A good body with some of it changed, as JSON; sometimes the JSON itself is broken."""
    body = dict(GOOD)
    odd = {
        "originalImageBase64": broken_photos() | st.text(max_size=60) | anything,
        "maskPoints": st.lists(points, max_size=70) | anything,
        "brushStrokes": st.lists(strokes, max_size=5) | anything,
        "sessionId": st.text(max_size=200) | anything,
    }
    for field in draw(st.sets(st.sampled_from(sorted(odd)), max_size=3)):
        if draw(st.booleans()) or field == "originalImageBase64":
            body[field] = draw(odd[field])
        else:
            del body[field]
    text = json.dumps(body).encode()
    if draw(st.integers(0, 4)) == 0:
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(st.binary(max_size=6)) + text[at + draw(st.integers(0, 3)) :]
    return text


@pytest.mark.asyncio(loop_scope="session")
async def test_no_body_breaks_the_gateway(target: Target) -> None:
    counts: dict[int, int] = {}
    with httpx.Client(base_url=target.url, timeout=SLOWEST_S, trust_env=False) as http:
        large = json.dumps(GOOD | {"originalImageBase64": "A" * 8_000_000}).encode()
        for _ in range(10):
            await asyncio.to_thread(http.post, "/workflow/start", content=large)
        before = target.memory_mb()

        @given(bodies())
        def send(body: bytes) -> None:
            answer = http.post("/workflow/start", content=body, headers={"Content-Type": "application/json"})
            counts[answer.status_code] = counts.get(answer.status_code, 0) + 1
            assert answer.status_code in ANSWERS, answer.text
            assert len(answer.content) <= 4096

        await asyncio.to_thread(send)
        grown = target.memory_mb() - before
    print(f"{sum(counts.values())} bodies: {counts}; the gateway has {grown:+.0f} MB")
    assert sum(counts.values()) >= min(EXAMPLES, 10)
    assert grown < GROWTH_MB


def start_request(body: bytes, *headers: bytes) -> bytes:
    lines = [b"POST /workflow/start HTTP/1.1", b"Host: gateway", b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


good = json.dumps(GOOD).encode()


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize(
    ("request_bytes", "statuses"),
    [
        (start_request(b"[" * 200_000), {422}),
        (start_request(b'{"a":' * 100_000), {422}),
        (start_request(gzip.compress(b" " * 50_000_000), b"Content-Encoding: gzip"), {415, 422}),
        (start_request(good, b"Content-Type: text/plain"), {202, 415, 422}),
        (start_request(good, b"Content-Type: " + b"x" * 2000), {202, 415, 422}),
        (start_request(b'{"maskPoints": 1, ' + good[1:]), {202, 422}),
        (start_request(b'{"sessionId": "\xff\xfe", ' + good[1:]), {422}),
        (start_request(b"\xef\xbb\xbf" + good), {202, 422}),
        (start_request(b'{"sessionId": "\\ud800", ' + good[1:]), {202, 422}),
        (start_request(good, b"X-Large: " + b"x" * 200_000), {431}),
        (start_request(good, *[b"X-%d: y" % number for number in range(5000)]), {431}),
        (start_request(good, b"Idempotency-Key: " + b"k" * 10_000), {422}),
        (start_request(good, b"Idempotency-Key: \xff\x00"), {202, 400, 422}),
        (start_request(good, b"Content-Length: 5"), {400, 422}),
        (start_request(good, b"Transfer-Encoding: chunked"), {400, 422}),
        (
            b"POST /workflow/start HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffff\r\n",
            {400, 408, 413},
        ),
        (b"GET /workflow/" + b"a" * 60_000 + b" HTTP/1.1\r\nHost: g\r\n\r\n", {400, 404, 414}),
        (b"GET /workflow/%00%ff%2e%2e HTTP/1.1\r\nHost: g\r\n\r\n", {400, 404, 422}),
        (b"GARBAGE\r\n\r\n", {400}),
    ],
    ids=[
        "deep list",
        "deep object",
        "gzip bomb",
        "wrong content type",
        "long content type",
        "duplicate key",
        "invalid UTF-8",
        "byte order mark",
        "lone surrogate",
        "huge header",
        "many headers",
        "long idempotency key",
        "idempotency key of bytes",
        "two lengths",
        "length and chunks",
        "endless chunk",
        "long path",
        "odd path",
        "no HTTP",
    ],
)
async def test_strange_requests_get_an_answer(target: Target, request_bytes: bytes, statuses: set[int]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
    try:
        writer.write(request_bytes)
        async with asyncio.timeout(SLOWEST_S):
            await writer.drain()
            line = await reader.readline()
    finally:
        writer.transport.abort()
    assert line, "no answer"
    assert int(line.split()[1]) in statuses
    async with httpx.AsyncClient(base_url=target.url, timeout=SLOWEST_S, trust_env=False) as http:
        assert (await http.get("/livez")).status_code == 200


@pytest.mark.asyncio(loop_scope="session")
async def test_slow_senders_and_those_who_leave_keep_nobody_out(target: Target) -> None:
    async def crawl() -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
        writer.write(start_request(b"", b"X: y").replace(b"Length: 0", b"Length: 1000000"))
        try:
            while not reader.at_eof():
                writer.write(b" ")
                await writer.drain()
                try:
                    return await asyncio.wait_for(reader.readline(), 0.2)
                except TimeoutError:
                    continue
        except ConnectionError:
            pass
        finally:
            writer.close()
        return b""

    async def leave() -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", target.port)
        writer.write(start_request(good)[:-50])
        await writer.drain()
        writer.close()

    crawlers = [asyncio.create_task(crawl()) for _ in range(12)]
    await asyncio.gather(*(leave() for _ in range(20)))
    async with httpx.AsyncClient(base_url=target.url, timeout=30, trust_env=False) as http:
        began = time.monotonic()
        assert (await http.get("/workflow/none")).status_code == 404
        assert time.monotonic() - began < SLOWEST_S
        assert (await http.post("/workflow/start", content=good)).status_code in {202, 503}
        answers = await asyncio.gather(*crawlers)
        assert all(not line or line.split()[1] in {b"408", b"503"} for line in answers)
        assert (await http.post("/workflow/start", content=good)).status_code == 202


@pytest.mark.asyncio(loop_scope="session")
async def test_the_photos_that_users_should_not_send(target: Target) -> None:
    if not BAD_PHOTOS.is_dir():
        pytest.skip("the photos are not part of the checkout")
    async with httpx.AsyncClient(base_url=target.url, timeout=30, trust_env=False) as http:
        for photo in sorted(BAD_PHOTOS.iterdir()):
            picture = base64.b64encode(photo.read_bytes()).decode()
            answer = await http.post("/workflow/start", json=GOOD | {"originalImageBase64": picture})
            assert (answer.status_code, answer.json()["error"]["code"]) == (422, "INVALID_IMAGE"), photo.name
