"""Records are moved page by page; after three pages the workflow goes on as a new run, so that histories stay short."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError

PAGES_A_RUN = 3
PAUSE_S = 30


@dataclass
class Batch:
    """How far the work is: the page to move next, how many there are, and the records moved."""

    page: int
    pages: int
    moved: int = 0


@activity.defn
async def move_page(page: int) -> int:
    """Move a page; return how many records it had. Page 4 needs a second attempt."""
    await asyncio.sleep(10)
    if page == 4 and activity.info().attempt == 1:
        raise ApplicationError("a lock was held")
    return 100


@workflow.defn
class MoveWorkflow:
    """All pages."""

    @workflow.run
    async def run(self, batch: Batch) -> int:
        """Return how many records were moved."""
        last = min(batch.page + PAGES_A_RUN, batch.pages)
        for page in range(batch.page, last):
            batch.moved += await workflow.execute_activity(
                move_page,
                page,
                start_to_close_timeout=timedelta(minutes=1),
                retry_policy=RetryPolicy(initial_interval=timedelta(seconds=4)),
            )
            await workflow.sleep(PAUSE_S)
        if last < batch.pages:
            workflow.continue_as_new(Batch(last, batch.pages, batch.moved))
        return batch.moved
