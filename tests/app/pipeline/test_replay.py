"""Histories that a production worker recorded still replay: a change of the workflow would break running try-ons."""

from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from app.pipeline.workflow import JewelryGenerationWorkflow
from app.worker import RUNNER

HISTORIES = {path.stem: path.read_text() for path in (Path(__file__).parent / "histories").glob("*.json")}


def test_there_is_a_history_of_each_ending() -> None:
    assert set(HISTORIES) == {"completed", "completed-with-strokes", "failed", "cancelled"}


@pytest.mark.parametrize("name", sorted(HISTORIES))
async def test_replays(name: str) -> None:
    history = WorkflowHistory.from_json(name, HISTORIES[name])
    replayer = Replayer(
        workflows=[JewelryGenerationWorkflow], data_converter=pydantic_data_converter, workflow_runner=RUNNER
    )
    result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    assert result.replay_failure is None


@workflow.defn(name="JewelryGenerationWorkflow")
class AnotherOrder:
    """A workflow of the same name that begins with another step."""

    @workflow.run
    async def run(self, _input: dict[str, object]) -> None:
        await workflow.sleep(1)


async def test_a_change_of_the_order_is_noticed() -> None:
    replayer = Replayer(workflows=[AnotherOrder], data_converter=pydantic_data_converter, workflow_runner=RUNNER)
    history = WorkflowHistory.from_json("completed", HISTORIES["completed"])
    result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    assert isinstance(result.replay_failure, workflow.NondeterminismError)
