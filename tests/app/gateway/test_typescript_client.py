"""The TypeScript client of docs/client against the gateway itself."""

import shutil
from pathlib import Path

import pytest
from temporalio.exceptions import ApplicationError

from scenarios.commands.client import beside_its_modules
from tests.app.gateway.conftest import Backend, Served
from tests.frontend.conftest import CALLS, play

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture(scope="session")
def folder() -> Path:
    folder = beside_its_modules()
    shutil.copy(CALLS, folder)
    return folder


def url(gateway: Served) -> str:
    return f"http://127.0.0.1:{gateway.port}"


async def test_a_try_on_is_followed_to_its_pictures(folder: Path, gateway: Served) -> None:
    seen = await play(folder, url(gateway), "whole")
    assert seen["last"] == {"workflowId": seen["workflowId"], "status": "COMPLETED"}
    assert seen["end"]["result"]["fluxResultBase64"]
    assert seen["end"]["result"]["fluxMetrics"]["growthRatio"] == 1.02


async def test_a_failure_is_told_with_code_and_step(folder: Path, gateway: Served, backend: Backend) -> None:
    failure = {"code": "A100_UNAVAILABLE", "message": "A100 server is offline", "failedStep": "GENERATING_IMAGES"}
    backend.broken["generate_images"] = ApplicationError(
        "A100 server is offline", failure, type="A100UnavailableError", non_retryable=True
    )
    seen = await play(folder, url(gateway), "whole")
    assert seen["end"]["error"]["code"] == "A100_UNAVAILABLE"


async def test_a_cancelled_one_cannot_be_cancelled_again(folder: Path, gateway: Served, backend: Backend) -> None:
    backend.held.add("resize_image")
    seen = await play(folder, url(gateway), "cancelled")
    assert seen["answer"]["status"] == "CANCELLED"
    assert seen["again"]["code"] == "WORKFLOW_FINISHED"


async def test_a_wrong_request_names_its_fields(folder: Path, gateway: Served) -> None:
    told = await play(folder, url(gateway), "wrong")
    assert (told["code"], [one["field"] for one in told["details"]]) == ("INVALID_REQUEST", ["maskPoints[0].x"])


async def test_an_unknown_id_is_not_asked_for_for_ever(folder: Path, gateway: Served) -> None:
    told = await play(folder, url(gateway), "unknown")
    assert {one["code"] for one in told.values()} == {"WORKFLOW_NOT_FOUND"}


async def test_the_same_key_is_the_same_try_on(folder: Path, gateway: Served) -> None:
    first, second = await play(folder, url(gateway), "twice")
    assert first == second


async def test_health_has_its_types(folder: Path, gateway: Served) -> None:
    assert (await play(folder, url(gateway), "health"))["temporal"] == "connected"
