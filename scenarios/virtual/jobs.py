"""What comes to a workflow, translated: each job of an activation, in place."""

from typing import Any

from .holds import Hold
from .run_state import RunState
from .wire import (
    FIRED,
    STORY_HEADER,
    take_ended,
    take_ended_of_failure,
    take_header,
    take_run_failed,
    unpacked,
)


def hear(run: RunState, job: Any) -> list[Hold]:
    """Translate a job; return the holds that end when the workflow has dealt with it.

    A run's time moves to the instant that the job tells.
    """
    kind = job.WhichOneof("variant")
    translate = _JOBS.get(kind)
    return translate(run, getattr(job, kind), job) if translate else []


def _initialized(run: RunState, init: Any, _job: Any) -> list[Hold]:
    take_header(init.headers, STORY_HEADER)
    run.init = init if run.told.policy else None
    return [Hold("begin", run.workflow_id)]


def _signal(run: RunState, signal: Any, job: Any) -> list[Hold]:
    if signal.signal_name == FIRED:
        told = unpacked(signal.input[0])
        run.now = max(run.now, told["at"])
        job.fire_timer.seq = max(told["seq"], 0)
        return [Hold("timer", run.run, told["seq"])]
    run.now = max(run.now, take_header(signal.headers, STORY_HEADER).get("at", 0.0))
    return [Hold("signal", run.workflow_id)]


def _update(run: RunState, update: Any, _job: Any) -> list[Hold]:
    run.now = max(run.now, take_header(update.headers, STORY_HEADER).get("at", 0.0))
    run.updates[update.protocol_instance_id] = update.id
    return [Hold("update", run.workflow_id)]


def _cancel(run: RunState, _cancel: Any, _job: Any) -> list[Hold]:
    return [Hold("cancel", run.workflow_id)]


def _activity_resolved(run: RunState, resolved: Any, _job: Any) -> list[Hold]:
    result = resolved.result
    if result.HasField("completed"):
        run.now = max(run.now, take_ended(result.completed.result))
    elif result.HasField("failed"):
        run.now = max(run.now, take_ended_of_failure(result.failed.failure))
    return [run.activity(resolved.seq)]


def _child_started(run: RunState, resolved: Any, _job: Any) -> list[Hold]:
    started = Hold("child start", run.run, resolved.seq)
    if resolved.HasField("succeeded"):
        return [started]
    child = run.child(resolved.seq)  # it never will begin, nor hear that it is cancelled
    return [started, Hold("begin", child), Hold("cancel", child)]


def _child_resolved(run: RunState, resolved: Any, _job: Any) -> list[Hold]:
    result = resolved.result
    if result.HasField("completed"):
        run.now = max(run.now, take_ended(result.completed.result))
    elif result.HasField("failed"):
        run.now = max(run.now, take_run_failed(result.failed.failure))
    return [Hold("child end", run.run, resolved.seq)]


_JOBS = {
    "initialize_workflow": _initialized,
    "signal_workflow": _signal,
    "do_update": _update,
    "cancel_workflow": _cancel,
    "resolve_activity": _activity_resolved,
    "resolve_child_workflow_execution_start": _child_started,
    "resolve_child_workflow_execution": _child_resolved,
}
