"""A workflow's timeline in real time: from Temporal's history and pending attempts, and the fakes' ledgers.

The history keeps the number of an activity's last attempt and when that began, not the earlier ones. Those are seen
by the calls that they made: each call carries its attempt's number. An earlier attempt that called no fake (an upload)
is not seen.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.client import Client, WorkflowExecutionDescription, WorkflowHistory
from temporalio.service import RPCError, RPCStatusCode

from fakes.kit.client import LedgerCall
from scenarios.console.fakes import Fakes, UnknownError
from scenarios.pipeline import BY_ACTIVITY, step_of
from scenarios.stories.run import Call
from scenarios.world.timelines import Attempt, Happening, Timeline

_ENDS = {
    "activity_task_completed_event_attributes": "completed",
    "activity_task_failed_event_attributes": "failed",
    "activity_task_timed_out_event_attributes": "timed out",
    "activity_task_canceled_event_attributes": "cancelled",
}
_WORKFLOW_ENDS = {
    "workflow_execution_completed_event_attributes": "COMPLETED",
    "workflow_execution_failed_event_attributes": "FAILED",
    "workflow_execution_canceled_event_attributes": "CANCELLED",
    "workflow_execution_terminated_event_attributes": "TERMINATED",
    "workflow_execution_timed_out_event_attributes": "TIMED OUT",
}


@dataclass
class _Activity:
    """One activity as the history has it. Times are Unix seconds."""

    name: str
    number: str
    """Its id within the workflow."""
    scheduled: float
    last_began: float | None = None
    last_number: int = 1
    ended: float | None = None
    outcome: str = "running"
    message: str = ""
    next_attempt: float | None = None
    earlier_failure: str = ""


@dataclass
class Told:
    """A workflow as it is told: its timeline, the calls that it made, and how it stands."""

    timeline: Timeline
    calls: list[Call] = field(default_factory=list)
    status: str = "RUNNING"


async def tell(client: Client, fakes: Fakes, workflow_id: str) -> Told:
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
) -> Told:
    """Put the story together out of what Temporal and the fakes know."""
    began = _seconds(history.events[0].event_time)
    activities = list(_activities(history.events, description.raw_description.pending_activities))
    timeline = Timeline(workflow_id, began=began, now=began)
    story = Told(timeline)
    for event in history.events:
        timeline.now = _seconds(event.event_time)
        for kind, status in _WORKFLOW_ENDS.items():
            if event.HasField(kind):  # type: ignore[arg-type] # its stub wants literals
                story.status = status
        if event.HasField("workflow_execution_cancel_requested_event_attributes"):
            timeline.happenings.append(Happening(timeline.now - began, "cancel asked for"))
    by_activity: dict[str, list[LedgerCall]] = {activity.name: [] for activity in activities}
    for entry in ledger:
        if owner := _owner(entry, activities):
            by_activity[owner].append(entry)
    for activity in activities:
        timeline.attempts += _attempts(activity, by_activity[activity.name], began)
    if story.status == "RUNNING":
        timeline.now = max(timeline.now, time.time())
    story.calls = [_call(entry, began) for entry in ledger if entry["attempt"] is not None]
    return story


def _activities(events: Sequence[HistoryEvent], pending: Sequence[PendingActivityInfo]) -> Iterator[_Activity]:
    found: dict[int, _Activity] = {}
    for event in events:
        at = _seconds(event.event_time)
        if event.HasField("activity_task_scheduled_event_attributes"):
            scheduled = event.activity_task_scheduled_event_attributes
            found[event.event_id] = _Activity(scheduled.activity_type.name, scheduled.activity_id, at)
        elif event.HasField("activity_task_started_event_attributes"):
            started = event.activity_task_started_event_attributes
            activity = found[started.scheduled_event_id]
            activity.last_began, activity.last_number = at, started.attempt
            activity.earlier_failure = started.last_failure.message
        else:
            for kind, outcome in _ENDS.items():
                if event.HasField(kind):  # type: ignore[arg-type] # as above
                    ended: Any = getattr(event, kind)
                    activity = found[ended.scheduled_event_id]
                    activity.ended, activity.outcome = at, outcome
                    if outcome == "failed":
                        activity.outcome = ended.failure.application_failure_info.type or "failed"
                        activity.message = ended.failure.message
    for info in pending:
        for activity in found.values():
            if activity.number == info.activity_id:
                _go_on(activity, info)
    return iter(found.values())


def _go_on(activity: _Activity, info: PendingActivityInfo) -> None:
    """Add what Temporal knows of an activity that has not ended: it runs, or waits for its next attempt."""
    activity.last_number = info.attempt
    activity.earlier_failure = info.last_failure.message
    if info.state == PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED:
        activity.last_began = None
        activity.next_attempt = _seconds(info.scheduled_time) if info.HasField("scheduled_time") else None
    elif info.HasField("last_started_time"):
        activity.last_began = _seconds(info.last_started_time)


def _owner(entry: LedgerCall, activities: Sequence[_Activity]) -> str | None:
    """Return the activity that made a call; for one that several make, the last that had begun by then."""
    own = step_of(entry["service"], entry["operation"])
    if own is not None:
        return own.activity if any(activity.name == own.activity for activity in activities) else None
    call = f"{entry['service']}.{entry['operation']}"
    begun = [
        activity.name
        for activity in activities
        if entry["attempt"] is not None
        and (step := BY_ACTIVITY.get(activity.name)) is not None
        and call in step.calls
        and activity.scheduled <= entry["at"] + 0.05
    ]
    return begun[-1] if begun else None


def _attempts(activity: _Activity, calls: Sequence[LedgerCall], zero: float) -> Iterator[Attempt]:
    """Yield the attempts of an activity: earlier ones by their calls, the last one by the history."""
    waiting = activity.next_attempt is not None and activity.last_number > 1
    numbers = sorted({entry["attempt"] for entry in calls if entry["attempt"]} | {activity.last_number})
    if waiting:
        numbers = [number for number in numbers if number < activity.last_number]
    made = [_attempt(activity, number, [one for one in calls if one["attempt"] == number]) for number in numbers]
    for attempt, following in zip(made, [*made[1:], None], strict=True):
        if following is not None:
            attempt.backoff = max(0.0, following.began - (attempt.ended or following.began))
        elif waiting and activity.next_attempt is not None:
            attempt.message = activity.earlier_failure
            attempt.backoff = max(0.0, activity.next_attempt - (attempt.ended or activity.next_attempt))
        attempt.began -= zero
        if attempt.ended is not None:
            attempt.ended -= zero
        yield attempt


def _attempt(activity: _Activity, number: int, calls: Sequence[LedgerCall]) -> Attempt:
    if number == activity.last_number and activity.next_attempt is None:
        began = activity.last_began or (calls[0]["at"] if calls else activity.scheduled)
        return Attempt(activity.name, number, began, activity.ended, activity.outcome, activity.message)
    began = calls[0]["at"] if calls else activity.scheduled
    ended = max((one["at"] + (one["duration_s"] or 0) for one in calls), default=began)
    message = activity.earlier_failure if number == activity.last_number - 1 else ""
    return Attempt(activity.name, number, began, ended, "failed", message)


def _call(entry: LedgerCall, zero: float) -> Call:
    return Call(
        service=entry["service"],
        operation=entry["operation"],
        number=entry["call"],
        attempt=entry["attempt"],
        at=entry["at"] - zero,
        rule=entry["rule"],
        fault=entry["fault"],
        status=entry["status"],
        duration_s=entry["duration_s"],
    )


def _seconds(instant: Timestamp) -> float:
    return instant.seconds + instant.nanos / 1e9
