"""The whole pipeline on real Temporal, Azurite and fakes: what comes out, and what travels through the history."""

import base64
import json
from collections.abc import AsyncIterator
from io import BytesIO
from typing import ClassVar
from uuid import uuid4

import httpx
import pytest
from PIL import Image
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError

from app.pipeline.models import Failure, MaskPoint, Stroke, WorkflowInput, WorkflowOutput
from app.pipeline.workflow import JewelryGenerationWorkflow
from app.services.assembly import Assembly
from app.services.blob import BlobStore
from app.settings import Settings
from app.worker import working
from fakes.kit.client import Control
from fakes.pictures import portrait
from scenarios.stack.stack import Stack

POINTS = [MaskPoint(x=0.5, y=0.62, label=1), MaskPoint(x=0.05, y=0.05, label=0)]
NO_PICTURE = base64.b64encode(b"no picture").decode()
LARGEST_PAYLOAD = 64 * 1024


class Damaging(httpx.AsyncHTTPTransport):
    """The network, and on it somebody who changes fields of what /generate answers."""

    changes: ClassVar[dict[str, object]] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        if not self.changes or request.url.path != "/generate":
            return response
        answer = json.loads(await response.aread()) | self.changes
        return httpx.Response(200, stream=httpx.ByteStream(json.dumps(answer).encode()))


@pytest.fixture(autouse=True)
async def worker(client: Client, settings: Settings) -> AsyncIterator[None]:
    """A worker of the production's own making, in this process."""
    assembly = Assembly(settings, http_transport=Damaging())
    async with working(client, settings, assembly.activities):
        yield
    await assembly.close()


async def _start(
    client: Client, blobs: BlobStore, settings: Settings, photo: bytes, strokes: list[Stroke] | None = None
) -> WorkflowHandle[JewelryGenerationWorkflow, WorkflowOutput]:
    workflow_id = str(uuid4())
    await blobs.put(f"staging/{workflow_id}", photo, "image/jpeg")
    given = WorkflowInput(image=blobs.uri(f"staging/{workflow_id}"), mask_points=POINTS, brush_strokes=strokes or [])
    return await client.start_workflow(
        JewelryGenerationWorkflow.run, given, id=workflow_id, task_queue=settings.task_queue
    )


async def _calls(backing: Stack, service: str, workflow_id: str) -> list[str]:
    async with httpx.AsyncClient() as http:
        answer = await http.get(f"{backing.urls[service]}/__sim/ledger", params={"key": workflow_id})
    return [call["operation"] for call in answer.json()["calls"]]


async def test_a_photo_becomes_pictures_and_nothing_large_travels_through_temporal(
    client: Client, blobs: BlobStore, settings: Settings, backing: Stack
) -> None:
    many = [Stroke(points=[(index / 2000, 0.123456)] * 1, mode="add", size=20) for index in range(60)]
    many.append(Stroke(points=[(0.123456 + index / 10_000, 0.654321) for index in range(1_940)], mode="add", size=9))
    handle = await _start(client, blobs, settings, portrait(2400, 1800, seed=1), many)
    result = await handle.result()

    for uri in (result.flux_uri, result.gemini_uri, result.flux_fidelity_uri, result.gemini_fidelity_uri):
        assert uri is not None
        picture = Image.open(BytesIO(await blobs.get(blobs.name(uri), max_bytes=10**7)))
        assert picture.size == (1536, 1152)
    assert result.gemini_metrics is not None
    assert result.flux_metrics.iou > 0.3

    history = await handle.fetch_history()
    payloads = _payloads(json.loads(history.to_json()))
    assert len(payloads) > 10
    assert max(len(payload) for payload in payloads) < LARGEST_PAYLOAD
    assert "sig=" not in history.to_json()
    assert await _calls(backing, "a100", handle.id) == ["health", "refine_mask", "health", "generate"]
    assert (await handle.describe()).status is not None
    assert await handle.query(JewelryGenerationWorkflow.get_progress) == {"progress": 100, "currentStep": "COMPLETED"}


def _payloads(node: object) -> list[str]:
    if isinstance(node, dict):
        found = [node["data"]] if isinstance(node.get("data"), str) else []
        return found + [each for value in node.values() for each in _payloads(value)]
    if isinstance(node, list):
        return [each for value in node for each in _payloads(value)]
    return []


AGAIN = pytest.mark.long("one more picture, on the real stack")


@pytest.mark.parametrize(
    ("broken", "missing"),
    [
        ({"fidelity_viz_base64": NO_PICTURE}, {"flux_fidelity_uri"}),
        pytest.param({"fidelity_viz_gemini_base64": NO_PICTURE}, {"gemini_fidelity_uri"}, marks=AGAIN),
        pytest.param(
            {"result_gemini_base64": NO_PICTURE},
            {"gemini_uri", "gemini_fidelity_uri", "gemini_metrics"},
            marks=AGAIN,
        ),
        pytest.param(
            {"result_gemini_base64": None}, {"gemini_uri", "gemini_fidelity_uri", "gemini_metrics"}, marks=AGAIN
        ),
    ],
)
async def test_a_broken_picture_that_may_be_missing_costs_no_good_one(
    client: Client,
    blobs: BlobStore,
    settings: Settings,
    broken: dict[str, object],
    missing: set[str],
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Damaging, "changes", broken)
        handle = await _start(client, blobs, settings, portrait(320, 240, seed=8))
        result = (await handle.result()).model_dump()
    assert {name for name, value in result.items() if value is None} == missing
    events = json.loads((await handle.fetch_history()).to_json())["events"]
    tries = [e["activityTaskStartedEventAttributes"] for e in events if "activityTaskStartedEventAttributes" in e]
    assert [attempt.get("attempt", 1) for attempt in tries] == [1] * len(tries)


async def test_a_photo_taken_sideways_comes_out_upright(client: Client, blobs: BlobStore, settings: Settings) -> None:
    image = Image.open(BytesIO(portrait(640, 480, seed=2)))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held sideways: show it turned by 90 degrees
    sideways = BytesIO()
    image.save(sideways, "JPEG", exif=exif)
    result = await (await _start(client, blobs, settings, sideways.getvalue())).result()
    picture = Image.open(BytesIO(await blobs.get(blobs.name(result.flux_uri), max_bytes=10**7)))
    assert picture.size == (480, 640)


async def test_half_a_file_fails_with_its_own_code_and_is_not_tried_again(
    client: Client, blobs: BlobStore, settings: Settings
) -> None:
    photo = portrait(640, 480, seed=3)
    handle = await _start(client, blobs, settings, photo[: len(photo) // 2])
    with pytest.raises(WorkflowFailureError) as caught:
        await handle.result()
    cause = caught.value.cause
    assert isinstance(cause, ApplicationError)
    failure = Failure.model_validate(cause.details[0])
    assert (failure.code, failure.failed_step) == ("INVALID_IMAGE", "UPLOADING_IMAGE")
    events = json.loads((await handle.fetch_history()).to_json())["events"]
    assert sum(event["eventType"] == "EVENT_TYPE_ACTIVITY_TASK_STARTED" for event in events) == 1


async def test_a_missing_staged_picture_is_azures_failure(client: Client, blobs: BlobStore, settings: Settings) -> None:
    workflow_id = str(uuid4())
    given = WorkflowInput(image=blobs.uri(f"staging/{workflow_id}"), mask_points=POINTS)
    with pytest.raises(WorkflowFailureError) as caught:
        await client.execute_workflow(
            JewelryGenerationWorkflow.run, given, id=workflow_id, task_queue=settings.task_queue
        )
    assert isinstance(caught.value.cause, ApplicationError)
    assert caught.value.cause.type == "AZURE_NOT_FOUND"


async def test_a_picture_of_another_try_on_cannot_be_asked_for(
    client: Client, blobs: BlobStore, settings: Settings
) -> None:
    await blobs.put("staging/somebody-else", portrait(320, 240, seed=4), "image/jpeg")
    given = WorkflowInput(image=blobs.uri("staging/somebody-else"), mask_points=POINTS)
    with pytest.raises(WorkflowFailureError) as caught:
        await client.execute_workflow(
            JewelryGenerationWorkflow.run, given, id=str(uuid4()), task_queue=settings.task_queue
        )
    assert isinstance(caught.value.cause, ApplicationError)
    assert caught.value.cause.type == "INVALID_IMAGE"


async def test_a_small_picture_may_travel_inline(client: Client, blobs: BlobStore, settings: Settings) -> None:
    inline = base64.b64encode(portrait(96, 96, seed=5)).decode()
    given = WorkflowInput(image=inline, mask_points=POINTS)
    result = await client.execute_workflow(
        JewelryGenerationWorkflow.run, given, id=str(uuid4()), task_queue=settings.task_queue
    )
    assert await blobs.get(blobs.name(result.flux_uri), max_bytes=10**6)


@pytest.mark.long("what it waits for has to pass")
async def test_polls_that_fail_cost_no_attempt_and_no_second_job(
    client: Client, blobs: BlobStore, settings: Settings, backing: Stack
) -> None:
    busy = {"service": "sam3", "operation": "poll", "calls": "1-2", "fault": {"kind": "status", "status": 503}}
    with Control(backing.urls["sam3"]) as control, control.rules_during(busy):
        handle = await _start(client, blobs, settings, portrait(320, 240, seed=6))
        await handle.result()
        calls = control.ledger(key=handle.id)
    assert [(call["operation"], call["attempt"]) for call in calls] == [
        ("submit", 1),
        ("poll", 1),
        ("poll", 1),
        ("poll", 1),
    ]
