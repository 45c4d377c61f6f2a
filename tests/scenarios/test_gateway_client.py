"""The client of the public API against a gateway that is busy, breaks off, refuses or fails."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from fakes.kit.serve import serving
from scenarios.gateway_client import FailedError, GatewayClient, RefusedError, start_body

BUSY = JSONResponse({"error": {"code": "TEMPORAL_UNAVAILABLE", "message": "busy"}}, 503, {"Retry-After": "0"})


class Gateway:
    """Answers each path by a list of answers, the last of them for ever, and keeps what it was sent."""

    def __init__(self) -> None:
        self.starts: list[Response] = [JSONResponse({"workflowId": "w", "status": "RUNNING"}, 202)]
        self.looks: list[Response] = [JSONResponse({"workflowId": "w", "status": "COMPLETED", "result": {"a": 1}})]
        self.sent: list[tuple[dict[str, str], Any]] = []
        self.asked: list[str] = []
        self.app = FastAPI()
        self.app.post("/workflow/start", response_model=None)(self._start)
        self.app.get("/workflow/{workflow_id}", response_model=None)(self._look)

    async def _start(self, request: Request) -> Response:
        self.sent.append((dict(request.headers), await request.json()))
        return self.starts.pop(0) if len(self.starts) > 1 else self.starts[0]

    async def _look(self, workflow_id: str, request: Request) -> Response:
        self.asked.append(f"{workflow_id}?{request.url.query}")
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


@pytest.fixture
async def client(gateway: Gateway) -> AsyncIterator[GatewayClient]:
    async with serving(gateway.app) as url, GatewayClient(url, api_key="let-me-in") as client:
        yield client


async def test_an_answer_is_waited_for_as_long_as_the_gateway_was_asked_to_wait() -> None:
    held = asyncio.Event()
    app = FastAPI()

    async def look(wait: float = 0) -> dict[str, float]:
        with suppress(TimeoutError):
            await asyncio.wait_for(held.wait(), wait / 4 if wait else 1)
        return {"waited": wait}

    app.get("/workflow/{workflow_id}", response_model=None)(look)
    async with serving(app) as url, GatewayClient(url, timeout=0.2) as client:
        assert (await client.look("w", wait_s=2)).json() == {"waited": 2}
        with pytest.raises(httpx.ReadTimeout):
            await client.look("w")


def running(progress: int) -> Response:
    return JSONResponse({"workflowId": "w", "status": "RUNNING", "progress": progress, "currentStep": "X"})


def test_the_body_has_what_was_given_and_nothing_else() -> None:
    body = start_body(b"photo", [{"x": 0.1, "y": 0.2, "label": 1}])
    assert body == {
        "originalImageBase64": base64.b64encode(b"photo").decode(),
        "maskPoints": [{"x": 0.1, "y": 0.2, "label": 1}],
    }
    stroke = {"points": [{"x": 0, "y": 0}], "mode": "add", "size": 3}
    assert start_body(b"", [], [stroke], "me").keys() - body.keys() == {"brushStrokes", "sessionId"}


async def test_a_start_carries_key_and_credentials(gateway: Gateway, client: GatewayClient) -> None:
    assert await client.start(start_body(b"photo"), key="k-1") == "w"
    headers, body = gateway.sent[0]
    assert (headers["idempotency-key"], headers["x-api-key"]) == ("k-1", "let-me-in")
    assert headers["content-type"] == "application/json"
    assert body["maskPoints"]


async def test_a_busy_gateway_is_asked_again_only_by_the_patient(gateway: Gateway, client: GatewayClient) -> None:
    gateway.starts.insert(0, BUSY)
    with pytest.raises(RefusedError, match="TEMPORAL_UNAVAILABLE: busy") as refused:
        await client.start(b"{}")
    assert refused.value.status_code == 503
    gateway.starts.insert(0, BUSY)
    assert await client.start(b"{}", patience_s=30) == "w"
    assert len(gateway.sent) == 3


async def test_a_refusal_says_why_in_one_line(gateway: Gateway, client: GatewayClient) -> None:
    error = {"code": "INVALID_REQUEST", "message": "no", "details": [{"field": "maskPoints", "message": "too few"}]}
    gateway.starts = [JSONResponse({"error": error}, 422)]
    with pytest.raises(RefusedError, match=r"^INVALID_REQUEST: no \(too few\)$"):
        await client.start(b"{}", patience_s=30)
    gateway.starts = [Response("<html>", 502)]
    with pytest.raises(RefusedError, match=r"^HTTP 502: <html>$"):
        await client.start(b"{}", patience_s=30)


async def test_it_follows_to_the_end_past_a_busy_look(gateway: Gateway, client: GatewayClient) -> None:
    gateway.looks[:0] = [running(5), BUSY, running(70)]
    seen: list[Any] = []
    unanswered: list[int] = []
    how = {"seen": lambda view: seen.append(view.get("progress")), "unanswered": unanswered.append}
    assert await client.pictures("w", **how) == {"a": 1}
    assert (seen, unanswered) == ([5, 70, None], [503])
    assert gateway.asked == ["w?wait=20"] * 4


async def test_a_try_on_that_fails_is_told_by_code_and_step(gateway: Gateway, client: GatewayClient) -> None:
    error = {"code": "A100_ERROR", "message": "out of memory", "failedStep": "GENERATING_IMAGES"}
    gateway.looks = [JSONResponse({"workflowId": "w", "status": "FAILED", "error": error})]
    with pytest.raises(FailedError, match=r"^A100_ERROR at GENERATING_IMAGES: out of memory$") as failed:
        await client.try_on(b"{}")
    assert failed.value.code == "A100_ERROR"
    gateway.looks = [JSONResponse({"workflowId": "w", "status": "CANCELLED"})]
    with pytest.raises(FailedError, match=r"^CANCELLED at"):
        await client.try_on(b"{}")


async def test_one_that_does_not_end_is_given_up(gateway: Gateway, client: GatewayClient) -> None:
    gateway.looks = [running(5)]
    with pytest.raises(TimeoutError, match=r"w has not ended after 0\.2 s"):
        await client.follow("w", every_s=0.05, wait_s=0, limit_s=0.2)
    assert set(gateway.asked) == {"w?"}


async def test_a_look_that_is_refused_ends_the_following(gateway: Gateway, client: GatewayClient) -> None:
    gateway.looks = [JSONResponse({"error": {"code": "NOT_FOUND", "message": "no such try-on"}}, 404)]
    with pytest.raises(RefusedError, match="NOT_FOUND: no such try-on"):
        await client.follow("w")
