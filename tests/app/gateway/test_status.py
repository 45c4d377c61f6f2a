import asyncio
import base64
import json
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
import pytest
from azure.storage.blob.aio import ContainerClient
from temporalio.api.command.v1 import Command
from temporalio.api.enums.v1 import CommandType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    PollActivityTaskQueueRequest,
    PollWorkflowTaskQueueRequest,
    RespondActivityTaskCompletedRequest,
    RespondWorkflowTaskCompletedRequest,
)
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from app.gateway.temporal_calls import WORKFLOW_TYPE
from app.pipeline.models import MaskPoint, WorkflowInput
from app.settings import Settings
from tests.app.gateway.conftest import Backend, Served, body, serving, until

pytestmark = pytest.mark.asyncio(loop_scope="session")

METRICS = {"precision": 0.98, "recall": 0.95, "iou": 0.92, "growthRatio": 1.02}


async def started(http: httpx.AsyncClient) -> str:
    workflow_id = (await http.post("/workflow/start", json=body())).json()["workflowId"]
    assert isinstance(workflow_id, str)
    return workflow_id


async def at_step(http: httpx.AsyncClient, workflow_id: str, step: str) -> None:
    async def reached() -> bool:
        return bool((await http.get(f"/workflow/{workflow_id}")).json().get("currentStep") == step)

    await until(reached)


async def unserved(client: Client, **options: object) -> str:
    """A try-on that no worker takes up."""
    workflow_id = str(uuid.uuid4())
    given = WorkflowInput(image="azure://c/x", mask_points=[MaskPoint(x=0, y=0, label=1)])
    queue = f"nobody-{workflow_id}"
    await client.start_workflow(WORKFLOW_TYPE, given, id=workflow_id, task_queue=queue, **options)  # type: ignore[call-overload]  # options of start_workflow
    return workflow_id


async def stranded(client: Client, *, ended: bool = False, **options: object) -> str:
    """A try-on whose workers went away while GENERATING_MASK was pending, or just after that activity had ended."""
    workflow_id = await unserved(client, **options)
    queue = TaskQueue(name=f"nobody-{workflow_id}")
    service = client.workflow_service
    task = await service.poll_workflow_task_queue(
        PollWorkflowTaskQueueRequest(namespace=client.namespace, task_queue=queue)
    )
    command = Command(command_type=CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK)
    asked = command.schedule_activity_task_command_attributes
    asked.activity_id, asked.activity_type.name, asked.task_queue.name = "1", "generate_mask", queue.name
    asked.start_to_close_timeout.FromSeconds(130)
    await service.respond_workflow_task_completed(
        RespondWorkflowTaskCompletedRequest(namespace=client.namespace, task_token=task.task_token, commands=[command])
    )
    if ended:
        begun = await service.poll_activity_task_queue(
            PollActivityTaskQueueRequest(namespace=client.namespace, task_queue=queue)
        )
        await service.respond_activity_task_completed(
            RespondActivityTaskCompletedRequest(namespace=client.namespace, task_token=begun.task_token)
        )
    return workflow_id


async def test_running_with_progress_and_step(http: httpx.AsyncClient, backend: Backend) -> None:
    backend.held = {"generate_mask"}
    workflow_id = await started(http)
    await at_step(http, workflow_id, "GENERATING_MASK")
    answer = await http.get(f"/workflow/{workflow_id}")
    assert answer.status_code == 200
    assert answer.json() == {
        "workflowId": workflow_id,
        "status": "RUNNING",
        "progress": 45,
        "currentStep": "GENERATING_MASK",
    }
    backend.release.set()


async def test_running_while_no_worker_is_up(http: httpx.AsyncClient, client: Client) -> None:
    at_first = {"progress": 5, "currentStep": "UPLOADING_IMAGE"}
    masked = {"progress": 45, "currentStep": "GENERATING_MASK"}
    for workflow_id, told in (
        (await unserved(client), at_first),
        (await stranded(client), masked),
        (await stranded(client, ended=True), masked),
    ):
        answer = (await http.get(f"/workflow/{workflow_id}")).json()
        assert answer == {"workflowId": workflow_id, "status": "RUNNING", **told}


async def test_completed_with_pictures(http: httpx.AsyncClient) -> None:
    workflow_id = await started(http)
    answer = await http.get(f"/workflow/{workflow_id}?wait=20")
    assert answer.status_code == 200

    def picture(kind: str) -> str:
        return base64.b64encode(f"{kind} of {workflow_id}".encode()).decode()

    assert answer.json() == {
        "workflowId": workflow_id,
        "status": "COMPLETED",
        "result": {
            "fluxResultBase64": picture("flux"),
            "geminiResultBase64": picture("gemini"),
            "fluxMetrics": METRICS,
            "geminiMetrics": METRICS,
            "fluxFidelityVizBase64": picture("flux-fidelity"),
            "geminiFidelityVizBase64": picture("gemini-fidelity"),
        },
    }


async def test_completed_without_gemini(http: httpx.AsyncClient, backend: Backend) -> None:
    backend.gemini = False
    result = (await http.get(f"/workflow/{await started(http)}?wait=20")).json()["result"]
    assert (result["geminiResultBase64"], result["geminiMetrics"], result["geminiFidelityVizBase64"]) == (None,) * 3
    assert result["fluxResultBase64"]


async def test_completed_whose_picture_is_gone(http: httpx.AsyncClient, container: ContainerClient) -> None:
    workflow_id = await started(http)
    assert (await http.get(f"/workflow/{workflow_id}?wait=20")).status_code == 200
    await container.delete_blob(f"{workflow_id}-flux.jpg")
    answer = await http.get(f"/workflow/{workflow_id}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (410, "RESULT_GONE")
    assert "retry-after" not in answer.headers


async def test_completed_before_the_container_was_changed(
    http: httpx.AsyncClient, settings: Settings, client: Client
) -> None:
    workflow_id = await started(http)
    assert (await http.get(f"/workflow/{workflow_id}?wait=20")).status_code == 200
    async with gateway_with(settings, client, azure_container="another") as served:
        answer = await served.http.get(f"/workflow/{workflow_id}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (410, "RESULT_GONE")


async def test_completed_while_there_is_no_container(
    http: httpx.AsyncClient, settings: Settings, client: Client, backend: Backend
) -> None:
    """An operator has mistyped or not yet made it: nothing is gone."""
    missing = f"missing-{uuid.uuid4()}"
    backend.container = missing
    workflow_id = await started(http)
    async with gateway_with(settings, client, azure_container=missing) as served:
        answer = await served.http.get(f"/workflow/{workflow_id}?wait=20")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "AZURE_REJECTED")
    assert "retry-after" not in answer.headers


async def test_completed_while_azure_is_away_says_when_to_come_again(
    http: httpx.AsyncClient, settings: Settings, client: Client
) -> None:
    workflow_id = await started(http)
    assert (await http.get(f"/workflow/{workflow_id}?wait=20")).status_code == 200
    async with gateway_with(settings, client, azure_blob_endpoint="http://127.0.0.1:9/jewelrytryon") as served:
        answer = await served.http.get(f"/workflow/{workflow_id}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "AZURE_UNAVAILABLE")
    assert answer.headers["retry-after"] == "5"


@asynccontextmanager
async def gateway_with(settings: Settings, client: Client, **changes: str) -> AsyncIterator[Served]:
    """A gateway of another deployment: the same Temporal, and another way to Blob Storage."""
    changed = settings.model_copy(update=changes)
    async with serving(changed, client) as served:
        yield served


async def test_failed_with_code_message_and_step(http: httpx.AsyncClient, backend: Backend) -> None:
    backend.broken = {
        "generate_images": ApplicationError("A100 server is offline", type="A100UnavailableError", non_retryable=True)
    }
    workflow_id = await started(http)
    answer = await http.get(f"/workflow/{workflow_id}?wait=20")
    assert answer.status_code == 200
    assert answer.json() == {
        "workflowId": workflow_id,
        "status": "FAILED",
        "error": {
            "code": "A100_UNAVAILABLE",
            "message": "A100 server is offline",
            "failedStep": "GENERATING_IMAGES",
        },
    }


async def test_terminated_and_timed_out_have_codes_of_their_own(http: httpx.AsyncClient, client: Client) -> None:
    terminated = await stranded(client)
    await client.get_workflow_handle(terminated).terminate("by a test")
    late = await stranded(client, ended=True, execution_timeout=timedelta(seconds=1))
    for workflow_id, code in ((terminated, "WORKFLOW_TERMINATED"), (late, "WORKFLOW_TIMED_OUT")):
        answer = (await http.get(f"/workflow/{workflow_id}?wait=20")).json()
        message = answer["error"].pop("message")
        assert message
        assert answer == {
            "workflowId": workflow_id,
            "status": "FAILED",
            "error": {"code": code, "failedStep": "GENERATING_MASK"},
        }


async def test_cancel(http: httpx.AsyncClient, backend: Backend) -> None:
    backend.held = {"generate_mask"}
    workflow_id = await started(http)
    await at_step(http, workflow_id, "GENERATING_MASK")
    answer = await http.post(f"/workflow/{workflow_id}/cancel")
    cancelled = {"workflowId": workflow_id, "status": "CANCELLED"}
    assert (answer.status_code, answer.json()) == (200, cancelled)
    assert (await http.get(f"/workflow/{workflow_id}?wait=20")).json() == cancelled
    again = await http.post(f"/workflow/{workflow_id}/cancel")
    assert again.status_code == 409
    assert again.json()["status"] == "CANCELLED"


async def test_cancel_of_a_finished_one_is_a_conflict_with_its_status(http: httpx.AsyncClient) -> None:
    workflow_id = await started(http)
    await http.get(f"/workflow/{workflow_id}?wait=20")
    answer = await http.post(f"/workflow/{workflow_id}/cancel")
    assert answer.status_code == 409
    told = answer.json()
    assert (told["workflowId"], told["status"], told["error"]["code"]) == (
        workflow_id,
        "COMPLETED",
        "WORKFLOW_FINISHED",
    )


async def test_cancel_while_no_worker_is_up(http: httpx.AsyncClient, client: Client) -> None:
    workflow_id = await unserved(client)
    for _ in range(2):
        assert (await http.post(f"/workflow/{workflow_id}/cancel")).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "7c9e6679-7425-40de-944b-e07fc1f90ae7",
        "no-uuid",
        "x" * 1001,
        "x" * 5000,
        "%00",
        "%FF%FE",
        "%F0%9F%92%8D",
        "a b",
        "..%2F..",
        "'; drop table",
    ],
)
async def test_an_unknown_id_is_not_found(http: httpx.AsyncClient, path: str) -> None:
    answers = [
        await http.get(f"/workflow/{path}"),
        await http.get(f"/workflow/{path}?wait=1"),
        await http.get(f"/workflow/{path}/events"),
        await http.post(f"/workflow/{path}/cancel"),
    ]
    for answer in answers:
        assert answer.status_code == 404
        assert answer.json()["error"]["code"] in {"WORKFLOW_NOT_FOUND", "NOT_FOUND"}


async def test_another_kind_of_workflow_is_none_of_ours(http: httpx.AsyncClient, client: Client) -> None:
    workflow_id = str(uuid.uuid4())
    await client.start_workflow("Payroll", id=workflow_id, task_queue="nobody")
    assert (await http.get(f"/workflow/{workflow_id}")).status_code == 404
    assert (await http.post(f"/workflow/{workflow_id}/cancel")).status_code == 404
    description = await client.get_workflow_handle(workflow_id).describe()
    assert description.close_time is None


async def test_a_long_poll_ends_in_time(http: httpx.AsyncClient, backend: Backend) -> None:
    backend.held = {"resize_image"}
    workflow_id = await started(http)
    began = time.monotonic()
    answer = await http.get(f"/workflow/{workflow_id}?wait=1.5")
    assert time.monotonic() - began > 1.4
    assert (answer.status_code, answer.json()["status"]) == (200, "RUNNING")
    assert answer.json()["currentStep"] == "RESIZING_IMAGE"
    # Longer than the client's own patience: what comes in time was sent at the end, and not when the wait was over.
    waiting = asyncio.create_task(http.get(f"/workflow/{workflow_id}?wait=60"))
    backend.release.set()
    assert (await waiting).json()["status"] == "COMPLETED"


@pytest.mark.parametrize("wait", ["-1", "61", "nan", "inf", "soon", ""])
async def test_a_wait_that_is_none_is_refused(http: httpx.AsyncClient, wait: str) -> None:
    answer = await http.get(f"/workflow/some-id?wait={wait}")
    assert answer.status_code == 422
    assert answer.json()["error"]["details"][0]["field"] == "wait"


async def test_events_tell_each_step_and_the_end(http: httpx.AsyncClient, backend: Backend) -> None:
    backend.held = {"generate_mask"}
    workflow_id = await started(http)
    told: list[tuple[str, dict[str, object]]] = []
    async with http.stream("GET", f"/workflow/{workflow_id}/events") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        kind = ""
        async for line in stream.aiter_lines():
            if line.startswith("event: "):
                kind = line.removeprefix("event: ")
            elif line.startswith("data: "):
                told.append((kind, json.loads(line.removeprefix("data: "))))
                if told[-1][1].get("currentStep") == "GENERATING_MASK":
                    backend.release.set()
    held = {"workflowId": workflow_id, "status": "RUNNING", "progress": 45, "currentStep": "GENERATING_MASK"}
    assert ("progress", held) in told
    assert told[-1] == ("end", {"workflowId": workflow_id, "status": "COMPLETED"})
    assert [kind for kind, _ in told].count("end") == 1


async def test_events_of_a_failure_say_why(http: httpx.AsyncClient, backend: Backend) -> None:
    backend.broken = {"check_zoom": ApplicationError("no", type="ImageManipulatorRejectedError", non_retryable=True)}
    text = (await http.get(f"/workflow/{await started(http)}/events")).text
    assert '"code":"IMAGE_MANIPULATOR_REJECTED"' in text.rpartition("event: end")[2]


async def test_unknown_paths_and_methods_have_the_same_shape(http: httpx.AsyncClient) -> None:
    for answer, status, code in (
        (await http.get("/nothing"), 404, "NOT_FOUND"),
        (await http.get("/workflow/a/b/c"), 404, "NOT_FOUND"),
        (await http.delete("/workflow/some-id"), 405, "METHOD_NOT_ALLOWED"),
        (await http.put("/workflow/start"), 405, "METHOD_NOT_ALLOWED"),
    ):
        assert answer.status_code == status
        assert answer.json()["error"]["code"] == code
        assert set(answer.json()["error"]) == {"code", "message", "details"}
    assert "GET" in (await http.delete("/workflow/some-id")).headers["allow"]


@pytest.mark.parametrize("step", ["check_zoom", "generate_images"])
@pytest.mark.parametrize("fails", [False, True], ids=["done", "failed"])
async def test_a_cancellation_counts_though_the_step_ends_before_it_hears_of_it(
    http: httpx.AsyncClient, client: Client, backend: Backend, step: str, fails: bool
) -> None:
    backend.held, backend.deaf = {step}, True
    if fails:
        backend.broken = {step: ApplicationError("no", type="Sam3RejectedError", non_retryable=True)}
    workflow_id = await started(http)
    await at_step(http, workflow_id, {"check_zoom": "CHECKING_ZOOM", "generate_images": "GENERATING_IMAGES"}[step])
    assert (await http.post(f"/workflow/{workflow_id}/cancel")).json()["status"] == "CANCELLED"
    backend.release.set()
    assert (await http.get(f"/workflow/{workflow_id}?wait=20")).json() == {
        "workflowId": workflow_id,
        "status": "CANCELLED",
    }
    events = (await client.get_workflow_handle(workflow_id).fetch_history()).events
    scheduled = [event.activity_task_scheduled_event_attributes.activity_type.name for event in events]
    assert [name for name in scheduled if name][-1] == step
