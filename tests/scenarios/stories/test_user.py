"""What a user does, and what the answers come to."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from fakes.kit.serve import serving
from scenarios.gateway_client import GatewayClient, json_of
from scenarios.scenario import Act, Doing, Expect, Scenario, Staging
from scenarios.stories.acts import Acts, Answered, Start
from scenarios.stories.asking import Asking
from scenarios.stories.place import API_KEY
from scenarios.stories.user import perform, told_of_health

SERVICES = {"a100": "online", "imageManipulator": "online", "birefnet": "online", "sam3": "online"}


@pytest.mark.parametrize(
    ("status", "temporal", "changed", "told"),
    [
        ("healthy", "connected", {}, (200, "healthy")),
        ("degraded", "connected", {"a100": "slow"}, (503, None)),
        ("degraded", "disconnected", {}, (503, None)),
        ("degraded", "connected", {"sam3": "offline"}, (200, "degraded")),
    ],
)
def test_a_busy_machine_makes_no_health_wrong(
    status: str, temporal: str, changed: dict[str, str], told: tuple[int, str | None]
) -> None:
    http_status, said = told_of_health(200, {"status": status, "temporal": temporal, "services": SERVICES | changed})
    assert (http_status, said.get("status")) == told


@pytest.mark.parametrize(
    ("status", "temporal", "changed"),
    [
        ("degraded", "connected", {}),
        ("healthy", "connected", {"a100": "offline"}),
        ("healthy", "connected", {"a100": "slow"}),
        ("healthy", "disconnected", {}),
    ],
)
def test_a_health_that_contradicts_itself_is_no_health(status: str, temporal: str, changed: dict[str, str]) -> None:
    _, said = told_of_health(200, {"status": status, "temporal": temporal, "services": SERVICES | changed})
    assert said["status"] not in {"healthy", "degraded"}
    assert told_of_health(500, {"noObject": "sorry"}) == (500, {"status": "{'noObject': 'sorry'}"})


async def told_of(do: Doing, gateway: Callable[[Request], Awaitable[JSONResponse]]) -> Answered:
    app = Starlette(routes=[Route("/{path:path}", gateway, methods=["GET", "POST"])])
    async with serving(app) as url, GatewayClient(url, api_key=API_KEY) as client:
        return await perform(Asking(client, None, Act(do, "end"), "w", Start({}, {"Idempotency-Key": "k"}), Refuses()))


class Refuses:
    """Refuses nothing."""

    def refuse(self, workflow_id: str, staging: Staging) -> None:
        pass

    @contextmanager
    def unread(self, _workflow_id: str, _staging: Staging) -> Iterator[None]:
        yield

    def forget(self, workflow_id: str) -> None:
        pass


QUESTIONS = ("GET /workflow/w", "GET /workflow/w/events", "POST /workflow/w/cancel", "POST /workflow/start")


@pytest.mark.parametrize("header", [None, "X-API-Key", "Authorization"])
@pytest.mark.parametrize("lets_in", QUESTIONS)
async def test_a_stranger_tells_of_the_first_question_that_lets_one_in(lets_in: str, header: str | None) -> None:
    async def gateway(request: Request) -> JSONResponse:
        asked = f"{request.method} {request.url.path}" == lets_in
        keyless = not {"x-api-key", "authorization"} & set(request.headers)
        let_in = asked and (keyless if header is None else header in request.headers)
        return JSONResponse({"status": "RUNNING"}, 200 if let_in else 401)

    assert (await told_of("stranger", gateway)).http_status == 200


async def test_a_stranger_whom_nobody_lets_in_is_told_so() -> None:
    asked: set[str] = set()

    async def gateway(request: Request) -> JSONResponse:
        asked.add(f"{request.method} {request.url.path}")
        return JSONResponse({}, 401)

    assert (await told_of("stranger", gateway)).http_status == 401
    assert asked == set(QUESTIONS)


@pytest.mark.parametrize("deaf", [0, 1, 2, 3, None])
async def test_who_has_a_key_is_heard_by_each_header(deaf: int | None) -> None:
    came = count()

    async def gateway(request: Request) -> JSONResponse:
        known = API_KEY in request.headers.get("Authorization", "") or request.headers.get("X-API-Key") == API_KEY
        return JSONResponse({"status": "RUNNING"}, 200 if known and next(came) != deaf else 403)

    assert (await told_of("keyed", gateway)).http_status == (200 if deaf is None else 403)


@pytest.mark.parametrize("again", [200, 503])
async def test_results_that_were_not_given_are_asked_for_again(again: int) -> None:
    came = count()

    async def gateway(_request: Request) -> JSONResponse:
        return JSONResponse({"workflowId": "w"}, 410 if next(came) == 0 else again)

    assert (await told_of("results_gone", gateway)).http_status == (410 if again == 200 else again)


async def test_who_waits_through_knows_what_others_were_told() -> None:
    """Of this gateway a wait is told of its beginning."""
    progress = count(5)

    async def gateway(request: Request) -> JSONResponse:
        waits = float(request.query_params.get("wait", 0))
        told = {"status": "RUNNING", "progress": next(progress), "currentStep": "RESIZING_IMAGE"}
        await asyncio.sleep(waits)
        return JSONResponse(told)

    told = await told_of("wait_through", gateway)
    assert told.place
    assert told.known > told.place[0]


@pytest.mark.parametrize("odd", [None, "status", "code"])
async def test_of_a_crowd_the_one_who_is_told_otherwise_is_heard(odd: str | None) -> None:
    came = count()

    async def gateway(request: Request) -> JSONResponse:
        said: dict[str, Any] = {"status": "FAILED", "error": {"code": "SAM3_TIMEOUT"}}
        if float(request.query_params["wait"]) > 1 and next(came) == 1 and odd:
            said = {"status": "RUNNING"} if odd == "status" else {"status": "FAILED", "error": {"code": "SAM3_ERROR"}}
        return JSONResponse(said)

    told = await told_of("crowd", gateway)
    assert (told.status, told.code) == {
        None: ("FAILED", "SAM3_TIMEOUT"),
        "status": ("RUNNING", None),
        "code": ("FAILED", "SAM3_ERROR"),
    }[odd]


async def test_results_that_are_not_given_are_asked_for_when_all_others_are_answered() -> None:
    done: list[Doing] = []

    async def do_it(act: Act) -> Answered:
        await asyncio.sleep(0.01 if act.do == "status" else 0)
        done.append(act.do)
        return Answered(act, 200, None, None, own=True)

    asked = (Act("results_gone", "end"), Act("status", "end"), Act("results_busy", "end"))
    acts = Acts(Scenario(name="a", story="A.", theme="t", acts=asked, expect=Expect()), do_it)
    acts.begin("end")
    assert [each.act for each in await acts.answers()] == list(asked)
    assert done == ["status", "results_gone", "results_busy"]


@pytest.mark.parametrize("said", [b"[1, 2]", b'"sorry"', b"", b"<html>"])
def test_what_is_no_object_is_told_as_such(said: bytes) -> None:
    assert json_of(httpx.Response(200, content=said)) == {"noObject": said.decode()}
