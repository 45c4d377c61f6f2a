"""Each fault of HTTP, as a client sees it that knows nothing but sockets, in real and in virtual time."""

import asyncio
import errno
import json
import math

import httpx
import pytest

from fakes.kit.client import ControlError
from tests.fakes.kit.conftest import Toy, serve_toy

ECHO = {"text": "hello"}


async def test_without_a_rule(toy: Toy, virtual: bool) -> None:
    answer = await toy.ask(virtual=virtual)
    assert (answer.status, answer.json()) == (200, {"hello": "world"})
    assert ("x-sim-elapsed" in answer.headers) == virtual


async def test_status(toy: Toy, virtual: bool) -> None:
    await toy.control.add({"fault": {"kind": "status", "status": 503, "retry_after": 7, "body": {"code": "busy"}}})
    answer = await toy.ask("/echo", body=ECHO, virtual=virtual)
    assert (answer.status, answer.json(), answer.headers["retry-after"]) == (503, {"code": "busy"}, "7")
    assert toy.done == []


async def test_status_with_a_delay_and_headers(toy: Toy) -> None:
    fault = {"kind": "status", "status": 500, "body": "oops", "headers": {"X-Why": "because"}, "delay": 20}
    await toy.control.add({"fault": fault})
    answer = await toy.ask(virtual=True)
    assert (answer.status, answer.body, answer.headers["x-why"], answer.elapsed) == (500, b"oops", "because", 20)


@pytest.mark.parametrize(
    ("seconds", "low", "high"),
    [
        (0.2, 0.2, 0.2),
        ({"uniform": [0.1, 0.2]}, 0.1, 0.2),
        ({"lognormal": {"median": 0.1, "p99": 0.2}}, 0.01, 1),
        ({"samples": [0.1, 0.15]}, 0.1, 0.15),
    ],
)
async def test_delay(toy: Toy, virtual: bool, seconds: object, low: float, high: float) -> None:
    await toy.control.add({"fault": {"kind": "delay", "seconds": seconds}})
    answer = await toy.ask(virtual=virtual)
    assert answer.status == 200
    if virtual:
        assert low <= answer.elapsed <= high
        assert answer.seconds < 5
    else:
        assert answer.seconds >= low


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "delay", "seconds": {"uniform": [1, 9]}},
        {"kind": "status", "status": 500, "delay": {"uniform": [1, 9]}},
    ],
)
async def test_delays_go_by_the_seed(fault: dict[str, object]) -> None:
    told = []
    for seed in (1, 1, 2):
        async with serve_toy(sim_seed=seed) as toy:
            await toy.control.add({"fault": fault})
            told.append((await toy.ask(virtual=True)).elapsed)
    assert told[0] == told[1] != told[2]


async def test_hang(toy: Toy, virtual: bool) -> None:
    await toy.control.add({"fault": {"kind": "hang"}})
    if virtual:
        assert (await toy.ask(virtual=True)).elapsed == math.inf
    else:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(toy.ask(), 0.3)
    (call,) = await toy.control.ledger()
    assert (call["fault"], call["status"]) == ("hang", None)


async def test_reset(toy: Toy, virtual: bool) -> None:
    await toy.control.add({"fault": {"kind": "reset"}})
    with pytest.raises(ConnectionResetError) as reset:
        await toy.ask("/echo", body=ECHO, virtual=virtual)
    assert reset.value.errno == errno.ECONNRESET == 104
    assert toy.done == []


@pytest.mark.parametrize(
    "kind", ["reset", "answer_lost", "empty", "truncate", "dribble", "slow_headers", "garbage", "hang"]
)
async def test_a_caller_who_has_left_is_no_bug_of_the_fake(toy: Toy, kind: str) -> None:
    await toy.control.add({"fault": {"kind": "delay", "seconds": 0.3}}, {"fault": {"kind": kind}})
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(toy.ask("/echo", body=ECHO), 0.1)
    (call,) = await toy.once(lambda calls: calls[0]["duration_s"] is not None)
    assert (call["fault"], call.get("bug")) == ("delay", None)


async def test_answer_lost(toy: Toy, virtual: bool) -> None:
    await toy.control.add({"fault": {"kind": "answer_lost"}})
    with pytest.raises(ConnectionResetError):
        await toy.ask("/echo", body=ECHO, virtual=virtual)
    assert toy.done == ["hello"]


async def test_empty(toy: Toy, virtual: bool) -> None:
    await toy.control.add({"fault": {"kind": "empty"}})
    with pytest.raises(asyncio.IncompleteReadError) as closed:
        await toy.ask("/echo", body=ECHO, virtual=virtual)
    assert closed.value.partial == b""
    assert toy.done == []


async def test_truncate(toy: Toy, virtual: bool) -> None:
    await toy.control.add({"fault": {"kind": "truncate"}})
    answer = await toy.ask(virtual=virtual)
    assert answer.status == 200
    assert answer.body == b'{"hello"'
    assert int(answer.headers["content-length"]) // 2 == len(answer.body)


async def test_garbage(toy: Toy, virtual: bool) -> None:
    await toy.control.add({"fault": {"kind": "garbage"}})
    answer = await toy.ask(virtual=virtual)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    with pytest.raises(ValueError, match=r"Invalid control character|Expecting"):
        json.loads(answer.body)


async def test_content_type(toy: Toy, virtual: bool) -> None:
    await toy.control.add({"fault": {"kind": "content_type"}})
    answer = await toy.ask(virtual=virtual)
    assert (answer.headers["content-type"], answer.json()) == ("text/html; charset=utf-8", {"hello": "world"})


async def test_dribble(toy: Toy, virtual: bool) -> None:
    await toy.control.add({"fault": {"kind": "dribble", "bytes": 5, "pause": 0.1}})
    answer = await toy.ask(virtual=virtual)
    assert answer.json() == {"hello": "world"}
    if virtual:
        assert answer.elapsed == pytest.approx(0.4)
    else:
        assert answer.seconds >= 0.4


async def test_a_dribble_ends_when_its_caller_leaves(toy: Toy) -> None:
    await toy.control.add({"fault": {"kind": "dribble", "bytes": 1, "pause": 30}})
    parts = httpx.URL(toy.url)
    _, writer = await asyncio.open_connection(parts.host, parts.port)
    writer.write(b"GET /plain HTTP/1.1\r\nHost: toy\r\n\r\n")
    await toy.once(lambda calls: calls[0]["status"])
    writer.close()
    await toy.once(lambda calls: calls[0]["duration_s"] is not None)


async def test_a_dribble_tells_a_virtual_caller_its_longest_pause() -> None:
    async with serve_toy(sim_profile="{latency: {plain: 2}}") as toy:
        await toy.control.add({"fault": {"kind": "dribble", "bytes": 9, "pause": 0.5}})
        told = (await toy.ask(virtual=True)).headers
        assert (told["x-sim-elapsed"], told["x-sim-longest-pause"]) == ("3.0", "2.0")
        await toy.control.remove()
        assert "x-sim-longest-pause" not in (await toy.ask(virtual=True)).headers


async def test_refuse_in_real_time_is_for_everybody(toy: Toy) -> None:
    await toy.control.add({"id": "down", "fault": {"kind": "refuse"}, "expect": True})
    with pytest.raises(ConnectionRefusedError):
        await toy.ask()
    assert (await toy.control.verdict())["verdict"] == "passed"
    assert (await toy.control.health())["refusing"] is True
    await toy.control.remove("down")
    await _until_it_listens(toy)


async def test_refuse_for_a_while(toy: Toy) -> None:
    await toy.control.add({"fault": {"kind": "refuse"}, "for_s": 0.3})
    with pytest.raises(ConnectionRefusedError):
        await toy.ask()
    await _until_it_listens(toy)


async def test_refuse_in_virtual_time_is_the_transports() -> None:
    async with serve_toy(sim_clock="caller") as toy:
        await toy.control.add({"key": "w", "operation": "plain", "calls": "1", "fault": {"kind": "refuse"}})
        refused = await toy.ask(virtual=True)
        assert (refused.headers["x-sim-fault"], refused.elapsed) == ("refuse", 0)
        assert "x-sim-fault" not in (await toy.ask(virtual=True)).headers
        assert "x-sim-fault" not in (await toy.ask(virtual=True, key="other")).headers


async def test_dns_is_the_transports_and_for_virtual_time_alone(toy: Toy) -> None:
    async with serve_toy(sim_clock="caller") as virtual:
        await virtual.control.add({"key": "w", "calls": "1,3", "expect": True, "fault": {"kind": "dns"}})
        lost = await virtual.ask(virtual=True)
        assert (lost.headers["x-sim-fault"], lost.elapsed, virtual.done) == ("dns", 0, [])
        assert "x-sim-fault" not in (await virtual.ask(virtual=True)).headers
        assert (await virtual.control.verdict())["verdict"] == "passed"
        with pytest.raises(ConnectionResetError):  # who has no clock of its own is not served either
            await virtual.ask()
    with pytest.raises(ControlError, match=r"fault\.kind: dns: .* http://sam3\.invalid"):
        await toy.control.add({"fault": {"kind": "dns"}})
    assert await toy.control.add({"service": "another", "fault": {"kind": "dns"}})


async def test_unreachable_is_the_transports_and_for_virtual_time_alone(toy: Toy) -> None:
    async with serve_toy(sim_clock="caller") as virtual:
        await virtual.control.add({"key": "w", "calls": "1", "expect": True, "fault": {"kind": "unreachable"}})
        lost = await virtual.ask(virtual=True)
        assert (lost.headers["x-sim-fault"], lost.elapsed, virtual.done) == ("unreachable", 0, [])
        assert "x-sim-fault" not in (await virtual.ask(virtual=True)).headers
        assert (await virtual.control.verdict())["verdict"] == "passed"
    with pytest.raises(ControlError, match=r"fault\.kind: unreachable: .* http://192\.0\.2\.1"):
        await toy.control.add({"fault": {"kind": "unreachable"}})


async def test_times_are_scaled_in_real_time_alone() -> None:
    async with serve_toy(fakes_time_scale=0.001, sim_profile="{latency: {echo: 100, plain: 50}}") as toy:
        assert 0.05 <= (await toy.ask()).seconds < 25
        assert 0.1 <= (await toy.ask("/echo", body=ECHO)).seconds < 50
        assert (await toy.ask(virtual=True)).elapsed == 50
        assert (await toy.ask("/echo", body=ECHO, virtual=True)).elapsed == 100


async def test_a_time_that_is_none(toy: Toy) -> None:
    for at in (math.nan, math.inf):
        assert (await toy.ask(virtual=True, at=at)).status == 400


async def _until_it_listens(toy: Toy) -> None:
    async with asyncio.timeout(5):
        while True:
            try:
                answer = await toy.ask()
            except ConnectionError:
                await asyncio.sleep(0.01)
            else:
                assert answer.status == 200
                return
