"""What is known of a try-on: what its history tells, and what a story that the model says would have left in one.

A history holds the last failure of each activity, how many attempts there were and when the last one began. So two
try-ons went the same way when their facts agree: activities, attempts, outcomes, codes, the end, and seconds to their
grain. What each attempt before the last two came to is in no history.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from temporalio.api.failure.v1 import Failure
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
CUT_OFF = "WORKER_SHUTDOWN"
"""What an attempt is told to have failed with that its worker cut off on its way out."""
TIMEOUTS = {"HEARTBEAT", "START_TO_CLOSE", "SCHEDULE_TO_CLOSE"}
GRAIN_S, GRAIN_SHARE = 1.5, 0.1
"""How far two durations may be apart: a worker and a server take their moments in real time."""
GRAIN_ATTEMPT_S = 0.5
"""Of these, what each attempt may take until a worker has it."""


class NoTryOnError(Exception):
    """A history cannot be read, or is none of a try-on that has ended. The message says which, and what to do."""


@dataclass(frozen=True)
class Tried:
    """One activity.

    Attributes:
        attempts: how many there were; 0 when the cancel found it waiting, for its first attempt or another: a history
            does not tell how many there were then.
        outcome: of the last one: `completed`, `cancelled`, or the code of its error.
        earlier: the code of the failure before it; None where there was none.
        waited_s: from the first attempt's beginning to the last one's.
        took_s: the last attempt; of one that was found waiting, all of it.
    """

    activity: str
    attempts: int
    outcome: str
    earlier: str | None
    waited_s: float
    took_s: float

    def agrees(self, other: "Tried") -> bool:
        """Say whether this can be the same."""
        return self.came_to_the_same(other) and close(self.waited_s, other.waited_s, GRAIN_ATTEMPT_S * self.attempts)

    def came_to_the_same(self, other: "Tried") -> bool:
        """Say whether this can be the same, however long it took."""
        return (self.activity, self.attempts, self.outcome, self.earlier) == (
            other.activity,
            other.attempts,
            other.outcome,
            other.earlier,
        )


def close(one: float, other: float, grain_s: float = GRAIN_S) -> bool:
    """Say whether two durations are the same to their grain."""
    return abs(one - other) <= max(GRAIN_S, grain_s, GRAIN_SHARE * max(one, other))


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

    @property
    def calm(self) -> bool:
        """Whether it came to its pictures with nothing tried again."""
        return self.status == "COMPLETED" and all(each.attempts == 1 for each in self.tried)

    def way(self) -> list[str]:
        """Return the way that it went, a line for each activity and one for the end."""
        lines = [
            f"{each.activity}: "
            + (f"{each.attempts} attempt{'s' if each.attempts > 1 else ''}, " if each.attempts else "waiting, ")
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


def named(facts: Facts) -> str:
    """Return the name of the scenario that goes as is known."""
    words = [facts.status, facts.code or "", facts.step or ""]
    return re.sub(r"[^a-z0-9]+", "-", "-".join(word for word in words if word).lower())


def of_story(story: Story) -> Facts:
    """Return what would be known of a story."""
    tried = []
    for activity, group in groupby(story.attempts, key=lambda each: each.activity):
        made = list(group)
        last = made[-1]
        unheard = story.unheard and last is story.attempts[-1]
        if story.status == "CANCELLED" and last.outcome not in {COMPLETED, CANCELLED} and not unheard:
            tried.append(Tried(activity, 0, CANCELLED, None, 0.0, story.length - made[0].began))
            continue
        tried.append(
            Tried(
                activity,
                len(made),
                CANCELLED if unheard else _of_timeout(last.outcome),  # as of one that was asked to stop
                _of_timeout(made[-2].outcome) if len(made) > 1 else None,
                last.began - made[0].began,
                last.ended - last.began,
            )
        )
    return Facts(story.status, story.code, story.step, tuple(tried))


def _of_timeout(outcome: str) -> str:
    """Return an outcome as a history has it, which says of no timeout which it was."""
    return TIMED_OUT if outcome in TIMEOUTS else outcome


def read(text: str, where: str) -> Facts:
    """Return the facts of a history in JSON.

    Raises:
        NoTryOnError: it is no JSON, no history, of another workflow, or of one that has not ended.
    """
    return of_history(events_of(text, where), where)


def events_of(text: str, where: str) -> list[HistoryEvent]:
    """Return the events of a history as `temporal workflow show --output json` and Temporal's UI write it.

    Raises:
        NoTryOnError: it is no JSON, or no history.
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
    return list(events)


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
    failures, stopped = _earlier(events), _stopped(events)
    cancels = [
        seconds(event.event_time) - begin
        for event in events
        if event.WhichOneof("attributes") == "workflow_execution_cancel_requested_event_attributes"
    ]
    zoom = next((each for each in found if each.name == "check_zoom" and each.outcome == COMPLETED), None)
    failure = events[-1].workflow_execution_failed_event_attributes.failure
    return Facts(
        how,
        failure_code(failure) if how == "FAILED" else None,
        BY_ACTIVITY[found[-1].name].name if how == "FAILED" and found else None,
        tuple(_tried(each, failures.get(each.number), stopped=each.number in stopped) for each in found),
        max(0.0, cancels[0]) if cancels else None,
        tuple(given.get("mask_points") or ()),
        tuple(given.get("brush_strokes") or ()),
        None if zoom is None else bool(_json(zoom.made).get("recommend_bg_removal")),
    )


def _tried(activity: Activity, earlier: str | None, *, stopped: bool) -> Tried:
    if activity.name not in ACTIVITIES:
        raise NoTryOnError(f"this history has an activity {activity.name!r}, which this version has not")
    if activity.began is None:
        return Tried(
            activity.name, 0, CANCELLED, None, 0.0, (activity.ended or activity.scheduled) - activity.scheduled
        )
    began = activity.began
    outcome = {"completed": COMPLETED, "cancelled": CANCELLED, "timed out": TIMED_OUT}.get(activity.outcome)
    return Tried(
        activity.name,
        activity.attempt,
        CANCELLED if stopped else outcome or code_of(activity.failure),
        earlier,
        began - activity.scheduled if activity.attempt > 1 else 0.0,
        (activity.ended or began) - began,
    )


def _stopped(events: list[HistoryEvent]) -> set[str]:
    """Return the numbers of the activities that were asked to stop; whether one heard before its own end is chance."""
    numbers = {
        event.event_id: event.activity_task_scheduled_event_attributes.activity_id
        for event in events
        if event.HasField("activity_task_scheduled_event_attributes")
    }
    return {
        numbers[event.activity_task_cancel_requested_event_attributes.scheduled_event_id]
        for event in events
        if event.HasField("activity_task_cancel_requested_event_attributes")
    }


def _earlier(events: list[HistoryEvent]) -> dict[str, str]:
    """Return the code of the failure before each activity's last attempt, by the activity's number."""
    numbers: dict[int, str] = {}
    found: dict[str, str] = {}
    for event in events:
        kind = event.WhichOneof("attributes")
        if kind == "activity_task_scheduled_event_attributes":
            numbers[event.event_id] = event.activity_task_scheduled_event_attributes.activity_id
        elif kind == "activity_task_started_event_attributes":
            began = event.activity_task_started_event_attributes
            if began.HasField("last_failure"):
                found[numbers[began.scheduled_event_id]] = failure_code(began.last_failure)
    return found


def failure_code(failure: Failure) -> str:
    """Return the code of a failure in a history; that of a step's timeout where the server made it."""
    return code_of(failure.application_failure_info.type or "StepTimeoutError")


def _json(payloads: Any) -> dict[str, Any]:
    for payload in payloads:
        value = json.loads(payload.data or b"null")
        return value if isinstance(value, dict) else {}
    return {}
