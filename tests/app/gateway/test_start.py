import asyncio
import base64
import signal
import uuid
from typing import Any

import httpx
import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from app.pipeline.models import MaskPoint, WorkflowInput
from app.process.temporal import connect
from app.services.blob import BlobStore
from app.settings import Settings
from scenarios.stack.stack import Stack
from tests.app.gateway.conftest import body, jpeg, serving
from tests.app.pictures.made import XMP_TURNED, exif_segment, exif_tiff, segment, with_segments

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def given_to(client: Client, workflow_id: str) -> WorkflowInput:
    """What the workflow was started with, out of its history."""
    history = await client.get_workflow_handle(workflow_id).fetch_history()
    payloads = history.events[0].workflow_execution_started_event_attributes.input.payloads
    (given,) = await client.data_converter.decode(payloads, [WorkflowInput])
    assert isinstance(given, WorkflowInput)
    return given


async def test_a_start_is_accepted_with_the_specified_body(http: httpx.AsyncClient) -> None:
    answer = await http.post("/workflow/start", json=body())
    assert answer.status_code == 202
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {"workflowId": answer.json()["workflowId"], "status": "RUNNING"}
    assert str(uuid.UUID(answer.json()["workflowId"])) == answer.json()["workflowId"]


async def test_the_picture_is_staged_and_only_its_address_travels(
    http: httpx.AsyncClient, client: Client, blobs: BlobStore, settings: Settings
) -> None:
    picture = jpeg("green")
    strokes = [{"points": [{"x": 0.12345678, "y": 1}, {"x": 0, "y": 0.5}], "mode": "remove", "size": 20}]
    sent = body(
        originalImageBase64=base64.b64encode(picture).decode(),
        maskPoints=[{"x": 0.33333333, "y": 0.3, "label": 1}],
        brushStrokes=strokes,
        sessionId="session-1",
    )
    workflow_id = (await http.post("/workflow/start", json=sent)).json()["workflowId"]
    assert await blobs.get(f"staging/{workflow_id}", max_bytes=10**6) == picture
    given = await given_to(client, workflow_id)
    assert given.image == f"azure://{settings.azure_container}/staging/{workflow_id}"
    assert given.mask_points == [MaskPoint(x=0.333333, y=0.3, label=1)]
    assert given.brush_strokes[0].points == [(0.123457, 1.0), (0.0, 0.5)]
    assert (given.brush_strokes[0].mode, given.brush_strokes[0].size) == ("remove", 20)
    assert given.session_id == "session-1"
    description = await client.get_workflow_handle(workflow_id).describe()
    assert (await description.memo())["sessionId"] == "session-1"
    assert description.workflow_type == "JewelryGenerationWorkflow"
    assert description.task_queue == settings.task_queue


@pytest.mark.parametrize("orientation", [1, 6])
async def test_nothing_that_does_not_show_is_stored(
    http: httpx.AsyncClient, blobs: BlobStore, orientation: int
) -> None:
    secret = b"52.516 N, 13.377 E"
    told = exif_segment(exif_tiff((0x0112, 3, 1, orientation), (0x8825, 4, 1, 50)) + secret)
    photo = with_segments(jpeg(), told, segment(0xE1, XMP_TURNED + secret), segment(0xFE, secret)) + secret * 1000
    answer = await http.post("/workflow/start", json=body(originalImageBase64=base64.b64encode(photo).decode()))
    stored = await blobs.get(f"staging/{answer.json()['workflowId']}", max_bytes=10**6)
    assert secret not in stored
    left = exif_segment(exif_tiff((0x0112, 3, 1, orientation)))
    assert stored.replace(left, b"") == jpeg()
    assert (left in stored) is (orientation > 1)


async def test_the_largest_input_stays_under_64_kib(http: httpx.AsyncClient, client: Client) -> None:
    points = [{"x": n / 2000 + 1e-9, "y": 1 - n / 2000 - 1e-9} for n in range(1937)]
    strokes = [{"points": [{"x": 1 / 3, "y": 2 / 3}], "mode": "remove", "size": 499.5} for _ in range(63)]
    sent = body(
        maskPoints=[{"x": 1 / 3, "y": 2 / 3, "label": 1}] * 64,
        brushStrokes=[{"points": points, "mode": "add", "size": 1}, *strokes],
        sessionId="s" * 128,
    )
    answer = await http.post("/workflow/start", json=sent)
    assert answer.status_code == 202
    history = await client.get_workflow_handle(answer.json()["workflowId"]).fetch_history()
    assert history.events[0].ByteSize() < 64 * 1024


def wrapped(text: str, line_end: str) -> str:
    return line_end.join(text[at : at + 76] for at in range(0, len(text), 76))


@pytest.mark.parametrize(
    "form",
    [
        "data:image/jpeg;base64,{}",
        "DATA:image/jpeg;name=a%20b.jpg;BASE64,{}",
        "data:;base64,{}",
        "  {}\n",
        "lines \n",
        "lines \r\n",
    ],
)
async def test_base64_as_browsers_send_it(http: httpx.AsyncClient, blobs: BlobStore, form: str) -> None:
    plain = base64.b64encode(jpeg("blue")).decode()
    text = wrapped(plain, form.removeprefix("lines ")) if form.startswith("lines") else form.format(plain)
    answer = await http.post("/workflow/start", json=body(originalImageBase64=text))
    assert answer.status_code == 202
    assert await blobs.get(f"staging/{answer.json()['workflowId']}", max_bytes=10**6) == jpeg("blue")


@pytest.mark.parametrize(
    "changes",
    [
        {"brushStrokes": None, "sessionId": None},
        {"brushStrokes": []},
        {"maskPoints": [{"x": 0, "y": 1, "label": 1}]},
        {"somethingNew": {"a": 1}},
        {"sessionId": "ü" * 128},
    ],
)
async def test_other_good_bodies(http: httpx.AsyncClient, changes: dict[str, Any]) -> None:
    assert (await http.post("/workflow/start", json=body(**changes))).status_code == 202


async def test_without_azure_nothing_is_started(settings: Settings, client: Client) -> None:
    away = settings.model_copy(update={"azure_blob_endpoint": "http://127.0.0.1:9/account"})
    key = str(uuid.uuid4())
    async with serving(away, client) as served:
        answer = await served.http.post("/workflow/start", json=body(), headers={"Idempotency-Key": key})
        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "AZURE_UNAVAILABLE"
        assert "127.0.0.1" not in answer.text
    async with serving(settings, client) as served:
        # The same request again, to a gateway that reaches Azure, is accepted: nothing was left behind.
        answer = await served.http.post("/workflow/start", json=body(), headers={"Idempotency-Key": key})
        assert answer.status_code == 202


async def test_without_temporal_every_endpoint_says_so(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:9")
    async with serving(settings, await connect(lazy=True)) as served:
        http = served.http
        for answer in (
            await http.post("/workflow/start", json=body()),
            await http.get("/workflow/some-id"),
            await http.get("/workflow/some-id?wait=5"),
            await http.get("/workflow/some-id/events"),
            await http.post("/workflow/some-id/cancel"),
            await http.get("/readyz"),
        ):
            assert answer.status_code == 503
            assert answer.json()["error"]["code"] == "TEMPORAL_UNAVAILABLE"
            assert int(answer.headers["Retry-After"]) > 0
            assert "127.0.0.1" not in answer.text
        assert (await http.get("/livez")).status_code == 200
        health = (await http.get("/health")).json()
        assert (health["status"], health["temporal"]) == ("degraded", "disconnected")


async def test_a_namespace_that_is_not_there_is_no_unknown_id(settings: Settings, stack: Stack) -> None:
    elsewhere = await Client.connect(
        stack.temporal_address, namespace="nowhere", data_converter=pydantic_data_converter, lazy=True
    )
    async with serving(settings, elsewhere) as served:
        for answer in (
            await served.http.post("/workflow/start", json=body()),
            await served.http.get("/workflow/some-id"),
            await served.http.post("/workflow/some-id/cancel"),
        ):
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "TEMPORAL_UNAVAILABLE")


async def test_who_waits_too_long_for_others_to_be_started_is_told_to_come_again(
    stack: Stack, settings: Settings, client: Client
) -> None:
    one = settings.model_copy(update={"start_slots": 1, "body_timeout_s": 1.0})
    async with serving(one, client) as served:
        stack["azurite"].signal(signal.SIGSTOP)
        try:
            starts = [asyncio.create_task(served.http.post("/workflow/start", json=body())) for _ in range(2)]
            (busy,), (held,) = await asyncio.wait(starts, return_when=asyncio.FIRST_COMPLETED)
            refused = await busy
            assert (refused.status_code, refused.json()["error"]["code"]) == (503, "GATEWAY_BUSY")
            assert refused.headers["Retry-After"] == "5"
            assert (await served.http.get("/workflow/there-is-none")).status_code == 404
        finally:
            stack["azurite"].signal(signal.SIGCONT)
        assert (await held).status_code == 202
        assert (await served.http.post("/workflow/start", json=body())).status_code == 202
