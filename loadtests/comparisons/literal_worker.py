"""A worker for the literal workflow: `python -m loadtests.comparisons.literal_worker`."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import uvloop
from temporalio.worker import Worker

from app.process.temporal import connect
from app.worker import RUNNER
from loadtests.comparisons.literal import ACTIVITIES, TASK_QUEUE, LiteralWorkflow

THREADS = 100


async def main() -> None:
    """Work until killed."""
    client = await connect()
    with ThreadPoolExecutor(THREADS) as threads:
        async with Worker(
            client,
            task_queue=TASK_QUEUE,
            workflows=[LiteralWorkflow],
            activities=list(ACTIVITIES),
            activity_executor=threads,
            max_concurrent_activities=THREADS,
            workflow_runner=RUNNER,
        ):
            await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main())  # as the pipeline's worker does
