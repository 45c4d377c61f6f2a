"""A worker like the pipeline's for the no-op workflow: `python -m loadtests.bench.noop_worker`."""

import asyncio

import uvloop
from temporalio.worker import Worker

from app.process.temporal import connect
from app.worker import RUNNER
from loadtests.bench.noop import TASK_QUEUE, NoopWorkflow, no_step


async def main() -> None:
    """Work until killed."""
    client = await connect()
    async with Worker(
        client, task_queue=TASK_QUEUE, workflows=[NoopWorkflow], activities=[no_step], workflow_runner=RUNNER
    ):
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main())  # as the pipeline's worker does
