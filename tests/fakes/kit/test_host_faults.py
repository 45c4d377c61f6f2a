"""Each fault of hosts and of slow connections, as a client sees it that knows nothing but sockets."""

import asyncio

import httpx
import pytest

from fakes.kit.client import ControlError
from tests.fakes.kit.conftest import Toy, serve_toy

ECHO = {"text": "hello"}


async def test_host_gone(toy: Toy, virtual: bool) -> None:
    await toy.control.add({"fault": {"kind": "host_gone"}})
    for path, body in (("/plain", None), ("/echo", ECHO), ("/items/x", None)):
        answer = await toy.ask(path, body=body, virtual=virtual)
        assert (answer.status, answer.headers["content-type"]) == (404, "text/plain; charset=utf-8")
        assert answer.body == b"modal-http: app for invoked web endpoint is stopped"
    assert toy.done == []


async def test_a_host_that_is_gone_answers_what_is_no_operation_too(toy: Toy) -> None:
    for other in ({"key": "w"}, {"operation": "plain"}, {"calls": "1"}, {"service": "another"}):
        await toy.control.add({"id": "gone", "fault": {"kind": "host_gone"}, **other})
        assert (await toy.ask("/")).headers["content-type"] == "application/json"
    await toy.control.add({"id": "gone", "fault": {"kind": "host_gone"}})
    answer = await toy.ask("/")
    assert (answer.status, answer.body) == (404, b"modal-http: app for invoked web endpoint is stopped")
    assert (await toy.control.health())["service"] == "toy"  # who steers it still can


async def test_cold_start_in_virtual_time(toy: Toy) -> None:
    await toy.control.add({"operation": "echo", "expect": True, "fault": {"kind": "cold_start", "seconds": 100}})
    told = [(await toy.ask("/echo", body=ECHO, virtual=True, at=at)).elapsed for at in (1000, 1081, 1100, 1200)]
    assert told == [100, 19, 0, 0]
    assert (await toy.ask("/echo", body=ECHO, virtual=True, at=1200, key="another")).elapsed == 100
    assert [call["rule"] is not None for call in await toy.control.ledger("w")] == [True, True, False, False]


async def test_cold_start_in_real_time() -> None:
    async with serve_toy(fakes_time_scale=0.01) as toy:
        await toy.control.add({"fault": {"kind": "cold_start", "seconds": 30}})
        first, second = await asyncio.gather(toy.ask(), toy.ask())
        assert min(first.seconds, second.seconds) >= 0.25
        await toy.ask()
        assert [call["rule"] is None for call in await toy.control.ledger()] == [False, False, True]


async def test_not_ready(toy: Toy, virtual: bool) -> None:
    await toy.control.add({"calls": "1-2", "fault": {"kind": "not_ready", "retry_after": 2}})
    told = [await toy.ask(virtual=virtual) for _ in range(3)]
    assert [(answer.status, answer.body) for answer in told[:2]] == [(202, b"")] * 2
    assert told[0].headers["retry-after"] == "2"
    assert told[2].status == 200


async def test_redirect(toy: Toy, virtual: bool) -> None:
    await toy.control.add({"operation": "echo", "expect": True, "fault": {"kind": "redirect"}})
    moved = await toy.ask("/echo", body=ECHO, virtual=virtual)
    assert (moved.status, moved.body, toy.done) == (303, b"", ["hello"])
    assert moved.headers["location"].startswith("/echo?kept=")
    headers = {"X-Workflow-Id": "w"} | ({"X-Sim-Time": "1000"} if virtual else {})
    async with httpx.AsyncClient(base_url=toy.url, follow_redirects=True, headers=headers) as http:
        followed = await http.post("/echo", json=ECHO)
        assert (followed.status_code, followed.json()) == (200, {"text": "hello", "length": 5})
        assert [answer.status_code for answer in followed.history] == [303]
        again = await http.get(followed.url)
        assert again.status_code == 405, "an answer is kept for one who comes for it"
    assert toy.done == ["hello", "hello"]


async def test_redirects_in_a_row(toy: Toy) -> None:
    await toy.control.add({"operation": "echo", "expect": True, "fault": {"kind": "redirect", "hops": 3}})
    async with httpx.AsyncClient(base_url=toy.url, follow_redirects=True) as http:
        followed = await http.post("/echo", json=ECHO)
    assert (followed.status_code, followed.json()) == (200, {"text": "hello", "length": 5})
    assert [answer.status_code for answer in followed.history] == [303] * 3
    assert toy.done == ["hello"]


async def test_redirect_elsewhere(toy: Toy) -> None:
    away = {"kind": "redirect", "elsewhere": "https://elsewhere.invalid"}
    await toy.control.add({"fault": away})
    assert (await toy.ask()).headers["location"].startswith("https://elsewhere.invalid/plain?kept=")
    with pytest.raises(ControlError, match=r"fault\.elsewhere"):
        await toy.control.add({"fault": away | {"elsewhere": "elsewhere.invalid/x"}})


async def test_slow_headers(toy: Toy, virtual: bool) -> None:
    await toy.control.add({"expect": True, "fault": {"kind": "slow_headers", "bytes": 30, "pause": 0.1}})
    answer = await toy.ask(virtual=virtual)
    assert (answer.status, answer.json()) == (200, {"hello": "world"})
    if virtual:
        assert answer.elapsed >= 0.3
        assert float(answer.headers["x-sim-longest-pause"]) == 0.1
    else:
        assert answer.seconds >= 0.3
    await toy.once(lambda calls: calls[0]["duration_s"] is not None)
    assert (await toy.control.ledger())[0]["status"] == 200
    assert (await toy.control.verdict())["verdict"] == "passed"


async def test_slow_upload(toy: Toy, virtual: bool) -> None:
    await toy.control.add({"operation": "tell", "fault": {"kind": "slow_upload", "seconds": 0.5}})
    if virtual:
        assert (await toy.ask("/tell", body=ECHO, virtual=True)).elapsed == 0.5
        return
    parts = httpx.URL(toy.url)
    data = b'{"text": "' + b"x" * 30_000_000 + b'"}'
    reader, writer = await asyncio.open_connection(parts.host, parts.port)
    began = asyncio.get_running_loop().time()
    writer.write(b"POST /tell HTTP/1.1\r\nHost: toy\r\nContent-Type: application/json\r\nConnection: close\r\n")
    writer.write(b"Content-Length: %d\r\n\r\n" % len(data) + data)
    await writer.drain()
    sent_after = asyncio.get_running_loop().time() - began
    told = await reader.read(-1)
    writer.close()
    assert told.startswith(b"HTTP/1.1 200")
    assert sent_after >= 0.4, "the upload stalled: it is larger than what lies between"
