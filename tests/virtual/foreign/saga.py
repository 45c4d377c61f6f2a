"""A trip is booked step by step; when a step fails for good, what was booked before is undone, the newest first."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from functools import partial
from typing import Any

from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

AGENCY_S = 3
"""What a call to an agency takes."""


@activity.defn
async def book(part: str, trip: str) -> str:
    """Book a part of a trip. The name of a trip says what its agencies do: `sold-out` has no car."""
    await asyncio.sleep(AGENCY_S)
    if part == "car" and trip.startswith("sold-out"):
        raise ApplicationError("no car is left", type="SoldOut", non_retryable=True)
    if part == "flight" and trip.startswith("shaky") and activity.info().attempt < 3:
        raise ApplicationError("the airline is busy", type="Busy")
    return f"{part}-{trip}"


@activity.defn
async def cancel(booking: str) -> None:
    """Undo a booking."""
    await asyncio.sleep(AGENCY_S)
    if booking.startswith("flight") and activity.info().attempt < 2:
        raise ApplicationError("the airline is busy", type="Busy")


@workflow.defn
class TripWorkflow:
    """One trip: all of it, or nothing."""

    @workflow.run
    async def run(self, trip: str) -> list[str]:
        """Return the bookings."""
        limits: dict[str, Any] = {
            "start_to_close_timeout": timedelta(seconds=30),
            "retry_policy": RetryPolicy(initial_interval=timedelta(seconds=1), maximum_attempts=4),
        }
        undo: list[Callable[[], Coroutine[Any, Any, None]]] = []
        bookings: list[str] = []
        try:
            for part in ("hotel", "flight", "car"):
                booking = await workflow.execute_activity(book, args=[part, trip], **limits)
                bookings.append(booking)
                undo.append(partial(self._cancel, booking, limits))
        except ActivityError:
            for step in reversed(undo):
                await step()
            raise
        return bookings

    async def _cancel(self, booking: str, limits: dict[str, Any]) -> None:
        await workflow.execute_activity(cancel, booking, **limits)
