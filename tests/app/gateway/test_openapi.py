"""The description of the API is what docs/openapi.json says; `make openapi` writes it anew after a wanted change."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.errors import error_classes
from app.errors.request import RequestError

PINNED = Path(__file__).parents[3] / "docs" / "openapi.json"

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture(scope="module")
def pinned() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(PINNED.read_text())
    return document


async def test_it_is_as_pinned(http: httpx.AsyncClient, pinned: dict[str, Any]) -> None:
    assert (await http.get("/openapi.json")).json() == pinned, "run `make openapi` and look at the difference"


async def test_every_reference_leads_somewhere(pinned: dict[str, Any]) -> None:
    def references(part: Any) -> set[str]:
        if isinstance(part, dict):
            own = {part["$ref"]} if isinstance(part.get("$ref"), str) else set()
            return own.union(*(references(value) for value in part.values()))
        return set().union(*(references(value) for value in part)) if isinstance(part, list) else set()

    names = {f"#/components/schemas/{name}" for name in pinned["components"]["schemas"]}
    assert references(pinned) <= names
    assert "#/components/schemas/StartRequest" in references(pinned)


async def test_every_error_of_a_request_is_documented_where_it_can_happen(pinned: dict[str, Any]) -> None:
    shown = {
        (int(status), code)
        for path in pinned["paths"].values()
        for operation in path.values()
        for status, answer in operation["responses"].items()
        if status != "200"
        for code in answer.get("content", {}).get("application/json", {}).get("examples", {})
    }
    anywhere = {"NOT_FOUND", "METHOD_NOT_ALLOWED"}  # of paths that there are not
    for error in error_classes(RequestError):
        assert (error.http_status, error.code) in shown or error.code in anywhere
    assert (503, "TEMPORAL_UNAVAILABLE") in shown
    assert "HTTPValidationError" not in pinned["components"]["schemas"]


async def test_the_bodies_have_the_specified_fields(pinned: dict[str, Any]) -> None:
    schemas = pinned["components"]["schemas"]
    assert set(schemas["StartRequest"]["properties"]) == {
        "originalImageBase64",
        "maskPoints",
        "brushStrokes",
        "sessionId",
    }
    assert set(schemas["ErrorBody"]["properties"]) == {"error", "workflowId", "status"}
    assert schemas["ErrorBody"]["required"] == ["error"]
    assert set(schemas["Started"]["properties"]) == {"workflowId", "status"}
    assert set(schemas["Running"]["properties"]) == {"workflowId", "status", "progress", "currentStep"}
    assert set(schemas["Completed"]["properties"]) == {"workflowId", "status", "result"}
    assert set(schemas["Failed"]["properties"]) == {"workflowId", "status", "error"}
    assert set(schemas["FailureAnswer"]["properties"]) == {"code", "message", "failedStep"}
