"""Replay a simulated history with the production workflow in a fresh state, and the simulation's plugin."""

from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from app.pipeline.workflow import JewelryGenerationWorkflow
from app.worker import RUNNER
from scenarios.virtual import VirtualTime


async def replay(history: WorkflowHistory, *, virtual: bool = True) -> str | None:
    """Return why a history does not replay, None when it does."""
    replayer = Replayer(
        workflows=[JewelryGenerationWorkflow],
        plugins=[VirtualTime()] if virtual else [],
        data_converter=pydantic_data_converter,
        workflow_runner=RUNNER,
    )
    result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    failure = result.replay_failure
    return f"{type(failure).__name__}: {failure}" if failure else None
