"""Heartbeats beside an activity's work: they show that its worker lives, keep a job's ticket, bring a cancellation."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar

from temporalio import activity

from app.pipeline.models import Ticket
from app.pipeline.policies import HEARTBEAT_INTERVAL
from app.process.background import beside


class Heart:
    """Beats for one attempt and repeats what is to be kept: a bare heartbeat would wipe it."""

    def __init__(self, ticket: Ticket | None, number: int = 1) -> None:
        """Begin with what an earlier attempt left: the ticket of a job, if any, and its number among the activity's."""
        self.ticket = ticket
        self.number = number

    def keep(self, ticket: Ticket) -> None:
        """Send a job's ticket to the server, for the next attempt."""
        self.ticket = ticket
        self.beat()

    def drop(self) -> None:
        """Forget the job: the next attempt makes another one."""
        self.ticket = None
        self.number += 1
        self.beat()

    def beat(self) -> None:
        """Send one heartbeat."""
        activity.heartbeat(self.ticket, self.number)


beating: ContextVar[Heart | None] = ContextVar("beating", default=None)
"""The heart of the attempt that runs here, while it beats by itself."""


@asynccontextmanager
async def heartbeats() -> AsyncIterator[Heart]:
    """Beat until the block ends: what the server watches is the machine, not the work.

    Raises:
        Exception: what the heartbeats died of; the block is cancelled then.
    """
    details = activity.info().heartbeat_details
    ticket = Ticket.model_validate(details[0]) if details and details[0] else None
    heart = Heart(ticket, details[1] if len(details) > 1 else 1)  # versions before 0.2.0 kept no number
    token = beating.set(heart)
    try:
        # Without beats the server takes the worker for dead, and another attempt would run beside this one.
        async with beside(_beat(heart), "heartbeats"):
            yield heart
    finally:
        beating.reset(token)


async def _beat(heart: Heart) -> None:
    while True:
        # An attempt shorter than this needs no beat: its start said already that its worker lives.
        await asyncio.sleep(HEARTBEAT_INTERVAL)
        heart.beat()
