"""What Temporal did and did not say: a start whose answer is lost, and a cancel that comes too late."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from temporalio.client import CancelWorkflowInput, Client, Interceptor, OutboundInterceptor, StartWorkflowInput
from temporalio.service import RPCError, RPCStatusCode

from app.gateway.temporal_calls import WORKFLOW_TYPE
from app.settings import Settings
from tests.app.gateway.conftest import Backend, Served, body, serving, until
from tests.daily import every

pytestmark = pytest.mark.asyncio(loop_scope="session")

LOST = [RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.UNKNOWN, RPCStatusCode.CANCELLED]
REFUSED = [RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNAUTHENTICATED, RPCStatusCode.RESOURCE_EXHAUSTED]


class Wire(Interceptor):
    """What is between the gateway and Temporal: hooks after a start and before a cancel; the rest goes through."""

    def __init__(self) -> None:
        self.starts = 0
        self.taken = True
        """Whether Temporal gets the starts whose answers are lost."""
        self.lost: list[RPCStatusCode] = []
        self.before_cancel: Callable[[str], Awaitable[None]] | None = None

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002 - the SDK's word
        wire = self

        class Outbound(OutboundInterceptor):
            async def start_workflow(self, input: StartWorkflowInput) -> Any:  # noqa: A002 - the SDK's word
                wire.starts += 1
                if not wire.lost:
                    return await super().start_workflow(input)
                if wire.taken:
                    await super().start_workflow(input)
                raise RPCError("lost on the way", wire.lost.pop(0), b"")

            async def cancel_workflow(self, input: CancelWorkflowInput) -> None:  # noqa: A002 - the SDK's word
                if wire.before_cancel:
                    await wire.before_cancel(input.id)
                await super().cancel_workflow(input)

        return Outbound(next)


@asynccontextmanager
async def behind(wire: Wire, settings: Settings, client: Client) -> AsyncIterator[Served]:
    config = client.config()
    config["interceptors"] = [wire]
    async with serving(settings, Client(**config)) as served:
        yield served


async def count(client: Client, session: str) -> int:
    """How many try-ons there are of a session."""
    found = 0
    async for one in client.list_workflows(f"WorkflowType = '{WORKFLOW_TYPE}'"):
        found += (await one.memo()).get("sessionId") == session
    return found


@pytest.mark.parametrize("key", [None, "mine"])
@pytest.mark.parametrize("taken", [True, False])
@pytest.mark.parametrize("lost", every(3, LOST, "one more way in which an answer is lost"))
async def test_one_lost_answer_is_made_up_for(
    settings: Settings, client: Client, lost: RPCStatusCode, *, taken: bool, key: str | None
) -> None:
    wire, session = Wire(), str(uuid.uuid4())
    wire.lost, wire.taken = [lost], taken
    headers = {"Idempotency-Key": f"{key}-{session}"} if key else {}
    async with behind(wire, settings, client) as served:
        answer = await served.http.post("/workflow/start", json=body(sessionId=session), headers=headers)
        assert answer.status_code == 202
        workflow_id = answer.json()["workflowId"]
        end = await served.http.get(f"/workflow/{workflow_id}", params={"wait": 20})
        assert end.json()["status"] == "COMPLETED"
    assert wire.starts == 2
    await until(lambda: _is(count(client, session), 1))


async def _is(found: Awaitable[int], wanted: int) -> bool:
    return await found == wanted


async def test_when_nobody_can_tell_the_id_is_named_and_a_repeat_with_it_is_the_same_try_on(
    settings: Settings, client: Client
) -> None:
    wire, session = Wire(), str(uuid.uuid4())
    wire.lost, wire.taken = [RPCStatusCode.UNAVAILABLE] * 2, False
    async with behind(wire, settings, client) as served:
        answer = await served.http.post("/workflow/start", json=body(sessionId=session))
        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "TEMPORAL_UNAVAILABLE"
        assert answer.headers["Retry-After"]
        workflow_id = answer.json()["workflowId"]
        headers = {"Idempotency-Key": workflow_id}
        again = await served.http.post("/workflow/start", json=body(sessionId=session), headers=headers)
        assert again.status_code == 202
        assert again.json()["workflowId"] == workflow_id
        other = await served.http.post("/workflow/start", json=body(sessionId="other"), headers=headers)
        assert other.status_code == 409
    await until(lambda: _is(count(client, session), 1))


@pytest.mark.parametrize("refused", REFUSED)
async def test_a_refusal_is_one(settings: Settings, client: Client, refused: RPCStatusCode) -> None:
    wire = Wire()
    wire.lost, wire.taken = [refused], False
    async with behind(wire, settings, client) as served:
        answer = await served.http.post("/workflow/start", json=body())
    assert answer.status_code == 503
    assert "workflowId" not in answer.json()
    assert wire.starts == 1


async def test_ids_without_a_key_are_random_and_stand_for_themselves(gateway: Served) -> None:
    first, second = [(await gateway.http.post("/workflow/start", json=body())).json()["workflowId"] for _ in range(2)]
    assert first != second
    assert {uuid.UUID(one).version for one in (first, second)} == {8}
    answer = await gateway.http.post("/workflow/start", json=body(), headers={"Idempotency-Key": first})
    assert answer.json()["workflowId"] == first


@pytest.mark.parametrize(
    "key", ["7c9e6679-7425-40de-944b-e07fc1f90ae7", str(uuid.uuid5(uuid.NAMESPACE_DNS, "x")), "8", "A" * 36]
)
async def test_a_key_of_one_s_own_is_no_id(gateway: Served, key: str) -> None:
    answer = await gateway.http.post("/workflow/start", json=body(), headers={"Idempotency-Key": key})
    assert answer.json()["workflowId"] != key


# ---------------------------------------------------------------- cancels
@pytest.mark.parametrize("end", ["COMPLETED", "FAILED", "CANCELLED"])
async def test_a_cancel_of_one_that_ended_between_look_and_cancel(
    settings: Settings, client: Client, backend: Backend, end: str
) -> None:
    wire = Wire()
    backend.held.add("resize_image")

    async def ends(workflow_id: str) -> None:
        handle = client.get_workflow_handle(workflow_id)
        if end == "COMPLETED":
            backend.release.set()
        elif end == "FAILED":
            await handle.terminate()
        else:
            await handle.cancel()
        await asyncio.gather(handle.result(), return_exceptions=True)

    wire.before_cancel = ends
    async with behind(wire, settings, client) as served:
        workflow_id = (await served.http.post("/workflow/start", json=body())).json()["workflowId"]
        answer = await served.http.post(f"/workflow/{workflow_id}/cancel")
    if end == "CANCELLED":
        assert answer.status_code == 200
        return
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "WORKFLOW_FINISHED"
    assert (answer.json()["workflowId"], answer.json()["status"]) == (workflow_id, end)
