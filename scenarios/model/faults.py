"""What each kind of fault does to an answer and to what a poll sees of a job (docs/fakes.md, Faults)."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from scenarios.model.choices import Undecided

ANSWERED = "answered"
BROKEN = "broken"
NOBODY = "refused"

Json = dict[str, Any]
Fault = Mapping[str, Any]

PICTURE_KINDS = {
    "picture_truncated",
    "picture_size",
    "picture_no_alpha",
    "picture_unchanged",
    "picture_format",
    "mask_empty",
    "mask_full",
    "mask_inverted",
    "mask_foreign",
    "mask_values",
}
WIDE = 1_000_000
"""Bytes that no answer in a plan has."""
SAME = 1e-9


@dataclass
class Reply:
    """What one call comes to.

    Attributes:
        how: answered, broken off, or refused.
        after: seconds that it takes; infinite when it never comes.
        silence: the longest of them without a byte, when it comes in pieces; all of them when None.
        json: the answer, None when it is no JSON.
        of_a_host: whether the body is a text, as hosts answer that have no such app.
        lie: the kind of the fault in the work that it leads to.
    """

    how: str = ANSWERED
    after: float = 0.0
    silence: float | None = None
    status: int = 200
    retry_after: float | None = None
    json: Json | None = None
    of_a_host: bool = False
    lie: str | None = None


@dataclass
class Job:
    """A job at a service: when it was submitted, when it is ready, its result's field, and what is wrong with it."""

    submitted: float
    ready: float
    result: str
    fault: Fault | None = None
    rule: int | None = None

    @property
    def lie(self) -> str | None:
        """The kind of the picture fault in its result."""
        kind = self.fault["kind"] if self.fault else None
        return kind if kind in PICTURE_KINDS else None

    def is_ready(self, now: float) -> bool:
        """Say whether it is done by now."""
        return now >= self.ready - SAME


# ---------------------------------------------------------------- answers
def is_of_work(fault: Fault) -> bool:
    """Say whether a fault is one of a job or a picture, which leaves the answer itself as it is."""
    return fault["kind"] in JOB_KINDS or fault["kind"] in PICTURE_KINDS


def changes_a_field(fault: Fault) -> bool:
    """Say whether a fault acts only when the answer has a field that it changes."""
    return fault["kind"] in {"missing_field", "null_field", "wrong_type", "gemini_null"}


def damaged(fault: Fault, truth: Json) -> Reply:
    """Return what a call is answered that would be answered with that JSON.

    Raises:
        Undecided: the fault is one that the model does not know.
    """
    kind = fault["kind"]
    if kind in _FIELDS:
        return Reply(json=_FIELDS[kind](fault, truth))
    if kind in _CALLS:
        return _CALLS[kind](fault, truth)
    raise Undecided(f"the model does not know the fault {kind}")


def _status(fault: Fault, _truth: Json) -> Reply:
    body = fault.get("body")
    json = {"detail": "the fake was told to fail"} if body is None else body if isinstance(body, dict) else None
    delay = _seconds(fault.get("delay") or 0)
    text = body if isinstance(body, str) else "" if json is not None else str(body)
    of_a_host = bool(text.strip()) and not text.lstrip().startswith("{")
    wait = _retry_after(fault)
    return Reply(after=delay, status=fault["status"], retry_after=wait, json=json, of_a_host=of_a_host)


def _dribble(fault: Fault, truth: Json) -> Reply:
    size, pause = fault.get("bytes", 1), fault.get("pause", 1.0)
    if size >= WIDE:
        return Reply(after=float(pause), json=truth)
    if size == 1 and pause >= 5:
        return Reply(
            after=math.inf, silence=float(pause)
        )  # the shortest answer has some 40 bytes: longer than any deadline
    raise Undecided("how long a dribble takes depends on the length of the answer")


_CALLS: Mapping[str, Callable[[Fault, Json], Reply]] = {
    "status": _status,
    "delay": lambda fault, truth: Reply(after=_seconds(fault.get("seconds", 1.0)), json=truth),
    "hang": lambda _fault, _truth: Reply(after=math.inf),
    "reset": lambda _fault, _truth: Reply(BROKEN),
    "empty": lambda _fault, _truth: Reply(BROKEN),
    "answer_lost": lambda _fault, _truth: Reply(BROKEN),
    "truncate": lambda _fault, _truth: Reply(BROKEN),
    "refuse": lambda _fault, _truth: Reply(NOBODY),
    "garbage": lambda _fault, _truth: Reply(),
    "dribble": _dribble,
    "host_gone": lambda _fault, _truth: Reply(status=404, of_a_host=True),
    "not_ready": lambda fault, _truth: Reply(status=202, retry_after=_retry_after(fault)),
}


def in_time(fault: Fault, truth: Json, number: int, since: float) -> Reply | None:
    """Return the answer of a fault that goes by the call's number or by the time of a key; None for any other.

    Args:
        fault: one of a rule.
        truth: what would be answered without it.
        number: which of its operation's calls it is.
        since: seconds since the first call to the service.
    """
    if fault["kind"] == "cold_start":
        return Reply(after=max(0.0, float(fault.get("seconds", 60)) - since), json=truth)
    if fault["kind"] == "poll_errors":
        good = int(fault.get("good", 0))
        if good < number <= good + int(fault.get("number", 3)):
            return Reply(status=int(fault.get("status", 502)))
        return Reply(json=truth)
    return None


def _without(fault: Fault, truth: Json) -> Json:
    return {name: value for name, value in truth.items() if name != fault["field"]}


def _null(fault: Fault, truth: Json) -> Json:
    return truth | {fault["field"]: None} if fault["field"] in truth else truth


def _other_type(fault: Fault, truth: Json) -> Json:
    name = fault["field"]
    if name not in truth:
        return truth
    return truth | {name: 42 if isinstance(truth[name], str) else "forty-two"}


def _broken_pictures(_fault: Fault, truth: Json) -> Json:
    return {
        name: "broken" if name.endswith("_base64") and value is not None else value for name, value in truth.items()
    }


def _no_gemini(_fault: Fault, truth: Json) -> Json:
    return {name: None if "gemini" in name else value for name, value in truth.items()}


_FIELDS: Mapping[str, Callable[[Fault, Json], Json]] = {
    "missing_field": _without,
    "null_field": _null,
    "wrong_type": _other_type,
    "extra_field": lambda _fault, truth: truth | {"surprise": True},
    "content_type": lambda _fault, truth: truth,
    "base64_broken": _broken_pictures,
    "gemini_null": _no_gemini,
}


def _retry_after(fault: Fault) -> float | None:
    """Return the seconds that a Retry-After asks for, None without a readable one (RFC 9110: whole, or a date)."""
    said = fault.get("retry_after")
    if said is not None:
        return float(said) if float(said).is_integer() else None
    headers = {name.lower(): value for name, value in (fault.get("headers") or {}).items()}
    text = str(headers.get("retry-after", "")).strip()
    if not text or text.isdigit():
        return float(text) if text else None
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.year < 2020:
        return 0.0
    raise Undecided("a date in the future is as far away as the wall clock says")


def _seconds(value: Any) -> float:
    if isinstance(value, int | float):
        return float(value)
    raise Undecided("a distribution of seconds is chance")


# ---------------------------------------------------------------- jobs
def seen_of_job(fault: Fault, truth: Json | None, job: Job, now: float) -> Json | None:
    """Return what a fault makes of what a poll sees now, None for 404."""
    kind = fault["kind"]
    return _JOBS[kind](fault, truth, job, now) if kind in _JOBS else truth


def _failed(_fault: Fault, truth: Json | None, job: Job, now: float) -> Json | None:
    return {"status": "failed"} if job.is_ready(now) else truth


def _lost(fault: Fault, truth: Json | None, job: Job, now: float) -> Json | None:
    return None if now - job.submitted >= fault.get("seconds", 0) else truth


def _late(fault: Fault, truth: Json | None, job: Job, now: float) -> Json | None:
    return None if now - job.submitted < fault.get("seconds", 3) else truth


def _flapping(fault: Fault, truth: Json | None, job: Job, now: float) -> Json | None:
    odd = int((now - job.submitted) / fault.get("period", 2)) % 2
    return {"status": fault.get("status", "failed")} if odd else truth


_JOBS: Mapping[str, Callable[[Fault, Json | None, Job, float], Json | None]] = {
    "job_stuck": lambda _fault, _truth, _job, _now: {"status": "processing"},
    "job_failed": _failed,
    "job_lost": _lost,
    "job_late": _late,
    "job_flapping": _flapping,
    "queue": lambda fault, truth, job, now: (
        {"status": fault.get("status", "queued")} if now - job.submitted < fault.get("seconds", 30) - SAME else truth
    ),
    "job_no_result": lambda _fault, truth, _job, _now: {"status": truth["status"]} if truth else None,
    "job_foreign": lambda _fault, truth, job, _now: (
        truth | {job.result: "another's"} if truth and truth.get(job.result) else truth
    ),
    "job_unknown_status": lambda fault, truth, _job, _now: {
        **(truth or {}),
        "status": fault.get("status", "sleeping"),
    },
}
JOB_KINDS = {*_JOBS, "job_slow"}
