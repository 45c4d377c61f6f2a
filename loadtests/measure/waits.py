"""How long try-ons waited for a worker, tried again and ran: read from their histories in Temporal."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from temporalio.client import Client, WorkflowHistory
from temporalio.service import RPCError

from app.process.temporal import TemporalConfigurationError, configuration
from scenarios.histories import activities, length, seconds

AT_ONCE = 8
CONNECT_S = 10.0


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


def waits(history: WorkflowHistory) -> Waits:
    """Read one history, however it ended."""
    found = Waits()
    for activity in activities(history.events):
        if activity.began is None:  # it ended in the queue, if at all
            found.queued_for[activity.name] += (activity.ended or activity.scheduled) - activity.scheduled
            continue
        before = found.earlier_in if activity.attempt > 1 else found.queued_for
        before[activity.name] += activity.began - activity.scheduled
        found.run_in[activity.name] += (activity.ended or activity.began) - activity.began
    for event in history.events:
        if event.HasField("workflow_task_started_event_attributes"):
            found.queued_for["workflow"] = seconds(event.event_time) - seconds(history.events[0].event_time)
            break
    found.between = max(0.0, length(history) - found.queued - found.earlier - found.run)
    return found


class TemporalError(Exception):
    """Temporal cannot be reached; the message says where and why."""


async def connect(environment: Mapping[str, str]) -> Client:
    """Return a client by the SDK's own variables: address, namespace, key, TLS, or a profile of its configuration file.

    Raises:
        TemporalError: they make no sense, or nobody answers.
    """
    try:
        config = configuration(environment)
    except TemporalConfigurationError as error:
        raise TemporalError(f"the environment's configuration of Temporal cannot be used: {error}") from None
    try:
        return await asyncio.wait_for(Client.connect(**config), CONNECT_S)
    except (RuntimeError, TimeoutError) as error:
        why = str(error) or f"no answer in {CONNECT_S:g} s"
        raise TemporalError(f"Temporal at {config['target_host']} does not answer: {why}") from None


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
