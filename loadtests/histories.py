"""How long try-ons waited for a worker or a slot, and how long they ran: read from their histories in Temporal."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.client import Client, WorkflowHistory
from temporalio.service import RPCError

AT_ONCE = 8


@dataclass
class Waits:
    """Of one try-on, in seconds: waiting in task queues, pauses between attempts included, and running."""

    queued: float = 0.0
    run: float = 0.0
    between: float = 0.0
    """All the rest: deciding what comes next."""
    queued_for: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    run_in: dict[str, float] = field(default_factory=lambda: defaultdict(float))


def waits(history: WorkflowHistory) -> Waits:
    """Read one history. The wait for the first workflow task counts as the queue of `workflow`."""
    found = Waits()
    scheduled: dict[int, tuple[str, float]] = {}
    started: dict[int, float] = {}
    first_task = True
    for event in history.events:
        at = _seconds(event.event_time)
        if event.HasField("activity_task_scheduled_event_attributes"):
            name = event.activity_task_scheduled_event_attributes.activity_type.name
            scheduled[event.event_id] = (name, at)
        elif event.HasField("activity_task_started_event_attributes"):
            of = event.activity_task_started_event_attributes.scheduled_event_id
            started[of] = at
            found.queued_for[scheduled[of][0]] += at - scheduled[of][1]
        elif event.HasField("activity_task_completed_event_attributes"):
            of = event.activity_task_completed_event_attributes.scheduled_event_id
            found.run_in[scheduled[of][0]] += at - started[of]
        elif event.HasField("workflow_task_started_event_attributes") and first_task:
            first_task = False
            found.queued_for["workflow"] = at - _seconds(history.events[0].event_time)
    found.queued, found.run = sum(found.queued_for.values()), sum(found.run_in.values())
    length = _seconds(history.events[-1].event_time) - _seconds(history.events[0].event_time)
    found.between = max(0.0, length - found.queued - found.run)
    return found


async def read_waits(client: Client, workflow_ids: Sequence[str]) -> dict[str, Waits]:
    """Return the waits of the try-ons that Temporal still knows, by workflow id."""
    free = asyncio.Semaphore(AT_ONCE)

    async def one(workflow_id: str) -> Waits | None:
        async with free:
            try:
                return waits(await client.get_workflow_handle(workflow_id).fetch_history())
            except RPCError:
                return None

    found = await asyncio.gather(*map(one, workflow_ids))
    return {workflow_id: each for workflow_id, each in zip(workflow_ids, found, strict=True) if each is not None}


def _seconds(instant: Timestamp) -> float:
    return instant.seconds + instant.nanos / 1e9
