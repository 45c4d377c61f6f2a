"""A run whose harness breaks: it fails by itself, says why, and the others go on."""

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from app.names import workflow_id_for
from fakes.kit.client import AsyncControl
from fakes.kit.serve import serving
from scenarios.processes.ports import HOST, reserve_port
from scenarios.scenario import Expect, Scenario, rule
from scenarios.stack.live import LivePlace
from scenarios.stories.runner import Runner, scenario_key
from scenarios.world.simulation import Simulation

GARBLED = Scenario(
    name="garbled",
    story="No mask is made by a poll, so the fake refuses the rule.",
    theme="tests",
    rules=(rule("sam3", "poll", "mask_empty"),),
    expect=Expect(),
)
QUIET = Scenario(name="quiet", story="All is well.", theme="tests", expect=Expect())


def test_a_rule_that_its_fake_refuses_fails_its_run_alone(simulation: Simulation) -> None:
    garbled, quiet = simulation.run_all([GARBLED, QUIET])
    assert quiet.problems == []
    assert (quiet.judged, garbled.judged) == (True, False)
    assert any(problem.startswith("broke off: ControlError: ") for problem in garbled.problems), garbled.problems
    assert "sam3.poll" in garbled.problems[0], garbled.problems


@pytest.mark.parametrize("scenario", [QUIET, GARBLED])
async def test_a_gateway_that_is_not_there_is_a_problem_of_the_run(scenario: Scenario) -> None:
    nowhere = f"http://{HOST}:{reserve_port()}"
    async with AsyncControl(nowhere) as control:
        runner = Runner(LivePlace(nowhere, controls={"sam3": control}))
        run = await runner.run(scenario)
        await runner.close()
    assert run.problems[0].startswith("broke off: ")
    assert nowhere in run.problems[0]
    assert not run.judged


async def test_a_start_that_is_accepted_and_lost_speaks_against_the_gateway() -> None:
    async def forgetful(request: Request) -> JSONResponse:
        if request.method == "POST":
            return JSONResponse({"workflowId": workflow_id_for("lost"), "status": "RUNNING"}, 202)
        return JSONResponse(
            {"error": {"code": "WORKFLOW_NOT_FOUND", "message": "There is no try-on with this id"}}, 404
        )

    app = Starlette(routes=[Route("/workflow/{rest:path}", forgetful, methods=["GET", "POST"])])
    async with serving(app) as gateway:
        runner = Runner(LivePlace(gateway, controls={}))
        run = await runner.run(QUIET)
        await runner.close()
    assert run.judged
    assert run.problems[0] == "status: expected COMPLETED, seen LOST (There is no try-on with this id)"


async def test_a_busy_deployment_is_asked_again() -> None:
    """A start and a look are refused once each, as a busy gateway refuses them; the try-on goes its way."""
    refused: set[str] = set()

    async def busy(request: Request) -> JSONResponse:
        if request.method not in refused:
            refused.add(request.method)
            return JSONResponse({"error": {"code": "TEMPORAL_UNAVAILABLE"}}, 503, {"Retry-After": "0"})
        started = request.method == "POST"
        status = {"workflowId": workflow_id, "status": "RUNNING" if started else "CANCELLED"}
        return JSONResponse(status, 202 if started else 200)

    scenario = Scenario(name="busy", story="It is busy.", theme="tests", expect=Expect(status="CANCELLED"))
    workflow_id = workflow_id_for(scenario_key(scenario, 1, 1))
    app = Starlette(routes=[Route("/{path:path}", busy, methods=["GET", "POST"])])
    async with serving(app) as url:
        runner = Runner(LivePlace(url, controls={}))
        run = await runner.run(scenario)
        await runner.close()
    assert (run.problems, refused) == ([], {"POST", "GET"})
