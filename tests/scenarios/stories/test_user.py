"""What a user does, and what the answers come to."""

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from fakes.kit.serve import serving
from scenarios.gateway_client import GatewayClient, json_of
from scenarios.scenario import Act
from scenarios.stories.acts import Start
from scenarios.stories.user import Asking, perform, told_of_health

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


@pytest.mark.parametrize("lets_in", ["nobody", "GET /workflow/w", "POST /workflow/w/cancel", "POST /workflow/start"])
async def test_a_stranger_tells_of_the_first_question_that_lets_one_in(lets_in: str) -> None:
    async def gateway(request: Request) -> JSONResponse:
        let_in = f"{request.method} {request.url.path}" == lets_in and request.headers.get("X-API-Key") is not None
        return JSONResponse({"status": "RUNNING"}, 200 if let_in else 401)

    app = Starlette(routes=[Route("/{path:path}", gateway, methods=["GET", "POST"])])
    async with serving(app) as url, GatewayClient(url) as client:
        told = await perform(Asking(client, None, Act("stranger", 1), "w", Start({}, {}), None))
    assert told.http_status == (401 if lets_in == "nobody" else 200)


@pytest.mark.parametrize("said", [b"[1, 2]", b'"sorry"', b"", b"<html>"])
def test_what_is_no_object_is_told_as_such(said: bytes) -> None:
    assert json_of(httpx.Response(200, content=said)) == {"noObject": said.decode()}
