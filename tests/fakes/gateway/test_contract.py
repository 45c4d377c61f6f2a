"""The fake gateway's answers against the gateway's own document."""

import json
import re
from pathlib import Path

import httpx
import pytest

from app.gateway.origins import ALLOWED_ORIGINS
from fakes.gateway.document import OPERATIONS
from fakes.gateway.scripts import TIMES, scripts
from tests.daily import every
from tests.fakes.gateway.conftest import body, check_against_the_document, events, photo, started

pytestmark = pytest.mark.asyncio(loop_scope="session")
DOCUMENT = json.loads((Path(__file__).parents[3] / "docs/openapi.json").read_text())


async def test_its_document_is_the_gateway_s(gateway: httpx.AsyncClient) -> None:
    assert (await gateway.get("/openapi.json")).json() == DOCUMENT


async def test_every_operation_of_the_document_is_there(gateway: httpx.AsyncClient) -> None:
    for route, methods in DOCUMENT["paths"].items():
        workflow_id = await started(gateway, "instant")
        for method in methods:
            answer = await gateway.request(method, route.replace("{workflowId}", workflow_id))
            assert answer.status_code not in {404, 405}, f"{method} {route}"


@pytest.mark.parametrize(
    "name", every(3, [name for name, one in scripts().items() if not one.operation], "one more story of the fake")
)
async def test_each_story_is_answered_as_the_document_says(gateway: httpx.AsyncClient, name: str) -> None:
    headers = {"X-Scenario": name, "Idempotency-Key": name}
    answer = None
    for _ in range(2):
        try:
            answer = await gateway.post("/workflow/start", json=body(), headers=headers)
        except httpx.RemoteProtocolError:
            continue
        check_against_the_document("post", "/workflow/start", answer)
    assert answer is not None
    assert answer.headers["X-Scenario"] == name
    workflow_id = answer.json()["workflowId"]
    if scripts()[name].stays:
        check_against_the_document(
            "post", OPERATIONS["cancel"][1], await gateway.post(f"/workflow/{workflow_id}/cancel")
        )
    end = await gateway.get(f"/workflow/{workflow_id}", params={"wait": 20})
    check_against_the_document("get", OPERATIONS["status"][1], end)
    assert end.json()["status"] == (
        "CANCELLED" if scripts()[name].stays else "FAILED" if scripts()[name].fails else "COMPLETED"
    )


@pytest.mark.parametrize(
    "name", every(3, [name for name, one in scripts().items() if one.operation], "one more error of the fake")
)
async def test_each_error_is_the_one_that_the_document_promises(gateway: httpx.AsyncClient, name: str) -> None:
    one = scripts()[name]
    assert one.operation
    assert one.code
    method, route = OPERATIONS[one.operation]
    headers = {"X-Scenario": name}
    workflow_id = "" if one.operation in {"start", "readyz"} else await started(gateway, name)
    seen = []
    for _ in range(TIMES + 1):
        path = route.replace("{workflowId}", workflow_id)
        answer = await gateway.request(method, path, headers=headers, json=body() if one.operation == "start" else None)
        seen.append(answer.status_code)
        if answer.status_code >= 400:
            assert answer.json()["error"]["code"] == one.code
            if one.code != "INTERNAL_ERROR":
                check_against_the_document(method, route, answer)
    assert seen[0] == seen[1] >= 400
    assert seen[2] == seen[0] or seen[0] in {408, 429, 503}


@pytest.mark.parametrize(
    "origin",
    [
        *("http://localhost:5173", "http://localhost:3000", "https://a.lovableproject.com"),
        *("https://a-b.c.lovableproject.com", "https://lovableproject.com", "http://a.lovableproject.com"),
        *("http://localhost", "https://localhost:3000", "http://localhost:3000.evil.com", "null"),
        *("https://evil-lovableproject.com", "https://a.lovableproject.com.evil.com", "http://127.0.0.1:3000"),
    ],
)
async def test_a_page_that_may_call_it_may_call_the_gateway(gateway: httpx.AsyncClient, origin: str) -> None:
    answer = await gateway.get("/livez", headers={"Origin": origin})
    allowed = answer.headers.get("Access-Control-Allow-Origin") == origin
    assert allowed == bool(re.fullmatch(ALLOWED_ORIGINS, origin))


async def test_the_photo_comes_back_upright_with_rings_on_it(gateway: httpx.AsyncClient) -> None:
    workflow_id = await started(gateway, "instant", originalImageBase64=f"data:image/png;base64,{photo(kind='PNG')}")
    result = (await gateway.get(f"/workflow/{workflow_id}")).json()["result"]
    assert all(value is not None for value in result.values())
    assert result["fluxResultBase64"] != result["geminiResultBase64"]


async def test_a_stream_says_what_the_document_describes(gateway: httpx.AsyncClient) -> None:
    workflow_id = await started(gateway, "happy")
    async with gateway.stream("GET", f"/workflow/{workflow_id}/events") as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        names = [name async for name, _, _ in events(answer)]
    assert names[-1] == "end"
    assert set(names[:-1]) <= {"progress"}
