"""A checkout: quick look-ups as local activities, then the payment as a remote one."""

import asyncio
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError


@activity.defn
async def price_of(article: str) -> int:
    """Look a price up. The first look at `rare` things fails."""
    await asyncio.sleep(0.2)
    if article.startswith("rare") and activity.info().attempt == 1:
        raise ApplicationError("the cache was cold")
    return len(article)


@activity.defn
async def in_stock(article: str) -> bool:
    """Look the stock up; for `slow` things that takes longer than anybody waits."""
    await asyncio.sleep(60 if article.startswith("slow") else 0.1)
    return True


@activity.defn
async def pay(amount: int) -> str:
    """Take the money."""
    await asyncio.sleep(2)
    return f"paid {amount}"


@workflow.defn
class CheckoutWorkflow:
    """One checkout."""

    @workflow.run
    async def run(self, articles: list[str]) -> str:
        """Return the receipt."""
        total = 0
        for article in articles:
            total += await workflow.execute_local_activity(
                price_of,
                article,
                start_to_close_timeout=timedelta(seconds=2),
                retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_attempts=3),
            )
            await workflow.execute_local_activity(
                in_stock,
                article,
                start_to_close_timeout=timedelta(seconds=3),
                retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_attempts=2),
            )
        return await workflow.execute_activity(pay, total, start_to_close_timeout=timedelta(seconds=20))
