"""What a workflow's history in Temporal says: its activities, how long they took, how it stands."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.client import Client, WorkflowHistory

Outcome = Literal["running", "completed", "failed", "timed out", "cancelled"]

ENDS: dict[str, Outcome] = {
    "activity_task_completed_event_attributes": "completed",
    "activity_task_failed_event_attributes": "failed",
    "activity_task_timed_out_event_attributes": "timed out",
    "activity_task_canceled_event_attributes": "cancelled",
}
WORKFLOW_ENDS = {
    "workflow_execution_completed_event_attributes": "COMPLETED",
    "workflow_execution_failed_event_attributes": "FAILED",
    "workflow_execution_canceled_event_attributes": "CANCELLED",
    "workflow_execution_terminated_event_attributes": "TERMINATED",
    "workflow_execution_timed_out_event_attributes": "TIMED OUT",
}


@dataclass
class Activity:
    """One activity. Instants are Unix seconds; a history tells no more of an activity's attempts than its last one.

    Attributes:
        name: its type.
        number: its id within the workflow.
        scheduled, began, ended: when it was put into its queue, its last attempt began, it ended; None: not yet.
        attempt: the number of its last attempt.
        outcome: how it ended.
        failure, message: the type of the failure that it ended with, and its words.
        earlier: the words of the failure before its last attempt.
        next_attempt: when the next attempt begins, while it waits for it.
        given, made: its arguments, and what it returned.
    """

    name: str
    number: str
    scheduled: float
    began: float | None = None
    ended: float | None = None
    attempt: int = 1
    outcome: Outcome = "running"
    failure: str = ""
    message: str = ""
    earlier: str = ""
    next_attempt: float | None = None
    given: Sequence[Payload] = field(default_factory=list)
    made: Sequence[Payload] = field(default_factory=list)


def activities(events: Sequence[HistoryEvent], pending: Sequence[PendingActivityInfo] = ()) -> list[Activity]:
    """Return the activities in the order in which they were scheduled.

    Args:
        events: those of the history. Kinds that are not known count nothing.
        pending: what Temporal's description of the workflow says of those that have not ended.
    """
    found: dict[int, Activity] = {}
    for event in events:
        kind, at = event.WhichOneof("attributes") or "", seconds(event.event_time)
        of: Any = getattr(event, kind, None)  # a server may know more kinds than this SDK
        if kind == "activity_task_scheduled_event_attributes":
            found[event.event_id] = Activity(of.activity_type.name, of.activity_id, at, given=of.input.payloads)
        elif getattr(of, "scheduled_event_id", 0) not in found:
            continue  # no event of an activity, or of one whose beginning is not here
        elif kind == "activity_task_started_event_attributes":
            activity = found[of.scheduled_event_id]
            activity.began, activity.attempt, activity.earlier = at, of.attempt, of.last_failure.message
        elif kind in ENDS:
            _end(found[of.scheduled_event_id], ENDS[kind], at, of)
    for info in pending:
        for activity in found.values():
            if activity.number == info.activity_id:
                _go_on(activity, info)
    return list(found.values())


def _end(activity: Activity, outcome: Outcome, at: float, of: Any) -> None:
    activity.ended, activity.outcome = at, outcome
    if outcome == "completed":
        activity.made = of.result.payloads
    elif outcome == "failed":
        activity.failure, activity.message = of.failure.application_failure_info.type, of.failure.message


def _go_on(activity: Activity, info: PendingActivityInfo) -> None:
    """Add what Temporal knows of an activity that has not ended: it runs, or waits for its next attempt."""
    activity.attempt, activity.earlier = info.attempt, info.last_failure.message
    if info.state == PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED:
        activity.began = None
        activity.next_attempt = seconds(info.scheduled_time) if info.HasField("scheduled_time") else None
    elif info.HasField("last_started_time"):
        activity.began = seconds(info.last_started_time)


def status(events: Sequence[HistoryEvent]) -> str:
    """Return how the workflow stands by these events: RUNNING, or how it ended."""
    return next((WORKFLOW_ENDS[kind] for kind in map(_kind, reversed(events)) if kind in WORKFLOW_ENDS), "RUNNING")


def length(history: WorkflowHistory) -> float:
    """Return the seconds from the first event to the last."""
    return seconds(history.events[-1].event_time) - seconds(history.events[0].event_time)


def seconds(instant: Timestamp) -> float:
    """Return Unix seconds."""
    return instant.seconds + instant.nanos / 1e9


async def export(client: Client, workflow_ids: Iterable[str], folder: Path) -> None:
    """Write each workflow's history into a folder, as `temporal workflow show --output json` does."""
    for workflow_id in workflow_ids:
        write(await client.get_workflow_handle(workflow_id).fetch_history(), folder)


def write(history: WorkflowHistory, folder: Path) -> None:
    """Write a history into a folder, named by its workflow's id."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{history.workflow_id}.json").write_text(history.to_json(), encoding="utf-8")


def _kind(event: HistoryEvent) -> str:
    return event.WhichOneof("attributes") or ""
