"""The TypeScript client: made from the document, sound to the compiler, and right against the fake gateway."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from scenarios.commands import client
from scenarios.stack.node import node_command
from tests.frontend.conftest import node, play, tsc

pytestmark = pytest.mark.asyncio(loop_scope="session")
ROOT = Path(__file__).parents[2]


async def test_the_types_are_those_of_the_document() -> None:
    assert client.SCHEMA.read_text() == await asyncio.to_thread(client.schema), "run `make client`"


async def test_the_console_s_page_has_the_same_client() -> None:
    assert client.CONSOLE.read_text() == await asyncio.to_thread(client.bundle), "run `make client`"


async def test_the_documented_version_is_the_pinned_one() -> None:
    pins = json.loads((ROOT / "requirements/client/package.json").read_text())["dependencies"]
    page = (ROOT / "docs/frontend.md").read_text()
    assert f"openapi-fetch@{pins['openapi-fetch']}" in page
    assert f"openapi-typescript@{pins['openapi-typescript']}" in page


async def test_the_compiler_has_nothing_to_say(folder: Path) -> None:
    assert await node(folder, *tsc()[1:], "-p", ".") == (0, "", "")


WRONG = {
    "api.start({ maskPoints: [{ x: 0, y: 0, label: 1 }] })": "originalImageBase64",
    'api.start({ originalImageBase64: "", maskPoints: [{ x: 0, y: 0, label: 2 }] })': "0 | 1",
    'api.status("x").then((status) => status.result)': "result",
    'api.status("x").then((status) => status.status === "DONE")': "DONE",
}
"""A call on each line of a page, and what the compiler has to name there."""


async def test_the_compiler_finds_each_wrong_call(folder: Path) -> None:
    page = folder / "wrong" / "page.ts"
    page.parent.mkdir(exist_ok=True)
    calls = [f"await {wrong};" for wrong in WRONG]
    page.write_text("\n".join(['import { TryOnApi } from "../tryon.ts"; const api = new TryOnApi("");', *calls]))
    (page.parent / "tsconfig.json").write_text('{"extends": "../tsconfig.json", "include": ["page.ts"]}')
    code, said, _ = await node(folder, *tsc()[1:], "-p", str(page.parent))
    assert code != 0
    errors = re.split(r"^(?=\S.*: error)", said, flags=re.MULTILINE)[1:]
    assert [line for each in errors for line in re.findall(r"page\.ts\((\d+),", each)] == ["2", "3", "4", "5"]
    assert [complaint in error for complaint, error in zip(WRONG.values(), errors, strict=True)] == [True] * len(WRONG)


# ---------------------------------------------------------------- against the fake gateway
async def test_a_try_on_is_followed_to_its_pictures(folder: Path, gateway: httpx.AsyncClient) -> None:
    seen = await play(folder, str(gateway.base_url), "whole", "happy")
    assert seen["end"]["status"] == seen["last"]["status"] == "COMPLETED"
    assert seen["changes"][-1] == seen["last"]
    assert all(seen["end"]["result"].values())


async def test_a_failure_is_told_with_code_and_step(folder: Path, gateway: httpx.AsyncClient) -> None:
    seen = await play(folder, str(gateway.base_url), "whole", "a100-down")
    assert seen["last"] == seen["end"]
    assert seen["end"]["error"]["code"] == "A100_UNAVAILABLE"


async def test_a_cancelled_one_cannot_be_cancelled_again(folder: Path, gateway: httpx.AsyncClient) -> None:
    seen = await play(folder, str(gateway.base_url), "cancelled", "stuck")
    assert seen["answer"]["status"] == "CANCELLED"
    assert (seen["again"]["status"], seen["again"]["code"]) == (409, "WORKFLOW_FINISHED")


@pytest.mark.parametrize("scenario", ["stream-breaks", "stream-unavailable", "events-temporal-unavailable"])
async def test_a_stream_that_ends_early_is_asked_for_again(
    folder: Path, gateway: httpx.AsyncClient, scenario: str
) -> None:
    assert (await play(folder, str(gateway.base_url), "whole", scenario))["last"]["status"] == "COMPLETED"


TOLD = pytest.mark.long("the client waits as long as it is told")


@pytest.mark.parametrize(
    "scenario",
    [
        pytest.param("start-gateway-busy", marks=TOLD),
        pytest.param("start-body-timeout", marks=TOLD),
        "answer-lost",
        "answer-unsure",
    ],
)
async def test_a_start_that_may_go_better_is_sent_again(
    folder: Path, gateway: httpx.AsyncClient, scenario: str
) -> None:
    seen = await play(folder, str(gateway.base_url), "twice", scenario)
    assert seen[0] == seen[1]


@pytest.mark.parametrize(
    ("scenario", "status"),
    [("start-azure-rejected", 503), ("start-invalid-image", 422), ("start-too-many-starts", 429)],
)
async def test_a_start_that_cannot_is_told_at_once(
    folder: Path, gateway: httpx.AsyncClient, scenario: str, status: int
) -> None:
    told = await play(folder, str(gateway.base_url), "refused", scenario)
    assert told["status"] == status
    assert told["code"] == scenario.removeprefix("start-").replace("-", "_").upper()


async def test_a_wrong_request_names_its_fields(folder: Path, gateway: httpx.AsyncClient) -> None:
    told = await play(folder, str(gateway.base_url), "wrong")
    assert (told["code"], [one["field"] for one in told["details"]]) == ("INVALID_REQUEST", ["maskPoints[0].x"])


async def test_an_unknown_id_is_not_asked_for_for_ever(folder: Path, gateway: httpx.AsyncClient) -> None:
    told: dict[str, Any] = await play(folder, str(gateway.base_url), "unknown")
    assert {one["code"] for one in told.values()} == {"WORKFLOW_NOT_FOUND"}


async def test_who_leaves_is_let_go(folder: Path, gateway: httpx.AsyncClient) -> None:
    assert await play(folder, str(gateway.base_url), "left", "stuck") == "AbortError"


@pytest.mark.long("the client tries again as long as it does in a page")
async def test_a_gateway_that_is_away_is_named(folder: Path) -> None:
    told = await play(folder, "http://127.0.0.1:9", "refused")
    assert (told["status"], told["code"]) == (0, "GATEWAY_UNREACHABLE")


async def test_the_example_draws_a_picture(folder: Path, gateway: httpx.AsyncClient, tmp_path: Path) -> None:
    photo = tmp_path / "photo.jpg"
    Image.new("RGB", (80, 60), "tan").save(photo)
    flux = tmp_path / "flux.jpg"
    with flux.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            *node_command("node"), "example.ts", str(gateway.base_url), str(photo), "0.5,0.6", cwd=folder, stdout=out
        )
        assert await process.wait() == 0
    with Image.open(flux) as drawn:
        assert drawn.size == (80, 60)
