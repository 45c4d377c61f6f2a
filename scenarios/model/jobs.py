"""Jobs: submitted, polled every two seconds, given up after two minutes. The one place for what a poll may cost."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from scenarios.model.calls import CODES, AttemptUnderWay, Failure, Telling, begin, judged, unanswered, wait
from scenarios.model.choices import Undecided
from scenarios.model.clock import WorkerLeft
from scenarios.model.faults import Job, Matched
from scenarios.model.numbers import JOB_GRACE, JOB_LIMIT, JOB_LOST_AFTER, LAST_POLL, POLL, POLL_EVERY

Result = tuple[tuple[Matched, ...], str]
"""The lies in a job's result, and whose that is."""
Look = Callable[[AttemptUnderWay, tuple[Matched, ...], str], None]
"""Looks at a result."""


@dataclass
class Ticket:
    """A job whose id is known, and when it was submitted."""

    job: Job
    submitted: float


@dataclass
class Desk:
    """Where an activity's attempts keep the ticket of the job that goes on, and the number of that job."""

    activity: str
    ticket: Ticket | None = None
    number: int = 1

    def drop(self) -> None:
        """Forget the job: the next submit makes another one."""
        self.ticket = None
        self.number += 1


def run_job(
    telling: Telling,
    step: AttemptUnderWay,
    service: str,
    field: str,
    *,
    desk: Desk,
    look: Look,
) -> None:
    """Take a job to a result that is as it must be; one whose ticket is known is resumed.

    Raises:
        Failure: one of the service's errors.
    """
    told: float | None = None
    try:
        if desk.ticket is None:
            desk.ticket = _submit(telling, step, service, field, f"{desk.activity}-{desk.number}")
            told = telling.clock.now
            telling.clock.beats()
            telling.clock.passes(min(POLL_EVERY, _left(telling, desk.ticket)))
        lies, result = _follow(telling, step, service, field, desk)
    except WorkerLeft as left:
        if left.silently and told is not None and not telling.clock.knows(told):
            desk.ticket = None
        raise
    try:
        look(step, lies, result)
    except Failure as failure:
        if failure.code == CODES[service]["bad"]:
            desk.drop()
        raise


def _submit(telling: Telling, step: AttemptUnderWay, service: str, field: str, key: str) -> Ticket:
    """Have a job made. One that is not answered yet is waited for: it may use the job's time."""
    submitted = telling.clock.now
    codes = CODES[service]
    limit = min(step.deadline, submitted + JOB_LIMIT)
    met = begin(telling, step, service, "submit", limit=limit, late=codes["timeout"], key=key)
    job = telling.services.submitted(met, submitted, field)
    reply = telling.services.answer(met, {"job_id": "a job"})
    wait(telling, reply.after, limit, codes["timeout"])
    unanswered(codes, reply)
    judged(service, "submit", reply)
    if not reply.worked:
        raise Undecided("a job of which nobody knows")
    return Ticket(job, submitted)


def _follow(telling: Telling, step: AttemptUnderWay, service: str, field: str, desk: Desk) -> Result:
    """Poll until the job has ended, and return what it leads to. Nothing but its end or its loss makes another one.

    When its time is over, what the last poll brought is how it ended.
    """
    codes = CODES[service]
    assert desk.ticket is not None
    ticket = desk.ticket
    unknown = 0
    while True:
        pause, late = POLL_EVERY, codes["timeout"]
        try:
            state = _poll(telling, step, service, ticket)
        except Failure as failure:
            late = failure.code if failure.code in {codes["timeout"], codes["bad"]} else codes["unavailable"]
            pause, unknown = max(pause, failure.retry_after or 0), 0
        else:
            old_enough = telling.clock.now - ticket.submitted >= JOB_GRACE
            unknown = unknown + 1 if state is None and old_enough else 0
            if state is not None:
                word, result = state["status"].lower(), state.get(field)
                if result and word not in {"processing", "failed"}:
                    return ticket.job.lies, str(result)
                if word in {"completed", "failed"}:
                    desk.drop()
                    raise Failure(codes["failed" if word == "failed" else "bad"])
                late = codes["timeout" if word == "processing" else "bad"]
        left = _left(telling, ticket)
        if unknown and (unknown == JOB_LOST_AFTER or not left):
            desk.drop()
            raise Failure(codes["failed"])
        if not left:
            raise Failure(late, final=True)
        telling.clock.passes(min(pause, left))


def _left(telling: Telling, ticket: Ticket) -> float:
    """Return the seconds until a job's time is over."""
    left = ticket.submitted + JOB_LIMIT - telling.clock.now
    return left if left > 0.001 else 0.0


def _poll(telling: Telling, step: AttemptUnderWay, service: str, ticket: Ticket) -> dict[str, Any] | None:
    """Return what a poll says of a job, None for 404.

    Raises:
        Failure: it says nothing of the job.
    """
    codes = CODES[service]
    now, left = telling.clock.now, _left(telling, ticket)
    limit = min(step.deadline, now + (min(POLL, left) or LAST_POLL))
    met = begin(telling, step, service, "poll", limit=limit, late=codes["timeout"])
    truth, shown = telling.services.seen(ticket.job, met, telling.clock.now)
    reply = telling.services.answer(met, truth)
    for each in shown if not reply.replaced else ():
        telling.services.acted(each)
    wait(telling, reply.after, limit, codes["timeout"])
    unanswered(codes, reply)
    if reply.status == 404 and not reply.of_a_host:
        return None
    try:
        return judged(service, "poll", reply).json
    except Failure:
        if reply.status == 202:  # an answer without a state, by which some hosts say that it goes on
            return {"status": "processing"}
        raise
