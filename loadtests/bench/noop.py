"""The limit: a workflow of seven activities that do nothing."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import uuid4

from temporalio import activity, workflow

from app.process.temporal import connect

TASK_QUEUE = "bench-noop"
STEPS = 7


@activity.defn
async def no_step(number: int) -> int:
    """Do nothing."""
    return number


@workflow.defn
class NoopWorkflow:
    """Seven activities, one after the other, as the pipeline has them."""

    @workflow.run
    async def run(self) -> int:
        """Run the steps and return how many there were."""
        for number in range(STEPS):
            await workflow.execute_activity(no_step, number, start_to_close_timeout=timedelta(seconds=30))
        return STEPS


async def asking() -> Callable[[], Awaitable[object]]:
    """Return what runs one of them to its end, for the client process of the benchmark."""
    temporal = await connect()
    return lambda: temporal.execute_workflow(NoopWorkflow.run, id=str(uuid4()), task_queue=TASK_QUEUE)
