import asyncio
import json
import time
from typing import Any

import pytest
from fastapi import Request
from temporalio.client import Client

from app.gateway.admission.bodies import Bodies
from app.settings import Settings
from tests.app.gateway.conftest import body, serving, until

pytestmark = pytest.mark.asyncio(loop_scope="session")

GOOD = json.dumps(body()).encode()
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def opened(port: int, length: int | None = len(GOOD), start: bytes = b"") -> Connection:
    """Begin a POST on a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    size = f"Content-Length: {length}" if length is not None else "Transfer-Encoding: chunked"
    writer.write(f"POST /workflow/start HTTP/1.1\r\nHost: x\r\n{size}\r\n\r\n".encode() + start)
    await writer.drain()
    return reader, writer


async def answer(connection: Connection) -> tuple[int, dict[str, Any]]:
    reader, writer = connection
    head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)).decode().lower()
    length = int(head.split("content-length: ")[1].split("\r\n")[0])
    content = json.loads(await reader.readexactly(length))
    writer.close()
    return int(head.split()[1]), content


def code(told: tuple[int, dict[str, Any]]) -> tuple[int, str]:
    return told[0], told[1]["error"]["code"]


async def test_a_body_over_the_limit_is_refused_before_it_is_read(settings: Settings, client: Client) -> None:
    small = settings.model_copy(update={"max_body_mb": 0.01})
    async with serving(small, client) as served:
        assert code(await answer(await opened(served.port, length=10**12))) == (413, "BODY_TOO_LARGE")
        just_over = await served.http.post("/workflow/start", content=b"x" * (int(0.01 * 1024 * 1024) + 1))
        assert just_over.status_code == 413
        assert (await served.http.post("/workflow/start", content=GOOD)).status_code == 202


async def test_a_chunked_body_is_counted(settings: Settings, client: Client) -> None:
    small = settings.model_copy(update={"max_body_mb": 0.01})
    async with serving(small, client) as served:
        connection = await opened(served.port, length=None)
        for _ in range(6):
            connection[1].write(b"800\r\n" + b"x" * 0x800 + b"\r\n")
        assert code(await answer(connection)) == (413, "BODY_TOO_LARGE")
        connection = await opened(served.port, length=None)
        connection[1].write(f"{len(GOOD):x}\r\n".encode() + GOOD + b"\r\n0\r\n\r\n")
        assert (await answer(connection))[0] == 202


async def test_a_body_that_stops_half_way_is_given_up(settings: Settings, client: Client) -> None:
    quick = settings.model_copy(update={"body_timeout_s": 0.5})
    async with serving(quick, client) as served:
        began = time.monotonic()
        assert code(await answer(await opened(served.port, start=GOOD[:20]))) == (408, "BODY_TIMEOUT")
        assert 0.4 < time.monotonic() - began < 5
        assert (await served.http.post("/workflow/start", content=GOOD)).status_code == 202


async def test_a_sender_that_drips_loses_its_slot_after_the_grace(settings: Settings, client: Client) -> None:
    patient = settings.model_copy(update={"body_slots": 1, "body_timeout_s": 60, "body_grace_s": 0.5})
    async with serving(patient, client) as served:
        dripping = await opened(served.port, start=GOOD[:1])
        drips = asyncio.create_task(_drip(dripping[1]))
        began = time.monotonic()
        assert (await served.http.post("/workflow/start", content=GOOD)).status_code == 202
        assert time.monotonic() - began < 20
        assert code(await answer(dripping)) == (408, "BODY_TIMEOUT")
        drips.cancel()


async def _drip(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.1)


async def test_without_a_slot_a_body_waits_unread_and_then_has_its_turn(settings: Settings, client: Client) -> None:
    one = settings.model_copy(update={"body_slots": 1})
    async with serving(one, client) as served:
        first = await opened(served.port, start=GOOD[:20])
        # More than the kernel and the server hold unread: it can only be sent once somebody reads it.
        big = json.dumps(body(padding="x" * 24_000_000)).encode()
        second = await opened(served.port, length=len(big))
        sending = asyncio.create_task(_send(second, big))
        third = asyncio.create_task(served.http.get("/livez"))
        assert (await third).status_code == 200
        done, _ = await asyncio.wait([sending], timeout=0.5)
        assert not done
        await _send(first, GOOD[20:])
        assert (await answer(first))[0] == 202
        await sending
        assert (await answer(second))[0] == 202


async def test_whoever_waits_too_long_for_a_slot_is_told_to_come_again(settings: Settings, client: Client) -> None:
    one = settings.model_copy(update={"body_slots": 1, "body_timeout_s": 0.5})
    async with serving(one, client) as served:
        bodies: Bodies = served.app.state.parts.bodies
        async with bodies.slot(Request({"type": "http", "headers": []}), "other"):
            busy = await served.http.post("/workflow/start", content=GOOD)
        assert (busy.status_code, busy.json()["error"]["code"]) == (503, "GATEWAY_BUSY")
        assert busy.headers["Retry-After"] == "5"
        assert (await served.http.post("/workflow/start", content=GOOD)).status_code == 202


async def test_a_client_that_leaves_in_the_middle_frees_its_slot(settings: Settings, client: Client) -> None:
    one = settings.model_copy(update={"body_slots": 1})
    async with serving(one, client) as served:
        _, writer = await opened(served.port, start=GOOD[:20])
        writer.close()
        assert (await served.http.post("/workflow/start", content=GOOD)).status_code == 202


async def test_slow_senders_of_one_caller_leave_slots_to_others(settings: Settings, client: Client) -> None:
    """As fast as senders have to be, and no faster: six of them would hold all slots for as long as a body may take."""
    patient = settings.model_copy(update={"body_slots": 6, "body_timeout_s": 60, "body_grace_s": 60})
    async with serving(patient, client, proxies="127.0.0.1") as served:
        bodies: Bodies = served.app.state.parts.bodies
        slow = [await opened(served.port, start=GOOD[:20]) for _ in range(12)]
        await until(lambda: _is(bodies.reading == 3))
        other = {"X-Forwarded-For": "203.0.113.7"}
        answers = [await served.http.post("/workflow/start", content=GOOD, headers=other) for _ in range(3)]
        assert [one.status_code for one in answers] == [202] * 3
        assert bodies.reading == 3
        for connection in slow:
            await _send(connection, GOOD[20:])
        assert [(await answer(connection))[0] for connection in slow] == [202] * 12
        assert bodies.reading == 0


async def _is(condition: bool) -> bool:
    return condition


async def _send(connection: Connection, data: bytes) -> None:
    connection[1].write(data)
    await connection[1].drain()
