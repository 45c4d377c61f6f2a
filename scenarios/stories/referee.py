"""What virtual time says beside Temporal's own clock: which runs can be compared, and where two of them differ."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from scenarios.histories import seconds
from scenarios.stories.run import Run
from scenarios.virtual import Attempt

LONGEST_S = 5.0
"""An attempt that waits for longer inside itself takes real time there that nobody has."""
GAP_S = 0.5
"""So far the gaps between attempts may differ."""

_ENDS_TASK = {
    EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
    EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED,
    EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT,
}


@dataclass
class SeenAttempt:
    """An attempt by Temporal's clock.

    Attributes:
        outcome: as `Attempt` has it.
        after: seconds from the end of the attempt before to the instant at which this one was due; None for a first.
    """

    activity: str
    number: int
    outcome: str = "running"
    after: float | None = None


def unfit(run: Run) -> str | None:
    """Say why a run of virtual time cannot be told by Temporal's clock; None if it can."""
    if run.status == "REFUSED":
        return "nothing is started: there is no time to tell"
    if any(not isinstance(act.at, str) for each in (run.scenario, *run.scenario.beside) for act in each.acts):
        return "something but a cancel is done at an instant: only one instant of a workflow is skipped to"
    if any(each.virtual_alone for each in (run.scenario, *run.scenario.beside)):
        return "what goes wrong around worker and gateway (docs/exploring.md: in virtual time alone) is not had there"
    longest = max(run.timeline.attempts, key=_length, default=None)
    if longest is None or _length(longest) <= LONGEST_S:
        return None
    return f"attempt {longest.number} of {longest.activity} waits for {_length(longest):.0f} s inside itself"


def differences(virtual: Run, run: Run, attempts: Sequence[SeenAttempt]) -> Iterator[str]:
    """Yield a line for each difference between a run of virtual time and one by Temporal's clock.

    Args:
        virtual: the run of virtual time.
        run: the other.
        attempts: of the other.
    """
    for name, end in {
        "status": (virtual.status, run.status),
        "code": (virtual.error.get("code"), run.error.get("code")),
        "failed step": (virtual.error.get("failedStep"), run.error.get("failedStep")),
    }.items():
        if end[0] != end[1]:
            yield f"{name}: {end[0]} in virtual time, {end[1]} by Temporal's clock"
    own = virtual.timeline.attempts
    courses = [[(each.activity, each.number, each.outcome) for each in side] for side in (own, attempts)]
    if courses[0] != courses[1]:
        yield f"attempts: {_told(courses[0])} in virtual time, {_told(courses[1])} by Temporal's clock"
        return
    idle = iter(pauses(run.history.events if run.history else ()))
    next(idle, None)  # before the first one nothing can pass
    for (before, attempt), other in zip(pairwise(own), attempts[1:], strict=True):
        gap = attempt.began - (before.ended if before.ended is not None else before.began)
        seen = next(idle) if other.after is None else other.after
        if abs(gap - seen) > GAP_S:
            yield (
                f"before attempt {attempt.number} of {attempt.activity}: {gap:.2f} s in virtual time, {seen:.2f} s by "
                "Temporal's clock"
            )


def pauses(events: Sequence[HistoryEvent]) -> list[float]:
    """Return how long a workflow waited by itself before it scheduled each of its activities, in seconds.

    It counts from the end of the activity before, without the workflow's own tasks: no time is skipped in those, and
    they take as long as the machine is busy.
    """
    found: list[float] = []
    since = task = seconds(events[0].event_time) if events else 0.0
    for event in events:
        at = seconds(event.event_time)
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED:
            task = at
        elif event.event_type in _ENDS_TASK:
            since += at - task
        elif event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            found.append(at - since)
        elif "ACTIVITY_TASK" in EventType.Name(event.event_type) and "STARTED" not in EventType.Name(event.event_type):
            since = at
    return found


def _told(course: Sequence[tuple[str, int, str]]) -> str:
    return ", ".join(f"{activity} {number} {outcome}" for activity, number, outcome in course) or "none"


def _length(attempt: Attempt) -> float:
    return (attempt.ended if attempt.ended is not None else attempt.began) - attempt.began
