"""What each kind of fault does to an answer and to what a poll sees of a job (docs/fakes.md, Faults)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import fakes.faults  # noqa: F401 - their kinds
from fakes.kit.faults import kinds

ANSWERED = "answered"
BROKEN = "broken"
NOBODY = "refused"
UNRESOLVED = "its name is not found"
UNREACHED = "no connection came about"
NEVER_ASKED = frozenset({NOBODY, UNRESOLVED, UNREACHED})
WITHOUT_ANSWER = frozenset({BROKEN, *NEVER_ASKED})

Json = dict[str, Any]
Fault = Mapping[str, Any]

NAME_KINDS = {"mask_foreign", "result_named", "result_format", "source_named"}
PICTURE_KINDS = NAME_KINDS | {
    "picture_truncated",
    "picture_size",
    "picture_empty",
    "picture_garbage",
    "picture_heavy",
    "picture_no_alpha",
    "cutout_empty",
    "cutout_full",
    "cutout_mode",
    "picture_unchanged",
    "picture_format",
    "mask_empty",
    "mask_full",
    "mask_inverted",
    "mask_values",
}
OWN = "its own"
"""A result under the name that belongs to it; any other leads nowhere that is read."""
ANOTHERS = "another's"
"""A result under the name of another try-on."""
SAME = 1e-9


@dataclass(frozen=True)
class Matched:
    """A rule that a call meets: its fault, its place in the plan, which call it is, and how long after the first."""

    fault: Fault
    rule: int
    number: int
    since: float

    @property
    def kind(self) -> str:
        """The fault's kind."""
        kind: str = self.fault["kind"]
        return kind


@dataclass
class Reply:
    """What one call comes to.

    Attributes:
        how: answered, broken off, refused, or not even sent, since the name is not found or no connection comes about.
        after: seconds that it takes; infinite when it never comes.
        silence: the longest of them without a byte, when it comes in pieces; all of them when None.
        json: the answer, None when it is no JSON.
        of_a_host: whether the body is a text, as hosts answer that have no such app.
        bodiless: whether there is no body, which nothing can damage.
        size: how many bytes a body has that stands in a rule; None for a service's own, which are many.
        worked: whether the service did its work.
        replaced: whether something else was answered in the place of what it had to say.
        elsewhere: whether the answer waits at another place, to which a 303 leads.
        lies: the faults in the work that it leads to.
    """

    how: str = ANSWERED
    after: float = 0.0
    silence: float | None = None
    status: int = 200
    retry_after: float | None = None
    json: Json | None = None
    of_a_host: bool = False
    bodiless: bool = False
    size: int | None = None
    worked: bool = True
    replaced: bool = False
    elsewhere: bool = False
    lies: tuple[Matched, ...] = ()


@dataclass
class Job:
    """A job at a service: when it was submitted, when it is ready, its result's field, and what is wrong with it."""

    submitted: float
    ready: float
    result: str
    faults: tuple[Matched, ...] = ()

    @property
    def lies(self) -> tuple[Matched, ...]:
        """The picture faults in its result."""
        return tuple(each for each in self.faults if each.kind in PICTURE_KINDS)

    def is_ready(self, now: float) -> bool:
        """Say whether it is done by now."""
        return now >= self.ready - SAME


@cache
def contradict(one: str, other: str) -> bool:
    """Say whether faults of two kinds cannot act on one call (docs/fakes.md): the first of them acts."""
    known = kinds()
    return known[one].model_construct(kind=one).contradicts(known[other].model_construct(kind=other)) is not None


# ---------------------------------------------------------------- jobs
def seen_of_job(fault: Fault, truth: Json | None, job: Job, now: float) -> Json | None:
    """Return what a fault makes of what a poll sees now, None for 404."""
    kind = fault["kind"]
    return _JOBS[kind](fault, truth, job, now) if kind in _JOBS else truth


def _failed(_fault: Fault, truth: Json | None, job: Job, now: float) -> Json | None:
    return {"status": "failed"} if job.is_ready(now) else truth


def _forgotten(fault: Fault, truth: Json | None, job: Job, now: float) -> Json | None:
    return None if now - job.submitted >= fault.get("seconds", 0) else truth


def _late(fault: Fault, truth: Json | None, job: Job, now: float) -> Json | None:
    return None if now - job.submitted < fault.get("seconds", 3) else truth


def _flapping(fault: Fault, truth: Json | None, job: Job, now: float) -> Json | None:
    odd = int((now - job.submitted) / fault.get("period", 2)) % 2
    return {"status": fault.get("status", "failed")} if odd else truth


_JOBS: Mapping[str, Callable[[Fault, Json | None, Job, float], Json | None]] = {
    "job_stuck": lambda _fault, _truth, _job, _now: {"status": "processing"},
    "job_failed": _failed,
    "job_lost": _forgotten,
    "job_late": _late,
    "job_flapping": _flapping,
    "queue": lambda fault, truth, job, now: (
        {"status": fault.get("status", "queued")} if now - job.submitted < fault.get("seconds", 30) - SAME else truth
    ),
    "job_no_result": lambda _fault, truth, _job, _now: {"status": truth["status"]} if truth else None,
    "job_foreign": lambda _fault, truth, job, _now: (
        truth | {job.result: ANOTHERS} if truth and truth.get(job.result) else truth
    ),
    "job_unknown_status": lambda fault, truth, _job, _now: {
        **(truth or {}),
        "status": fault.get("status", "sleeping"),
    },
}
JOB_KINDS = {*_JOBS, "job_slow"}
