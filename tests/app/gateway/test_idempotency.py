import asyncio
import uuid

import httpx
import pytest
from pydantic import SecretStr
from temporalio.client import Client, WorkflowExecutionStatus

from app.names import IDEMPOTENCY_NAMESPACE, workflow_id_for
from app.services.blob import BlobStore
from app.settings import Settings
from tests.app.gateway.conftest import body, jpeg, serving

pytestmark = pytest.mark.asyncio(loop_scope="session")


def keyed() -> dict[str, str]:
    return {"Idempotency-Key": f"key {uuid.uuid4()}"}


async def test_the_same_request_again_is_the_same_try_on(http: httpx.AsyncClient) -> None:
    headers = keyed()
    first = await http.post("/workflow/start", json=body(), headers=headers)
    assert first.status_code == 202
    assert first.json()["workflowId"] == str(uuid.uuid5(IDEMPOTENCY_NAMESPACE, headers["Idempotency-Key"]))
    again = await http.post("/workflow/start", json=body(), headers=headers)
    assert (again.status_code, again.json()) == (202, first.json())
    await http.get(f"/workflow/{first.json()['workflowId']}?wait=20")
    after_its_end = await http.post("/workflow/start", json=body(), headers=headers)
    assert (after_its_end.status_code, after_its_end.json()) == (202, first.json())


async def test_another_body_is_refused_and_changes_nothing(http: httpx.AsyncClient, blobs: BlobStore) -> None:
    headers = keyed()
    workflow_id = (await http.post("/workflow/start", json=body(), headers=headers)).json()["workflowId"]
    other = await http.post("/workflow/start", json=body(sessionId="other"), headers=headers)
    assert other.status_code == 409
    assert other.json()["error"]["code"] == "IDEMPOTENCY_KEY_REUSED"
    assert await blobs.get(f"staging/{workflow_id}", max_bytes=10**6) == jpeg()


async def test_many_at_once_are_one(http: httpx.AsyncClient) -> None:
    headers = keyed()
    answers = await asyncio.gather(
        *(http.post("/workflow/start", json=body(), headers=headers) for _ in range(20)),
    )
    assert {answer.status_code for answer in answers} == {202}
    (workflow_id,) = {answer.json()["workflowId"] for answer in answers}
    assert workflow_id == workflow_id_for(headers["Idempotency-Key"])


async def test_of_different_bodies_at_once_one_wins(http: httpx.AsyncClient) -> None:
    headers = keyed()
    answers = await asyncio.gather(
        *(http.post("/workflow/start", json=body(sessionId=str(n % 4)), headers=headers) for n in range(12)),
    )
    assert sorted(answer.status_code for answer in answers) == [202] * 3 + [409] * 9


async def test_a_request_whose_gateway_died_half_way_is_taken_up_again(
    http: httpx.AsyncClient, client: Client, blobs: BlobStore
) -> None:
    headers = keyed()
    workflow_id = (await http.post("/workflow/start", json=body(), headers=headers)).json()["workflowId"]
    digest = (await blobs.info(f"staging/{workflow_id}")).metadata
    lost = keyed()
    lost_id = workflow_id_for(lost["Idempotency-Key"])
    assert await blobs.put(f"staging/{lost_id}", jpeg(), "image/jpeg", overwrite=False, metadata=digest)
    assert (await http.post("/workflow/start", json=body(sessionId="other"), headers=lost)).status_code == 409
    assert (await http.get(f"/workflow/{lost_id}")).status_code == 404
    answer = await http.post("/workflow/start", json=body(), headers=lost)
    assert (answer.status_code, answer.json()["workflowId"]) == (202, lost_id)
    ended = await http.get(f"/workflow/{lost_id}?wait=20")
    assert ended.json()["status"] == "COMPLETED"
    assert (await client.get_workflow_handle(lost_id).describe()).status is WorkflowExecutionStatus.COMPLETED


async def test_another_body_is_refused_by_the_workflow_itself_too(http: httpx.AsyncClient, client: Client) -> None:
    """Where the staged picture was tidied away, the workflow still knows which body started it."""
    headers = keyed()
    workflow_id = workflow_id_for(headers["Idempotency-Key"])
    await client.start_workflow(
        "JewelryGenerationWorkflow", id=workflow_id, task_queue="nobody", memo={"bodyDigest": "of another body"}
    )
    answer = await http.post("/workflow/start", json=body(), headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")


@pytest.mark.parametrize("key", ["", "k" * 256])
async def test_a_key_that_is_none_is_refused(http: httpx.AsyncClient, key: str) -> None:
    answer = await http.post("/workflow/start", json=body(), headers={"Idempotency-Key": key})
    assert answer.status_code == 422
    assert answer.json()["error"]["details"][0]["field"] == "Idempotency-Key"


async def test_callers_with_api_keys_have_their_idempotency_keys_to_themselves(
    settings: Settings, client: Client
) -> None:
    web, phone = "web-key-0123456789", "phone-key-0123456789"
    changed = {"api_keys": (("web", SecretStr(web)), ("phone", SecretStr(phone)))}
    async with serving(settings.model_copy(update=changed), client) as served:
        headers = keyed()
        key = headers["Idempotency-Key"]
        first = await served.http.post("/workflow/start", json=body(), headers=headers | {"X-API-Key": web})
        other = await served.http.post(
            "/workflow/start", json=body(sessionId="other"), headers=headers | {"X-API-Key": phone}
        )
        again = await served.http.post("/workflow/start", json=body(), headers=headers | {"X-API-Key": web})
    assert [answer.status_code for answer in (first, other, again)] == [202, 202, 202]
    assert first.json()["workflowId"] == again.json()["workflowId"] == workflow_id_for(key, "web")
    assert other.json()["workflowId"] == workflow_id_for(key, "phone")
    assert len({workflow_id_for(key), workflow_id_for(key, "web"), workflow_id_for(key, "phone")}) == 3


async def test_without_a_key_each_request_is_its_own(http: httpx.AsyncClient) -> None:
    ids = {(await http.post("/workflow/start", json=body())).json()["workflowId"] for _ in range(2)}
    assert len(ids) == 2
