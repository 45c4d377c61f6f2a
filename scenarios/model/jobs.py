"""Jobs: submitted, polled every two seconds, given up after two minutes. The one place for what a poll may cost."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from scenarios.model.calls import CODES, Failure, Step, Telling, begin, judged, wait
from scenarios.model.choices import Undecided
from scenarios.model.faults import BROKEN, JOB_KINDS, NOBODY, Job
from scenarios.model.numbers import JOB_CALL, JOB_GRACE, JOB_LIMIT, LAST_POLL, POLL_EVERY

KNOWN_STATUSES = {"processing", "completed", "failed"}
"""Specification, BiRefNet Service, Step 2."""


@dataclass
class Ticket:
    """A job whose id is known, and when it was submitted."""

    job: Job
    submitted: float


@dataclass
class Desk:
    """Where an activity's attempts keep the ticket of the job that goes on."""

    ticket: Ticket | None = None


def run_job(
    telling: Telling, step: Step, service: str, field: str, *, desk: Desk, look: Callable[[Step, str | None], None]
) -> None:
    """Take a job to a result that is as it must be; one whose ticket is known is resumed.

    Raises:
        Failure: one of the service's errors.
    """
    if desk.ticket is None:
        desk.ticket = _submit(telling, step, service, field)
        telling.clock.passes(POLL_EVERY)
    lie = _follow(telling, step, service, field, desk)
    try:
        look(step, lie)
    except Failure as failure:
        if failure.code == CODES[service]["bad"]:
            desk.ticket = None
        raise


def _submit(telling: Telling, step: Step, service: str, field: str) -> Ticket:
    submitted = telling.clock.now
    codes = CODES[service]
    limit = min(step.deadline, submitted + JOB_CALL)
    matched = begin(telling, step, service, "submit", limit=limit, late=codes["timeout"])
    job = telling.services.submitted(matched, submitted, field)
    reply = telling.services.answer(matched, {"job_id": "a job"})
    wait(telling, reply.after, limit, codes["timeout"])
    if reply.how in {NOBODY, BROKEN}:
        raise Failure(codes["unavailable"])
    judged(service, "submit", reply)
    return Ticket(job, submitted)


def _follow(telling: Telling, step: Step, service: str, field: str, desk: Desk) -> str | None:
    """Poll until the job has ended; return the lie in its result."""
    codes = CODES[service]
    assert desk.ticket is not None
    ticket = desk.ticket
    while True:
        state = _poll(telling, step, service, ticket, desk)
        if state is not None and state["status"] == "completed":
            if state.get(field) is None:
                desk.ticket = None
                raise Failure(codes["bad"])
            return "mask_foreign" if state[field] == "another's" else ticket.job.lie
        if state is not None and state["status"] == "failed":
            desk.ticket = None
            raise Failure(codes["failed"])
        left = ticket.submitted + JOB_LIMIT - telling.clock.now
        if left <= 0.001:
            raise Failure(codes["timeout"], final=True)
        telling.clock.passes(min(POLL_EVERY, left))


def _poll(telling: Telling, step: Step, service: str, ticket: Ticket, desk: Desk) -> dict[str, Any] | None:
    """Ask once; None for a job so young that it may not be known yet."""
    codes = CODES[service]
    now = telling.clock.now
    left = ticket.submitted + JOB_LIMIT - now
    limit = min(step.deadline, now + (min(JOB_CALL, left) if left > 0.001 else LAST_POLL))
    try:
        state = _state(telling, step, service, ticket, limit)
    except Failure as failure:
        if failure.code == codes["timeout"] and ticket.submitted + JOB_LIMIT - telling.clock.now <= 0.001:
            raise Failure(codes["timeout"], final=True) from None
        raise
    if state is None:
        if telling.clock.now - ticket.submitted < JOB_GRACE:
            return None
        desk.ticket = None
        raise Failure(codes["failed"])
    if state["status"] not in KNOWN_STATUSES:
        raise Failure(codes["bad"])
    return state


def _state(telling: Telling, step: Step, service: str, ticket: Ticket, limit: float) -> dict[str, Any] | None:
    """Return what a poll says of a job, None for 404."""
    codes = CODES[service]
    matched = begin(telling, step, service, "poll", limit=limit, late=codes["timeout"])
    truth = telling.services.seen(ticket.job, matched, telling.clock.now)
    kind = matched.fault["kind"] if matched else None
    if truth is None and (kind is None or kind in JOB_KINDS):
        return None
    reply = telling.services.answer(matched, truth or {})
    wait(telling, reply.after, limit, codes["timeout"])
    if reply.how in {NOBODY, BROKEN}:
        raise Failure(codes["unavailable"])
    if reply.status == 404 or (truth is None and kind == "delay"):
        return None
    if truth is None and kind != "status":
        raise Undecided(f"{kind} in the answer for a job that is not known")
    return judged(service, "poll", reply).json
