"""Where a try-on's time went: each activity's attempts and seconds, read from the workflow's history."""

from dataclasses import dataclass

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.client import WorkflowHistory


@dataclass
class Share:
    """One activity: how long from its scheduling to its end, in seconds, and how many attempts that took."""

    activity: str
    seconds: float = 0.0
    attempts: int = 1


def durations(history: WorkflowHistory) -> list[Share]:
    """Return a share for each activity that ended, in the order in which they were scheduled."""
    shares: dict[int, Share] = {}
    scheduled: dict[int, float] = {}
    for event in history.events:
        if event.HasField("activity_task_scheduled_event_attributes"):
            name = event.activity_task_scheduled_event_attributes.activity_type.name
            shares[event.event_id] = Share(name)
            scheduled[event.event_id] = _seconds(event.event_time)
        elif event.HasField("activity_task_started_event_attributes"):
            started = event.activity_task_started_event_attributes
            shares[started.scheduled_event_id].attempts = started.attempt
        elif event.HasField("activity_task_completed_event_attributes"):
            of = event.activity_task_completed_event_attributes.scheduled_event_id
            shares[of].seconds = _seconds(event.event_time) - scheduled[of]
        elif event.HasField("activity_task_failed_event_attributes"):
            of = event.activity_task_failed_event_attributes.scheduled_event_id
            shares[of].seconds = _seconds(event.event_time) - scheduled[of]
    return list(shares.values())


def total(history: WorkflowHistory) -> float:
    """Return the seconds from the first event to the last."""
    return _seconds(history.events[-1].event_time) - _seconds(history.events[0].event_time)


def _seconds(instant: Timestamp) -> float:
    return instant.seconds + instant.nanos / 1e9
