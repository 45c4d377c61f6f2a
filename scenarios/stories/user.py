"""What a user does beside starting a try-on and looking at it: a way for each word of an act."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

import httpx

from scenarios.gateway_client import json_of
from scenarios.scenario import ONE_OF_THEM, UNREAD, Doing
from scenarios.stories.acts import Answered
from scenarios.stories.asking import Asking, answer_of, answered
from scenarios.stories.drawn import another_photo
from scenarios.stories.keys import as_a_stranger, by_each_header

UNKNOWN = "00000000-0000-5000-8000-000000000000"
"""The id of no try-on."""
WAIT_S = 60
"""The longest that the API lets a client wait in one request (docs/api.md)."""
BRIEFLY_S = 0.02
THROUGH_S = 1.0
"""Wall seconds in which a try-on makes some steps."""
BETWEEN_S = 0.05
UNAVAILABLE = 503


async def perform(asking: Asking) -> Answered:
    """Do one thing as a client would, and return what came of it."""
    return await WAYS[asking.act.do](asking)


async def _repeat(asking: Asking) -> Answered:
    answer = await asking.gateway.post(asking.start.content, headers=asking.start.headers)
    return answer_of(asking, answer)


async def _repeat_other(asking: Asking) -> Answered:
    session = f"not {asking.start.body.get('sessionId')}"[:100]
    other = asking.start.body | {"sessionId": session, "originalImageBase64": another_photo()}
    answer = await asking.gateway.post(other, headers=asking.start.headers)
    return answer_of(asking, answer)


async def _cancel(asking: Asking) -> Answered:
    answer = await asking.gateway.cancel(asking.workflow_id)
    return answer_of(asking, answer)


async def _look(asking: Asking) -> Answered:
    wait_s = {"wait": WAIT_S, "wait_briefly": BRIEFLY_S}.get(asking.act.do, 0)
    answer = await asking.gateway.look(asking.workflow_id, wait_s=wait_s)
    return answer_of(asking, answer)


async def _wait_through(asking: Asking) -> Answered:
    """Wait for a second, and look on meanwhile: who waits has to be told what stands at the end of it."""
    over = time.monotonic() + THROUGH_S
    waiting = asyncio.create_task(asking.gateway.look(asking.workflow_id, wait_s=THROUGH_S))
    known = 0
    try:
        while not waiting.done():
            progress = json_of(await asking.gateway.look(asking.workflow_id)).get("progress", 0)
            known = max(known, progress) if time.monotonic() < over else known
            await asyncio.wait([waiting], timeout=BETWEEN_S)
        return replace(answer_of(asking, await waiting), known=known)
    finally:
        waiting.cancel()


async def _unread(asking: Asking) -> Answered:
    """Look while the store does not give results, and once more when it does; return the first, if that one is well."""
    assert asking.stagings, "results are refused in virtual time alone"
    of = f"{asking.workflow_id}{ONE_OF_THEM.get(asking.act.do, '')}"
    with asking.stagings.unread(of, UNREAD[asking.act.do]):
        told = await _look(asking)
    again = await _look(asking)
    return told if again.http_status == httpx.codes.OK else again


async def _progress(asking: Asking) -> Answered:
    """Ask the workflow itself, or the gateway where there is no way to it."""
    if asking.temporal is None:
        return await _look(asking)
    return answered(asking, 200, await asking.temporal.get_workflow_handle(asking.workflow_id).query("get_progress"))


CROWD = 3
"""Clients that wait to the end, beside two that leave."""


async def _crowd(asking: Asking) -> Answered:
    """Wait for the end with others, of whom one has enough soon and one hangs up; return what those who stay are told.

    The answer is one that is no end, if there is any, else the one that the fewest are given.
    """
    staying = [asyncio.create_task(asking.gateway.look(asking.workflow_id, wait_s=WAIT_S)) for _ in range(CROWD)]
    leaving = asyncio.create_task(asking.gateway.look(asking.workflow_id, wait_s=WAIT_S))
    try:
        await asking.gateway.look(asking.workflow_id, wait_s=BRIEFLY_S)
        leaving.cancel()
        told = [answer_of(asking, each) for each in await asyncio.gather(*staying)]
    finally:
        for each in (*staying, leaving):
            each.cancel()
    return min(told, key=lambda each: (each.status not in {None, "RUNNING"}, told.count(each)))


async def _follow(asking: Asking) -> Answered:
    """Follow the stream up to its first event, drop it, take it up again to its end, and once more after that."""
    events: list[tuple[str, int | None, str | None]] = []
    said: dict[str, Any] = {}
    last: str | None = None
    status = 0
    for drops in (True, False):
        if not drops and asking.act.do == "events_late":
            while json_of(await asking.gateway.look(asking.workflow_id, wait_s=WAIT_S)).get("status") == "RUNNING":
                pass
        if asking.act.do == "events_anew":
            last = None
        async with asking.gateway.events(asking.workflow_id, after=last) as stream:
            if stream.status_code == httpx.codes.NO_CONTENT and events and events[-1][0] == "end":
                break
            status = stream.status_code
            async for name, told, said in _events(stream):
                last = told
                events.append((name, said.get("progress"), said.get("currentStep")))
                if drops or name == "end":
                    break
    async with asking.gateway.events(asking.workflow_id, after=last) as stream:
        return replace(answered(asking, status, said, tuple(events)), more=stream.status_code)


HEALTHY = "healthy"
"""docs/api.md: what /health says where everything can be reached."""


async def _health(asking: Asking) -> Answered:
    answer = await asking.gateway.http.get("/health")
    return answered(asking, *told_of_health(answer.status_code, json_of(answer)))


def told_of_health(http_status: int, said: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Return what an answer of /health comes to: as it is, or that nobody could tell.

    The gateway waits for Temporal and the services by the wall's clock: on a busy machine `slow` and `disconnected`
    say as much as a 503 does.
    """
    if not {"status", "temporal", "services"} <= said.keys():
        return http_status, {"status": f"{said}"}
    reached = {said["temporal"], *said["services"].values()}
    if reached & {"slow", "disconnected"} and said["status"] == "degraded":
        return UNAVAILABLE, {}
    well = reached == {"connected", "online"}
    return http_status, {"status": said["status"] if well == (said["status"] == HEALTHY) else f"{said}"}


ORIGINS = (
    "http://localhost:5173",
    "https://a-preview.lovableproject.com",
    "https://lovableproject.com.example.com",
    "http://localhost.example.com:5173",
    "null",
)


SENT = "authorization, content-type, idempotency-key, last-event-id, x-api-key, x-anything"
"""Headers that pages may send: all (specification, CORS Configuration)."""


async def _from_pages(asking: Asking) -> Answered:
    """Ask as the pages of several origins do: whether they may start, how it stands, and what is refused.

    A browser asks whether it may without a key; and what is refused for want of one has to be readable too.
    """
    pages: dict[str, tuple[str, ...]] = {}
    async with asking.without_a_key() as nobody:
        asked = (
            (nobody, "OPTIONS", "/workflow/start"),
            (asking.gateway.http, "GET", f"/workflow/{asking.workflow_id}"),
            (nobody, "GET", f"/workflow/{UNKNOWN}"),
        )
        for origin in ORIGINS:
            headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
            headers["Access-Control-Request-Headers"] = SENT
            answers = [await who.request(method, path, headers=headers) for who, method, path in asked]
            let_in = [each.headers.get("access-control-allow-origin") in {origin, "*"} for each in answers]
            let_in[0] &= answers[0].is_success  # a browser sends nothing else after a preflight that is none
            read = zip(("start", "status", "refusal"), let_in, strict=True)
            pages[origin] = tuple(word for word, readable in read if readable)
            if origin == ORIGINS[0]:
                answer = answers[1]
    return replace(answer_of(asking, answer), pages=pages)


async def _events(stream: httpx.Response) -> AsyncIterator[tuple[str, str | None, dict[str, Any]]]:
    """Yield each event's name, its id, and what it says."""
    told: dict[str, str] = {}
    async for line in stream.aiter_lines():
        name, _, value = line.partition(":")
        if name:
            told[name] = value.strip()
        elif line == "" and "data" in told:
            yield told.get("event", ""), told.get("id"), json.loads(told["data"])
            told = {}


WAYS: Mapping[Doing, Callable[[Asking], Awaitable[Answered]]] = {
    "status": _look,
    "wait": _look,
    "wait_briefly": _look,
    "wait_through": _wait_through,
    "progress": _progress,
    "crowd": _crowd,
    "events": _follow,
    "events_anew": _follow,
    "events_late": _follow,
    "repeat": _repeat,
    "repeat_other": _repeat_other,
    "cancel": _cancel,
    "from_pages": _from_pages,
    "health": _health,
    "stranger": as_a_stranger,
    "keyed": by_each_header,
    **dict.fromkeys(UNREAD, _unread),
}
