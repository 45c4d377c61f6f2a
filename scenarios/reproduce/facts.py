"""What is known of a try-on: what its history tells, and what a story that the model says would have left in one.

A history holds the last failure of each activity, how many attempts there were and when the last one began. So two
try-ons went the same way when their facts agree: activities, attempts, outcomes, codes, the end, and seconds to their
grain. What each attempt before the last two came to is in no history.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory

from scenarios.histories import Activity, activities, seconds, status
from scenarios.model import Story
from scenarios.model.observed import code_of
from scenarios.model.story import CANCELLED, COMPLETED
from scenarios.pipeline import ACTIVITIES, BY_ACTIVITY

WORKFLOW_TYPE = "JewelryGenerationWorkflow"
"""Specification, Temporal Workflow."""
TIMED_OUT = "STEP_TIMEOUT"
GRAIN_S, GRAIN_SHARE = 1.5, 0.1
"""How far two durations may be apart: a worker and a server take their moments in real time."""


class NoTryOnError(Exception):
    """A history cannot be read, or is none of a try-on that has ended. The message says which, and what to do."""


@dataclass(frozen=True)
class Tried:
    """One activity.

    Attributes:
        attempts: how many there were.
        outcome: of the last one: `completed`, `cancelled`, or the code of its error.
        earlier: the code of the failure before it; None where there was none.
        waited_s: from the first attempt's beginning to the last one's.
        took_s: the last attempt.
    """

    activity: str
    attempts: int
    outcome: str
    earlier: str | None
    waited_s: float
    took_s: float

    def agrees(self, other: "Tried") -> bool:
        """Say whether this can be the same."""
        return (self.activity, self.attempts, self.outcome, self.earlier) == (
            other.activity,
            other.attempts,
            other.outcome,
            other.earlier,
        ) and close(self.waited_s, other.waited_s)


def close(one: float, other: float) -> bool:
    """Say whether two durations are the same to their grain."""
    return abs(one - other) <= max(GRAIN_S, GRAIN_SHARE * max(one, other))


@dataclass(frozen=True)
class Facts:
    """What is known of a try-on. Instants are seconds since its first activity was scheduled.

    Attributes:
        status, code, step: how it ended.
        tried: its activities in their order.
        cancel_at: when it was cancelled; None when nobody did.
        points, strokes: what the user drew, as the workflow was given it.
        far: whether the background was to be removed; None when nobody came to ask.
    """

    status: str
    code: str | None
    step: str | None
    tried: tuple[Tried, ...]
    cancel_at: float | None = None
    points: tuple[Mapping[str, Any], ...] = ()
    strokes: tuple[Mapping[str, Any], ...] = ()
    far: bool | None = None

    def way(self) -> list[str]:
        """Return the way that it went, a line for each activity and one for the end."""
        lines = [
            f"{each.activity}: {each.attempts} attempt{'s' if each.attempts > 1 else ''}, "
            + (f"after {each.earlier} and {each.waited_s:.0f} s " if each.earlier else "")
            + f"{each.outcome} after {each.took_s:.0f} s"
            for each in self.tried
        ]
        return [*lines, " ".join(word for word in (self.status, self.code, self.step) if word)]


def differs(known: Facts, seen: Facts) -> list[str]:
    """Return where a try-on went another way than the one that is known."""
    found = []
    for place, (one, other) in enumerate(zip(known.tried, seen.tried, strict=False)):
        if not one.agrees(other) or (one.outcome != COMPLETED and not close(one.took_s, other.took_s)):
            found.append(f"{seen.way()[place]}; in production {known.way()[place]}")
    if len(known.tried) != len(seen.tried):
        found.append(f"{len(seen.tried)} activities; in production {len(known.tried)}")
    if (known.status, known.code, known.step) != (seen.status, seen.code, seen.step):
        found.append(f"the end is {seen.way()[-1]}; in production {known.way()[-1]}")
    return found


def of_story(story: Story) -> Facts:
    """Return what would be known of a story."""
    tried = []
    for activity, group in groupby(story.attempts, key=lambda each: each.activity):
        made = list(group)
        last = made[-1]
        tried.append(
            Tried(
                activity,
                len(made),
                last.outcome,
                made[-2].outcome if len(made) > 1 else None,
                last.began - made[0].began,
                last.ended - last.began,
            )
        )
    return Facts(story.status, story.code, story.step, tuple(tried))


def read(text: str, where: str) -> Facts:
    """Return the facts of a history as `temporal workflow show --output json` and Temporal's UI write it.

    Raises:
        NoTryOnError: it is no JSON, no history, of another workflow, or of one that has not ended.
    """
    try:
        data = json.loads(text)
    except ValueError as error:
        raise NoTryOnError(f"{where}: is no JSON: {error}; `temporal workflow show --output json` writes it") from error
    if isinstance(data, dict) and isinstance(data.get("history"), dict):  # as some tools wrap it
        data = data["history"]
    if not isinstance(data, dict) or not isinstance(data.get("events"), list) or not data["events"]:
        raise NoTryOnError(f"{where}: has no `events`: is it the whole of `temporal workflow show --output json`?")
    try:
        events = WorkflowHistory.from_json("read", data).events
    except Exception as error:  # protobuf and the SDK have several ways to say that something is no event
        raise NoTryOnError(f"{where}: an event of it cannot be read: {error}") from error
    return of_history(list(events), where)


def of_history(events: list[HistoryEvent], where: str) -> Facts:
    """Return the facts of a history's events.

    Raises:
        NoTryOnError: it is of another workflow, or of one that has not ended.
    """
    started = events[0].workflow_execution_started_event_attributes
    if started.workflow_type.name != WORKFLOW_TYPE:
        kind = started.workflow_type.name or "something that does not begin with its start"
        raise NoTryOnError(f"{where}: is the history of {kind}, not of a {WORKFLOW_TYPE}")
    how = status(events)
    if how in {"RUNNING", "TERMINATED", "TIMED OUT"}:
        why = {"RUNNING": "has not ended: export it again once it has"}.get(
            how, f"was ended from outside ({how.lower()}): no service did that, and nothing can be told again of it"
        )
        raise NoTryOnError(f"{where}: this try-on {why}")
    given = _json(started.input.payloads)
    found = activities(events)
    begin = found[0].scheduled if found else seconds(events[0].event_time)
    failures = _earlier(events)
    cancels = [
        seconds(event.event_time) - begin
        for event in events
        if event.WhichOneof("attributes") == "workflow_execution_cancel_requested_event_attributes"
    ]
    zoom = next((each for each in found if each.name == "check_zoom" and each.outcome == COMPLETED), None)
    failure = events[-1].workflow_execution_failed_event_attributes.failure.application_failure_info
    return Facts(
        how,
        failure.type or None if how == "FAILED" else None,
        BY_ACTIVITY[found[-1].name].name if how == "FAILED" and found else None,
        tuple(_tried(each, failures.get(each.number)) for each in found),
        max(0.0, cancels[0]) if cancels else None,
        tuple(given.get("mask_points") or ()),
        tuple(given.get("brush_strokes") or ()),
        None if zoom is None else bool(_json(zoom.made).get("recommend_bg_removal")),
    )


def _tried(activity: Activity, earlier: str | None) -> Tried:
    if activity.name not in ACTIVITIES:
        raise NoTryOnError(f"this history has an activity {activity.name!r}, which this version has not")
    began = activity.began if activity.began is not None else activity.scheduled
    outcome = {"completed": COMPLETED, "cancelled": CANCELLED, "timed out": TIMED_OUT}.get(activity.outcome)
    return Tried(
        activity.name,
        activity.attempt,
        outcome or code_of(activity.failure),
        code_of(earlier) if earlier else None,
        began - activity.scheduled if activity.attempt > 1 else 0.0,
        (activity.ended or began) - began,
    )


def _earlier(events: list[HistoryEvent]) -> dict[str, str]:
    """Return the type of the failure before each activity's last attempt, by the activity's number."""
    numbers: dict[int, str] = {}
    found: dict[str, str] = {}
    for event in events:
        kind = event.WhichOneof("attributes")
        if kind == "activity_task_scheduled_event_attributes":
            numbers[event.event_id] = event.activity_task_scheduled_event_attributes.activity_id
        elif kind == "activity_task_started_event_attributes":
            began = event.activity_task_started_event_attributes
            if began.HasField("last_failure"):
                failure = began.last_failure.application_failure_info.type
                found[numbers[began.scheduled_event_id]] = failure or "StepTimeoutError"
    return found


def _json(payloads: Any) -> dict[str, Any]:
    for payload in payloads:
        value = json.loads(payload.data or b"null")
        return value if isinstance(value, dict) else {}
    return {}
