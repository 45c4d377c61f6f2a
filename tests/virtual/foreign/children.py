"""An order is shipped in parcels, a child workflow for each; when one is lost, those still in the warehouse stop."""

import asyncio
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError, ChildWorkflowError


@activity.defn
async def pack(parcel: str) -> None:
    """Pack a parcel. Its name says how many seconds that takes: `lamp-40`."""
    for _ in range(int(parcel.rpartition("-")[2])):
        await asyncio.sleep(1)
        activity.heartbeat()


@activity.defn
async def hand_over(parcel: str) -> str:
    """Give a parcel to the carrier."""
    await asyncio.sleep(5)
    if parcel.startswith("lost"):
        raise ApplicationError("the carrier lost it", type="Lost", non_retryable=True)
    return f"{parcel} is on its way"


@workflow.defn
class ParcelWorkflow:
    """One parcel."""

    @workflow.run
    async def run(self, parcel: str) -> str:
        """Return where it is."""
        once = RetryPolicy(maximum_attempts=1)
        beat = timedelta(seconds=10)
        limit = timedelta(minutes=5)
        await workflow.execute_activity(
            pack, parcel, start_to_close_timeout=limit, heartbeat_timeout=beat, retry_policy=once
        )
        await workflow.sleep(60)  # the carrier comes a minute later
        return await workflow.execute_activity(hand_over, parcel, start_to_close_timeout=limit, retry_policy=once)


@workflow.defn
class OrderWorkflow:
    """One order of several parcels."""

    @workflow.run
    async def run(self, parcels: list[str]) -> list[str]:
        """Return where the parcels are; an order with a lost parcel is held back."""
        order = workflow.info().workflow_id
        shipments = [
            await workflow.start_child_workflow(ParcelWorkflow.run, parcel, id=f"{order}/{parcel}")
            for parcel in parcels
        ]
        try:
            return list(await asyncio.gather(*shipments))
        except ChildWorkflowError:
            for shipment in shipments:
                shipment.cancel()
            await asyncio.gather(*shipments, return_exceptions=True)
            raise ApplicationError("a parcel was lost", type="OrderHeld", non_retryable=True) from None
