"""What a user does beside starting a try-on and looking at it: after the start, at an instant, or at the end."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import httpx
from temporalio.client import Client

from scenarios.gateway_client import GatewayClient, json_of
from scenarios.scenario import Act, Scenario
from scenarios.stories.drawn import another_photo

UNKNOWN = "00000000-0000-5000-8000-000000000000"
"""The id of no try-on."""
WAIT_S = 60
"""The longest that the API lets a client wait in one request (docs/api.md)."""
BRIEFLY_S = 0.02
UNAVAILABLE = 503
LONG = {"wait", "crowd", "events", "events_anew", "events_late"}
"""Acts that take as long as the try-on does."""


@dataclass(frozen=True)
class Answered:
    """What an act was answered.

    Attributes:
        act: what was done, and when.
        http_status: of the answer.
        status: the try-on's, where the answer says one.
        code: of the error, where it is one.
        own: whether the answer names this try-on and no other.
        place: progress and step, where it runs.
        events: for a stream each event's name, and the progress and step that it says, in their order.
        more: the HTTP status of a stream that is taken up after its end.
        pages: for each origin what its page was let read.
    """

    act: Act
    http_status: int
    status: str | None
    code: str | None
    own: bool
    place: tuple[int, str] | None = None
    events: tuple[tuple[str, int | None, str | None], ...] = ()
    more: int | None = None
    pages: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class Start(NamedTuple):
    """The request of a start. Its Idempotency-Key is among the headers; spaces fill its body up to its size."""

    body: dict[str, Any]
    headers: dict[str, str]
    size: int = 0

    @property
    def content(self) -> bytes:
        """The body as it is sent."""
        return json.dumps(self.body).encode().ljust(self.size)


async def perform(
    gateway: GatewayClient,
    temporal: Client | None,
    act: Act,
    workflow_id: str,
    start: Start,
) -> Answered:
    """Do one thing as a client would, and return what came of it.

    Args:
        gateway: whom to ask.
        temporal: whom to ask for the workflow's own word; None where there is no way to it.
        act: what to do.
        workflow_id: of the try-on.
        start: its request, for a repeated one.
    """
    if act.do.startswith("events"):
        return await _follow(gateway, act, workflow_id)
    if act.do == "crowd":
        return await _crowd(gateway, act, workflow_id)
    if act.do == "from_pages":
        return await _from_pages(gateway, act, workflow_id)
    if act.do == "health":
        return await _health(gateway, act, workflow_id)
    if act.do == "progress" and temporal:
        told = await temporal.get_workflow_handle(workflow_id).query("get_progress")
        return _answered(act, workflow_id, 200, told)
    if act.do == "repeat":
        answer = await gateway.post(start.content, headers=start.headers)
    elif act.do == "repeat_other":
        session = f"not {start.body.get('sessionId')}"[:100]
        other = start.body | {"sessionId": session, "originalImageBase64": another_photo()}
        answer = await gateway.post(other, headers=start.headers)
    elif act.do == "cancel":
        answer = await gateway.cancel(workflow_id)
    else:
        answer = await gateway.look(workflow_id, wait_s={"wait": WAIT_S, "wait_briefly": BRIEFLY_S}.get(act.do, 0))
    return _answered(act, workflow_id, answer.status_code, json_of(answer))


CROWD = 3
"""Clients that wait to the end, beside two that leave."""


async def _crowd(gateway: GatewayClient, act: Act, workflow_id: str) -> Answered:
    """Wait for the end with others, of whom one has enough soon and one hangs up; return what those who stay are told.

    The answer is one that is no end, if there is any, else the one that the fewest are given.
    """
    staying = [asyncio.create_task(gateway.look(workflow_id, wait_s=WAIT_S)) for _ in range(CROWD)]
    leaving = asyncio.create_task(gateway.look(workflow_id, wait_s=WAIT_S))
    try:
        await gateway.look(workflow_id, wait_s=BRIEFLY_S)
        leaving.cancel()
        told = [_answered(act, workflow_id, each.status_code, json_of(each)) for each in await asyncio.gather(*staying)]
    finally:
        for each in (*staying, leaving):
            each.cancel()
    return min(told, key=lambda each: (each.status not in {None, "RUNNING"}, told.count(each)))


async def _follow(gateway: GatewayClient, act: Act, workflow_id: str) -> Answered:
    """Follow the stream up to its first event, drop it, take it up again to its end, and once more after that."""
    events: list[tuple[str, int | None, str | None]] = []
    said: dict[str, Any] = {}
    last: str | None = None
    status = 0
    for drops in (True, False):
        if not drops and act.do == "events_late":
            while json_of(await gateway.look(workflow_id, wait_s=WAIT_S)).get("status") == "RUNNING":
                pass
        if act.do == "events_anew":
            last = None
        async with gateway.events(workflow_id, after=last) as stream:
            if stream.status_code == httpx.codes.NO_CONTENT and events and events[-1][0] == "end":
                break
            status = stream.status_code
            async for name, told, said in _events(stream):
                last = told
                events.append((name, said.get("progress"), said.get("currentStep")))
                if drops or name == "end":
                    break
    async with gateway.events(workflow_id, after=last) as stream:
        return replace(_answered(act, workflow_id, status, said, tuple(events)), more=stream.status_code)


HEALTHY = "healthy"
"""docs/api.md: what /health says where everything can be reached."""


async def _health(gateway: GatewayClient, act: Act, workflow_id: str) -> Answered:
    answer = await gateway.http.get("/health")
    return _answered(act, workflow_id, *told_of_health(answer.status_code, json_of(answer)))


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


async def _from_pages(gateway: GatewayClient, act: Act, workflow_id: str) -> Answered:
    """Ask as the pages of several origins do: whether they may start, how it stands, and what there is not."""
    asked = (("OPTIONS", "/workflow/start"), ("GET", f"/workflow/{workflow_id}"), ("GET", f"/workflow/{UNKNOWN}"))
    pages: dict[str, tuple[str, ...]] = {}
    for origin in ORIGINS:
        headers = {"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": SENT}
        answers = [await gateway.http.request(method, path, headers=headers) for method, path in asked]
        let_in = [each.headers.get("access-control-allow-origin") in {origin, "*"} for each in answers]
        let_in[0] &= answers[0].is_success  # a browser sends nothing else after a preflight that is none
        pages[origin] = tuple(word for word, read in zip(("start", "status", "refusal"), let_in, strict=True) if read)
        if origin == ORIGINS[0]:
            answer = answers[1]
    return replace(_answered(act, workflow_id, answer.status_code, json_of(answer)), pages=pages)


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


def _answered(
    act: Act,
    workflow_id: str,
    http_status: int,
    said: dict[str, Any],
    events: tuple[tuple[str, int | None, str | None], ...] = (),
) -> Answered:
    error = said.get("error") or {}
    return Answered(
        act,
        http_status,
        said.get("status"),
        error.get("code"),
        own=said.get("workflowId", workflow_id) == workflow_id,
        place=(said["progress"], said["currentStep"]) if "progress" in said else None,
        events=events,
    )


class Acts:
    """What the user does in one run. `do_it` does one thing and returns what it was answered."""

    def __init__(self, scenario: Scenario, do_it: Callable[[Act], Coroutine[Any, Any, Answered]]) -> None:
        self._acts = scenario.acts
        self._do_it = do_it
        self._doing: dict[int, asyncio.Task[Answered]] = {}

    def timed(self) -> list[Act]:
        """Return those that are at an instant."""
        return [act for act in self._acts if not isinstance(act.at, str)]

    def begin(self, at: str) -> None:
        """Begin those that are then."""
        for act in self._acts:
            if act.at == at:
                self._begin(act)

    def begin_in_time(self) -> None:
        """Begin those that are at an instant, each in its time, which is real."""
        for act in self.timed():
            self._begin(act, wait_s=float(act.at))

    async def do(self, act: Act) -> None:
        """Do one at its virtual instant. All else waits, but for the end of what takes as long as the try-on does."""
        doing = self._begin(act)
        if act.do not in LONG:
            await doing

    def _begin(self, act: Act, wait_s: float = 0.0) -> "asyncio.Task[Answered]":
        async def later() -> Answered:
            await asyncio.sleep(wait_s)
            return await self._do_it(act)

        place = next(n for n, each in enumerate(self._acts) if each is act)
        self._doing[place] = asyncio.create_task(later() if wait_s else self._do_it(act))
        return self._doing[place]

    async def answers(self) -> list[Answered]:
        """Return what all that was begun is answered, in the scenario's order."""
        return [await self._doing[place] for place in sorted(self._doing)]

    def stop(self) -> None:
        """Give up what goes on."""
        for task in self._doing.values():
            task.cancel()
