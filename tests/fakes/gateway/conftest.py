"""The fake gateway over real HTTP, a hundred times faster than its scripts say."""

import asyncio
import base64
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import jsonschema_rs
import pytest_asyncio
from PIL import Image

from fakes.gateway import create_app
from fakes.gateway.__main__ import listen, server_for
from fakes.gateway.document import document

FAST = 100.0


def photo(width: int = 64, height: int = 96, kind: str = "JPEG") -> str:
    made = io.BytesIO()
    Image.new("RGB", (width, height), (120, 90, 60)).save(made, kind)
    return base64.b64encode(made.getvalue()).decode()


def body(**other: Any) -> dict[str, Any]:
    return {"originalImageBase64": photo(), "maskPoints": [{"x": 0.5, "y": 0.25, "label": 1}], **other}


@asynccontextmanager
async def fake_gateway(speed: float = FAST) -> AsyncIterator[httpx.AsyncClient]:
    listener = listen("127.0.0.1", 0)
    server = server_for(create_app(speed))
    with listener:
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with httpx.AsyncClient(base_url=url, timeout=20) as client:
            yield client
        server.should_exit = True
        await serving


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def gateway() -> AsyncIterator[httpx.AsyncClient]:
    async with fake_gateway() as client:
        yield client


async def started(gateway: httpx.AsyncClient, scenario: str, **other: Any) -> str:
    """Start a try-on and return its id; a script that refuses the first starts is asked again."""
    answer = await gateway.post("/workflow/start", json=body(**other), headers={"X-Scenario": scenario})
    assert answer.status_code == 202, answer.text
    workflow_id: str = answer.json()["workflowId"]
    return workflow_id


async def events(answer: httpx.Response) -> AsyncIterator[tuple[str, str | None, dict[str, Any]]]:
    """Yield name, id and data of each event, as an EventSource would read them."""
    fields: dict[str, str] = {}
    async for line in answer.aiter_lines():
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
        elif "data" in fields:
            yield fields.get("event", "message"), fields.get("id"), json.loads(fields["data"])
            fields = {}


def check_against_the_document(method: str, route: str, answer: httpx.Response) -> None:
    """Fail unless the document has this operation, promises this status and describes this body."""
    promised = document()["paths"][route][method]["responses"]
    assert str(answer.status_code) in promised, f"{method} {route} does not promise a {answer.status_code}"
    schemas = [
        content["schema"] for content in promised[str(answer.status_code)]["content"].values() if "schema" in content
    ]
    rooted = {"anyOf": schemas, "components": document()["components"]}
    jsonschema_rs.validator_for(rooted).validate(answer.json())
