"""Those who ask the same at once share a call, and nobody gets an answer that is older than the question."""

import asyncio
import uuid

import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.runtime import MetricBuffer, Runtime, TelemetryConfig

from app.gateway.shared_calls import SharedCalls
from app.pipeline.models import MaskPoint, WorkflowInput
from app.settings import Settings
from scenarios.stack.stack import Stack
from tests.app.gateway.conftest import serving

pytestmark = pytest.mark.asyncio(loop_scope="session")


class Asked:
    """Answers with the number of the call, each once a test lets it."""

    def __init__(self) -> None:
        self.began = 0
        self.given_up = 0
        self.gates = [asyncio.Event() for _ in range(9)]

    async def __call__(self, _key: str) -> int:
        number = self.began
        self.began += 1
        try:
            await self.gates[number].wait()
        except asyncio.CancelledError:
            self.given_up += 1
            raise
        return number


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_all_who_ask_during_a_call_share_the_next_one() -> None:
    ask = Asked()
    shared = SharedCalls(ask)
    first = asyncio.create_task(shared("w"))
    await turns()
    later = [asyncio.create_task(shared("w")) for _ in range(50)]
    await turns()
    assert ask.began == 1
    ask.gates[0].set()
    ask.gates[1].set()
    assert await first == 0
    assert await asyncio.gather(*later) == [1] * 50
    assert ask.began == 2


async def test_other_keys_do_not_wait() -> None:
    ask = Asked()
    shared = SharedCalls(ask)
    one, other = asyncio.create_task(shared("w")), asyncio.create_task(shared("v"))
    await turns()
    ask.gates[1].set()
    assert await other == 1
    ask.gates[0].set()
    assert await one == 0


async def test_a_call_goes_on_until_the_last_who_waits_has_left() -> None:
    ask = Asked()
    shared = SharedCalls(ask)
    waiting = [asyncio.create_task(shared("w")) for _ in range(2)]
    await turns()
    waiting[0].cancel()
    await turns()
    assert ask.given_up == 0
    waiting[1].cancel()
    await turns()
    assert ask.given_up == 1
    ask.gates[1].set()
    assert await shared("w") == 1  # nothing of it is left


async def test_those_who_wait_for_the_next_call_get_it_when_the_one_before_is_given_up() -> None:
    ask = Asked()
    shared = SharedCalls(ask)
    first = asyncio.create_task(shared("w"))
    await turns()
    second = asyncio.create_task(shared("w"))
    await turns()
    first.cancel()
    ask.gates[1].set()
    assert await second == 1


async def test_an_error_reaches_each_who_waits_and_nobody_else() -> None:
    errors: list[Exception] = [KeyError("once")]

    async def ask(key: str) -> str:
        await asyncio.sleep(0)
        if errors:
            raise errors.pop()
        return key

    shared = SharedCalls(ask)
    results = await asyncio.gather(*(shared("w") for _ in range(3)), return_exceptions=True)
    assert [type(result) for result in results] == [KeyError] * 3
    assert await shared("w") == "w"


async def test_a_hundred_polls_and_waits_of_one_try_on_cost_temporal_a_few_looks(
    settings: Settings, stack: Stack
) -> None:
    calls = MetricBuffer(10_000)
    client = await Client.connect(
        stack.temporal_address,
        data_converter=pydantic_data_converter,
        runtime=Runtime(telemetry=TelemetryConfig(metrics=calls)),
    )
    workflow_id = str(uuid.uuid4())
    given = WorkflowInput(image="azure://c/x", mask_points=[MaskPoint(x=0, y=0, label=1)])
    await client.start_workflow("JewelryGenerationWorkflow", given, id=workflow_id, task_queue="nobody")
    async with serving(settings, client) as served:
        answers = await asyncio.gather(*(served.http.get(f"/workflow/{workflow_id}") for _ in range(100)))
        assert {answer.json()["status"] for answer in answers} == {"RUNNING"}
        asked = [call.attributes.get("operation") for call in calls.retrieve_updates() if "request" in call.metric.name]
        assert 0 < asked.count("DescribeWorkflowExecution") < 50
    await client.get_workflow_handle(workflow_id).terminate("by a test")
