"""The fake gateway as a frontend meets it."""

import asyncio
import base64
import io
import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from PIL import Image

from fakes.gateway.scripts import scripts
from tests.fakes.gateway.conftest import body, events, fake_gateway, photo, started

pytestmark = pytest.mark.asyncio(loop_scope="session")


# ---------------------------------------------------------------- scenarios
async def test_a_try_on_follows_the_scenario_of_its_header(gateway: httpx.AsyncClient) -> None:
    workflow_id = await started(gateway, "a100-down")
    answer = await gateway.get(f"/workflow/{workflow_id}", params={"wait": 20})
    assert answer.json()["error"] == {
        "code": "A100_UNAVAILABLE",
        "message": "A100 server is offline",
        "failedStep": "GENERATING_IMAGES",
    }


async def test_or_the_one_that_its_session_is_named_after(gateway: httpx.AsyncClient) -> None:
    answer = await gateway.post("/workflow/start", json=body(sessionId="flux-only"))
    assert answer.headers["X-Scenario"] == "flux-only"
    answer = await gateway.post("/workflow/start", json=body(sessionId="a session of mine"))
    assert answer.headers["X-Scenario"] == "happy"


@pytest.mark.parametrize("path", ["/workflow/start", "/workflow/x", "/workflow/x/events", "/health", "/readyz"])
async def test_an_unknown_scenario_is_named_with_close_ones(gateway: httpx.AsyncClient, path: str) -> None:
    method = "POST" if path.endswith("start") else "GET"
    answer = await gateway.request(method, path, headers={"X-Scenario": "a100-dwon"}, content=b"{}")
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert "'a100-dwon'" in error["message"]
    assert "a100-down" in error["message"]
    assert "/scenarios" in error["message"]
    assert error["details"][0]["field"] == "X-Scenario"


async def test_the_list_is_there_for_programs_and_people(gateway: httpx.AsyncClient) -> None:
    listed = (await gateway.get("/scenarios")).json()
    assert list(listed) == list(scripts())
    page = (await gateway.get("/")).text
    assert [name for name in listed if f"<code>{name}</code>" not in page] == []
    assert not re.search(r"(src|href)=.?(https?:)?//", page)


async def test_health_is_degraded_on_request(gateway: httpx.AsyncClient) -> None:
    assert (await gateway.get("/health")).json()["status"] == "healthy"
    assert (await gateway.get("/health", headers={"X-Scenario": "degraded"})).json()["status"] == "degraded"


# ---------------------------------------------------------------- starts
@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"maskPoints": []}, "maskPoints"),
        ({"maskPoints": [{"x": 1.5, "y": 0, "label": 1}]}, "maskPoints[0].x"),
        ({"maskPoints": [{"x": 0.5, "y": 0, "label": 2}]}, "maskPoints[0].label"),
        ({"maskPoints": [{"x": 0.5, "y": 0, "label": 0}]}, "maskPoints"),
        ({"brushStrokes": [{"points": [], "mode": "add", "size": 2}]}, "brushStrokes[0].points"),
        ({"brushStrokes": [{"points": [{"x": 0, "y": 0}] * 1001, "mode": "add", "size": 2}] * 2}, "brushStrokes"),
        ({"originalImageBase64": "*"}, "originalImageBase64"),
        ({"originalImageBase64": "data:image/png,x"}, "originalImageBase64"),
        ({"originalImageBase64": base64.b64encode(b"no picture").decode()}, "originalImageBase64"),
        ({"originalImageBase64": photo(31, 64)}, "originalImageBase64"),
        ({"originalImageBase64": None}, "originalImageBase64"),
        ({"sessionId": "s" * 129}, "sessionId"),
    ],
)
async def test_a_wrong_start_is_refused_by_its_field(
    gateway: httpx.AsyncClient, change: dict[str, Any], field: str
) -> None:
    answer = await gateway.post("/workflow/start", json=body() | change)
    assert answer.status_code == 422
    assert answer.json()["error"]["details"][0]["field"] == field


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b"null"])
async def test_what_is_no_start_at_all_is_refused(gateway: httpx.AsyncClient, content: bytes) -> None:
    answer = await gateway.post("/workflow/start", content=content)
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "INVALID_REQUEST"


@pytest.mark.parametrize(
    "dressed",
    [
        lambda text: text.replace("+", " "),
        lambda text: text.rstrip("="),
        lambda text: text.replace("+", "-").replace("/", "_"),
        lambda text: "\r\n".join(text[place : place + 76] for place in range(0, len(text), 76)),
        lambda text: f"data:image/jpeg;base64,{text}",
    ],
    ids=["spaces", "unpadded", "of URLs", "lines", "data URL"],
)
async def test_base64_comes_in_any_dress(gateway: httpx.AsyncClient, dressed: Callable[[str], str]) -> None:
    drawn = io.BytesIO()
    Image.effect_noise((80, 60), 60).convert("RGB").save(drawn, "JPEG")
    plain = base64.b64encode(drawn.getvalue()).decode()
    assert plain.count("+") > 3
    answer = await gateway.post("/workflow/start", json=body(originalImageBase64=dressed(plain)))
    assert answer.status_code == 202, answer.text


async def test_the_same_key_and_body_is_the_same_try_on(gateway: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "mine"}
    first, second = [await gateway.post("/workflow/start", json=body(), headers=headers) for _ in range(2)]
    assert first.json() == second.json()
    other = await gateway.post("/workflow/start", json=body(sessionId="other"), headers=headers)
    assert (other.status_code, other.json()["error"]["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")


async def test_a_start_whose_answer_is_lost_was_taken(gateway: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "lost", "X-Scenario": "answer-lost"}
    with pytest.raises(httpx.RemoteProtocolError):
        await gateway.post("/workflow/start", json=body(), headers=headers)
    again = await gateway.post("/workflow/start", json=body(), headers=headers)
    assert again.status_code == 202
    assert (await gateway.post("/workflow/start", json=body(), headers=headers)).json() == again.json()


@pytest.mark.parametrize("key", [None, "unsure"])
async def test_a_start_that_nobody_is_sure_of_names_its_id(gateway: httpx.AsyncClient, key: str | None) -> None:
    headers = {"X-Scenario": "answer-unsure", **({"Idempotency-Key": key} if key else {})}
    first = await gateway.post("/workflow/start", json=body(), headers=headers)
    assert first.status_code == 503
    assert first.headers["Retry-After"]
    workflow_id = first.json()["workflowId"]
    again = await gateway.post(
        "/workflow/start", json=body(), headers={"X-Scenario": "answer-unsure", "Idempotency-Key": key or workflow_id}
    )
    assert again.json() == {"workflowId": workflow_id, "status": "RUNNING"}


# ---------------------------------------------------------------- looks
async def test_a_wait_ends_with_the_try_on(gateway: httpx.AsyncClient) -> None:
    workflow_id = await started(gateway, "stuck")
    assert (await gateway.get(f"/workflow/{workflow_id}", params={"wait": 0.05})).json()["status"] == "RUNNING"
    waiting = asyncio.create_task(gateway.get(f"/workflow/{workflow_id}", params={"wait": 20}))
    assert (await gateway.post(f"/workflow/{workflow_id}/cancel")).json()["status"] == "CANCELLED"
    assert (await waiting).json() == {"workflowId": workflow_id, "status": "CANCELLED"}
    twice = await gateway.post(f"/workflow/{workflow_id}/cancel")
    assert twice.status_code == 409
    assert twice.json()["status"] == "CANCELLED"


@pytest.mark.parametrize("wait", ["-1", "61", "nan", "inf", "soon"])
async def test_a_wrong_wait_is_refused(gateway: httpx.AsyncClient, wait: str) -> None:
    answer = await gateway.get(f"/workflow/{await started(gateway, 'stuck')}", params={"wait": wait})
    assert answer.status_code == 422
    assert answer.json()["error"]["details"][0]["field"] == "wait"


async def test_progress_never_falls_and_goes_through_every_step() -> None:
    async with fake_gateway(speed=10) as gateway:
        workflow_id = await started(gateway, "happy")
        async with gateway.stream("GET", f"/workflow/{workflow_id}/events") as answer:
            seen = [(data.get("progress"), data["status"]) async for _, _, data in events(answer)]
    assert seen[-1] == (None, "COMPLETED")
    progress = [number for number, _ in seen[:-1]]
    assert progress == sorted(set(progress), key=lambda number: number or 0)
    assert 70 in progress


async def test_a_result_without_gemini_has_nulls(gateway: httpx.AsyncClient) -> None:
    workflow_id = await started(gateway, "flux-only")
    result = (await gateway.get(f"/workflow/{workflow_id}", params={"wait": 20})).json()["result"]
    assert {name for name, value in result.items() if value is None} == {
        *("geminiResultBase64", "geminiMetrics", "geminiFidelityVizBase64")
    }
    assert Image.open(io.BytesIO(base64.b64decode(result["fluxResultBase64"]))).size == (64, 96)


# ---------------------------------------------------------------- streams
async def test_a_stream_goes_on_from_the_last_event_that_was_seen(gateway: httpx.AsyncClient) -> None:
    workflow_id = await started(gateway, "stuck")
    url = f"/workflow/{workflow_id}/events"
    async with gateway.stream("GET", url) as answer:
        seen = [one async for one in _until(answer, "GENERATING_IMAGES")]
    last_id = seen[-1][1]
    assert last_id
    await gateway.post(f"/workflow/{workflow_id}/cancel")
    async with gateway.stream("GET", url, headers={"Last-Event-ID": last_id}) as answer:
        rest = [one async for one in events(answer)]
    assert [name for name, _, _ in rest] == ["end"]
    over = await gateway.get(url, headers={"Last-Event-ID": str(rest[-1][1])})
    assert over.status_code == 204


async def _until(answer: httpx.Response, step: str) -> Any:
    async for one in events(answer):
        yield one
        if one[2].get("currentStep") == step:
            return


async def test_a_stream_that_breaks_does_so_after_two_events() -> None:
    async with fake_gateway(speed=20) as gateway:
        workflow_id = await started(gateway, "stream-breaks")
        async with gateway.stream("GET", f"/workflow/{workflow_id}/events") as answer:
            stream = events(answer)
            assert [(await anext(stream))[0] for _ in range(2)] == ["progress"] * 2
            with pytest.raises(httpx.RemoteProtocolError):
                await anext(stream)


async def test_a_backend_that_cannot_tell_has_an_event_of_its_own(gateway: httpx.AsyncClient) -> None:
    workflow_id = await started(gateway, "stream-unavailable")
    async with gateway.stream("GET", f"/workflow/{workflow_id}/events") as answer:
        seen = [one async for one in events(answer)]
    assert [(name, data["error"]["code"]) for name, _, data in seen] == [("unavailable", "TEMPORAL_UNAVAILABLE")]
    async with gateway.stream("GET", f"/workflow/{workflow_id}/events") as answer:
        assert [name async for name, _, _ in events(answer)][-1] == "end"
