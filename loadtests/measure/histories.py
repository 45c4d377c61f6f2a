"""How long try-ons waited for a worker, tried again and ran: read from their histories in Temporal."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.client import Client, WorkflowHistory
from temporalio.envconfig import ClientConfig
from temporalio.service import RPCError

AT_ONCE = 8
CONNECT_S = 10.0
LOCAL_SERVER = "127.0.0.1:7233"
"""Where a developer's own server listens; it is asked when nothing names another."""


@dataclass
class Waits:
    """Of one try-on, in seconds, by activity: waiting in a task queue, earlier attempts and pauses after them, running.

    The wait for the first workflow task is the queue of `workflow`. Where there were earlier attempts, the history says
    no more of them than when the last one began, so its wait in the queue is among them.
    """

    queued_for: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    earlier_in: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    run_in: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    between: float = 0.0
    """All the rest: deciding what comes next."""

    @property
    def queued(self) -> float:
        """Waiting in task queues, in all."""
        return sum(self.queued_for.values())

    @property
    def earlier(self) -> float:
        """Earlier attempts, in all."""
        return sum(self.earlier_in.values())

    @property
    def run(self) -> float:
        """Running, in all."""
        return sum(self.run_in.values())


ENDS = ("completed", "failed", "timed_out", "canceled")


def waits(history: WorkflowHistory) -> Waits:
    """Read one history, however it ended."""
    found = Waits()
    scheduled: dict[int, tuple[str, float]] = {}
    started: dict[int, float] = {}
    first_task = True
    for event in history.events:
        at = _seconds(event.event_time)
        kind = event.WhichOneof("attributes") or ""
        of: Any = getattr(event, kind, None)  # the server may know more kinds than this SDK
        if kind == "activity_task_scheduled_event_attributes":
            scheduled[event.event_id] = (of.activity_type.name, at)
        elif kind == "activity_task_started_event_attributes":
            name, since = scheduled[of.scheduled_event_id]
            started[of.scheduled_event_id] = at
            (found.earlier_in if of.attempt > 1 else found.queued_for)[name] += at - since
        elif kind in (f"activity_task_{end}_event_attributes" for end in ENDS):
            name, since = scheduled[of.scheduled_event_id]
            if of.scheduled_event_id in started:
                found.run_in[name] += at - started[of.scheduled_event_id]
            else:  # it ended in the queue
                found.queued_for[name] += at - since
        elif kind == "workflow_task_started_event_attributes" and first_task:
            first_task = False
            found.queued_for["workflow"] = at - _seconds(history.events[0].event_time)
    length = _seconds(history.events[-1].event_time) - _seconds(history.events[0].event_time)
    found.between = max(0.0, length - found.queued - found.earlier - found.run)
    return found


class TemporalError(Exception):
    """Temporal cannot be reached; the message says where and why."""


async def connect(environment: Mapping[str, str]) -> Client:
    """Return a client by the SDK's own variables: address, namespace, key, TLS, or a profile of its configuration file.

    Raises:
        TemporalError: they make no sense, or nobody answers.
    """
    said = {name: value for name, value in environment.items() if value}  # set to nothing means nothing
    try:
        config = ClientConfig.load_client_connect_config(override_env_vars=said)
    except (RuntimeError, ValueError) as error:
        raise TemporalError(f"the environment's configuration of Temporal cannot be used: {error}") from None
    host = config.setdefault("target_host", LOCAL_SERVER)
    try:
        return await asyncio.wait_for(Client.connect(**config), CONNECT_S)
    except (RuntimeError, TimeoutError) as error:
        why = str(error) or f"no answer in {CONNECT_S:g} s"
        raise TemporalError(f"Temporal at {host} does not answer: {why}") from None


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
