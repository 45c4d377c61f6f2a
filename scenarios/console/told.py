"""A workflow's timeline in real time: from Temporal's history and pending attempts, and the fakes' ledgers.

The history keeps the number of an activity's last attempt and when that began, not the earlier ones. Those are seen
by the calls that they made: each call carries its attempt's number. An earlier attempt that called no fake (an upload)
is not seen.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from temporalio.client import Client, WorkflowExecutionDescription, WorkflowHistory
from temporalio.service import RPCError, RPCStatusCode

from fakes.kit.client import LedgerCall
from scenarios.console.fakes import Fakes, UnknownError
from scenarios.histories import Activity, activities, seconds, status
from scenarios.pipeline import BY_ACTIVITY, step_of
from scenarios.stories.run import SeenCall
from scenarios.stories.timelines import Happening, Timeline
from scenarios.virtual import Attempt


@dataclass
class ToldWorkflow:
    """A workflow as it is told: its timeline, the calls that it made, and how it stands."""

    timeline: Timeline
    calls: list[SeenCall] = field(default_factory=list)
    status: str = "RUNNING"


async def tell(client: Client, fakes: Fakes, workflow_id: str) -> ToldWorkflow:
    """Read what happened to a workflow so far.

    Raises:
        UnknownError: there is no workflow with this id.
        RPCError: Temporal does not answer.
    """
    handle = client.get_workflow_handle(workflow_id)
    try:
        description, history, ledger = await asyncio.gather(
            handle.describe(), handle.fetch_history(), fakes.calls(workflow_id)
        )
    except RPCError as error:
        if error.status in {RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT}:
            raise UnknownError(f"there is no workflow with the id {workflow_id!r}") from error
        raise
    return told(workflow_id, description, history, ledger)


def told(
    workflow_id: str, description: WorkflowExecutionDescription, history: WorkflowHistory, ledger: Sequence[LedgerCall]
) -> ToldWorkflow:
    """Put the story together out of what Temporal and the fakes know."""
    began = seconds(history.events[0].event_time)
    found = activities(history.events, description.raw_description.pending_activities)
    timeline = Timeline(workflow_id, began=began, now=began)
    story = ToldWorkflow(timeline, status=status(history.events))
    for event in history.events:
        timeline.now = seconds(event.event_time)
        if event.HasField("workflow_execution_cancel_requested_event_attributes"):
            timeline.happenings.append(Happening(timeline.now - began, "cancel asked for"))
    by_activity: dict[str, list[LedgerCall]] = {activity.name: [] for activity in found}
    for entry in ledger:
        if owner := _owner(entry, found):
            by_activity[owner].append(entry)
    for activity in found:
        timeline.attempts += _attempts(activity, by_activity[activity.name], began)
    if story.status == "RUNNING":
        timeline.now = max(timeline.now, time.time())
    story.calls = [_call(entry, began) for entry in ledger if entry["attempt"] is not None]
    return story


def _owner(entry: LedgerCall, among: Sequence[Activity]) -> str | None:
    """Return the activity that made a call; for one that several make, the last that had begun by then."""
    own = step_of(entry["service"], entry["operation"])
    if own is not None:
        return own.activity if any(activity.name == own.activity for activity in among) else None
    call = f"{entry['service']}.{entry['operation']}"
    begun = [
        activity.name
        for activity in among
        if entry["attempt"] is not None
        and (step := BY_ACTIVITY.get(activity.name)) is not None
        and call in step.calls
        and activity.scheduled <= entry["at"] + 0.05
    ]
    return begun[-1] if begun else None


def _attempts(activity: Activity, calls: Sequence[LedgerCall], zero: float) -> Iterator[Attempt]:
    """Yield the attempts of an activity: earlier ones by their calls, the last one by the history."""
    waiting = activity.next_attempt is not None and activity.attempt > 1
    numbers = sorted({entry["attempt"] for entry in calls if entry["attempt"]} | {activity.attempt})
    if waiting:
        numbers = [number for number in numbers if number < activity.attempt]
    made = [_attempt(activity, number, [one for one in calls if one["attempt"] == number]) for number in numbers]
    for attempt, following in zip(made, [*made[1:], None], strict=True):
        if following is not None:
            attempt.backoff = max(0.0, following.began - (attempt.ended or following.began))
        elif waiting and activity.next_attempt is not None:
            attempt.message = activity.earlier
            attempt.backoff = max(0.0, activity.next_attempt - (attempt.ended or activity.next_attempt))
        attempt.began -= zero
        if attempt.ended is not None:
            attempt.ended -= zero
        yield attempt


def _attempt(activity: Activity, number: int, calls: Sequence[LedgerCall]) -> Attempt:
    if number == activity.attempt and activity.next_attempt is None:
        began = activity.began or (calls[0]["at"] if calls else activity.scheduled)
        outcome = activity.failure or activity.outcome
        return Attempt(activity.name, number, began, activity.ended, outcome, activity.message)
    began = calls[0]["at"] if calls else activity.scheduled
    ended = max((one["at"] + (one["duration_s"] or 0) for one in calls), default=began)
    message = activity.earlier if number == activity.attempt - 1 else ""
    return Attempt(activity.name, number, began, ended, "failed", message)


def _call(entry: LedgerCall, zero: float) -> SeenCall:
    return SeenCall(
        service=entry["service"],
        operation=entry["operation"],
        number=entry["call"],
        attempt=entry["attempt"],
        at=entry["at"] - zero,
        rule=entry["rule"],
        fault=entry["fault"],
        status=entry["status"],
        duration_s=entry["duration_s"],
        also_faults=tuple(entry.get("also_faults", ())),
    )
