"""The limit: a workflow of seven activities that do nothing."""

from datetime import timedelta

from temporalio import activity, workflow

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
