"""A run in virtual time as the history that production would have left, and what two histories are compared by.

A virtual history has the events of a real one, but with the server's wall time and with marks of its own. And where a
user cancels between two attempts, it says how many there were; a real server does not.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from temporalio.api.enums.v1 import TimeoutType
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory

from scenarios.histories import ENDS, WORKFLOW_ENDS, seconds
from scenarios.model.story import CANCELLED, COMPLETED
from scenarios.reproduce.facts import failure_code
from scenarios.stories.run import Run
from scenarios.virtual import Attempt

MARK = "sim-"
"""What virtual time writes into headers and metadata begins so."""
TIMEOUTS = {"HEARTBEAT": "Heartbeat", "START_TO_CLOSE": "StartToClose"}
"""Those after which there is another attempt, and the server's words for them in a list of errors."""
STARTED = "activity_task_started_event_attributes"
ENDING = {*ENDS, STARTED}


def as_production(run: Run) -> WorkflowHistory:
    """Return the history of a virtual run in the form of production: instants of the story, no marks."""
    assert run.history is not None, "the run was looked at inside"
    events = [HistoryEvent.FromString(event.SerializeToString()) for event in run.history.events]
    begin = seconds(events[0].event_time)
    tried = [list(group) for _, group in groupby(run.timeline.attempts, key=lambda each: each.activity)]
    places: dict[int, int] = {}
    found, at = [], 0.0
    for event in events:
        kind = event.WhichOneof("attributes") or ""
        of: Any = getattr(event, kind)
        if kind == "activity_task_scheduled_event_attributes":
            places[event.event_id] = len(places)
            at = max(at, tried[places[event.event_id]][0].began)
            _unmarked(of.header.fields)
        elif kind in ENDING:
            attempts = tried[places[of.scheduled_event_id]]
            if _waited(attempts, run):
                if kind == STARTED:
                    continue
                of.started_event_id = 0
            if kind == STARTED:
                _by_the_server(of.last_failure)
            at = attempts[-1].began if kind == STARTED else max(at, attempts[-1].ended or at)
            for payload in (getattr(of, "result", None) and of.result.payloads) or ():
                _unmarked(payload.metadata)
        elif kind == "workflow_execution_cancel_requested_event_attributes":
            at = max(at, *(each.at for each in run.timeline.happenings if each.what == "cancel"), 0.0)
        elif kind in WORKFLOW_ENDS:
            at = run.timeline.length
        event.event_time.FromNanoseconds(round((begin + at) * 1e9))
        found.append(event)
    return WorkflowHistory(run.workflow_id, found)


def _waited(attempts: Sequence[Attempt], run: Run) -> bool:
    """Say whether the cancel came between two attempts: the last one had failed, and that was not the end."""
    last = attempts[-1]
    failed = run.status == "CANCELLED" and last.outcome not in {COMPLETED, CANCELLED}
    return failed and (last.ended is None or last.ended < run.timeline.length)


def _by_the_server(failure: Failure) -> None:
    """Make a timeout that virtual time says the server's own."""
    said = failure.application_failure_info.type
    name = next((name for name, word in TIMEOUTS.items() if said == f"TemporalTimeout:{word}"), None)
    if name:
        failure.timeout_failure_info.timeout_type = TimeoutType.Value(f"TIMEOUT_TYPE_{name}")  # in place of the other
        failure.source, failure.stack_trace = "Server", ""


def _unmarked(words: Any) -> None:
    for name in [name for name in words if name.startswith(MARK)]:
        del words[name]


def sequence(events: Sequence[HistoryEvent]) -> list[str]:
    """Return what two histories are compared by: an activity's events in words, the cancel, and the end.

    Left out are workflow tasks, workers, ids and instants. An activity that was asked to stop is `cancelled`: whether
    it heard of that before its own end is chance.
    """
    return list(_sequence(events))


def _sequence(events: Sequence[HistoryEvent]) -> Iterator[str]:
    names: dict[int, str] = {}
    asked: set[int] = set()
    for event in events:
        kind = event.WhichOneof("attributes") or ""
        of: Any = getattr(event, kind, None)
        if kind == "activity_task_scheduled_event_attributes":
            names[event.event_id] = of.activity_type.name
            yield f"{of.activity_type.name} scheduled"
        elif kind == STARTED:
            before = failure_code(of.last_failure) if of.HasField("last_failure") else ""
            yield f"{names[of.scheduled_event_id]} attempt {of.attempt}" + (f" after {before}" if before else "")
        elif kind == "activity_task_cancel_requested_event_attributes":
            asked.add(of.scheduled_event_id)
        elif kind in ENDS:
            outcome = CANCELLED if of.scheduled_event_id in asked else ENDS[kind]
            code = f" {failure_code(of.failure)}" if outcome == "failed" else ""
            yield f"{names[of.scheduled_event_id]} {outcome}{code}"
        elif kind == "workflow_execution_cancel_requested_event_attributes":
            yield "cancel requested"
        elif kind in WORKFLOW_ENDS:
            code = f" {failure_code(of.failure)}" if kind == "workflow_execution_failed_event_attributes" else ""
            yield f"{WORKFLOW_ENDS[kind]}{code}"
