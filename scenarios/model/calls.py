"""One call to a service, as the application has to make and to judge it: deadline, status, shape."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scenarios.model.choices import Choices
from scenarios.model.clock import SAME, ModelClock
from scenarios.model.faults import NOBODY, UNREACHED, WITHOUT_ANSWER, Reply
from scenarios.model.numbers import RETRY_AFTER_MOST
from scenarios.model.services import Met, Services
from scenarios.model.story import Call, Story
from scenarios.pipeline import service_of
from scenarios.plans import Plan


class Failure(Exception):  # noqa: N818 - it is no error: it is what an attempt comes to
    """An attempt fails.

    Attributes:
        code: of the API (docs/errors.md).
        final: whether no other attempt follows.
        retry_after: seconds that the service asked for.
        offline: whether nobody could be reached at all.
    """

    def __init__(
        self, code: str, *, final: bool = False, retry_after: float | None = None, offline: bool = False
    ) -> None:
        super().__init__(code)
        self.code = code
        self.final = final
        self.retry_after = retry_after
        self.offline = offline


@dataclass
class Telling:
    """A story that is being told: the plan, the world that it is in, and what was told so far."""

    plan: Plan
    clock: ModelClock
    choices: Choices
    services: Services
    story: Story
    pictures: dict[str, str] = field(default_factory=dict)
    """For each picture of the try-on that later steps work on the word for it."""
    hidden: set[str] = field(default_factory=set)
    """The words for pictures under names that say nothing of the try-on: no ledger shows that they are read."""


@dataclass(frozen=True)
class AttemptUnderWay:
    """An attempt that is under way: its number, by when the services have to have answered, and its own end."""

    number: int
    deadline: float
    end: float


CODES: Mapping[str, Mapping[str, str]] = {
    service: {
        "unavailable": f"{prefix}_UNAVAILABLE",
        "timeout": f"{prefix}_TIMEOUT",
        "rejected": f"{prefix}_REJECTED",
        "bad": f"{prefix}_BAD_ANSWER",
        "failed": f"{prefix}_JOB_FAILED",
    }
    for service, prefix in (("image_manipulator", "IMAGE_MANIPULATOR"), ("birefnet", "BIREFNET"), ("sam3", "SAM3"))
} | {
    # An A100 that is online while its calls fail is in error; unavailable is one that is offline, and final
    # (specification, Retry Policies: non_retryable_error_types).
    "a100": {
        "unavailable": "A100_ERROR",
        "timeout": "A100_TIMEOUT",
        "rejected": "A100_REJECTED",
        "bad": "A100_BAD_ANSWER",
    }
}
OFFLINE = "A100_UNAVAILABLE"

BUSY = {408, 425, 429}
"""Statuses under 500 after which another attempt may go better (docs/api.md promises no more than "retried")."""

SHAPES: Mapping[str, Mapping[str, tuple[type, bool]]] = {
    "resize": {
        "resized_uri": (str, True),
        "original_width": (int, True),
        "original_height": (int, True),
        "new_width": (int, True),
        "new_height": (int, True),
    },
    "zoom_check": {"recommend_bg_removal": (bool, True), "zoom_level": (float, True)},
    "submit": {"job_id": (str, True)},
    "poll": {"status": (str, True), "result_uri": (str, False), "mask_uri": (str, False)},
    "health": {"status": (str, True)},
    "refine_mask": {"refined_mask_uri": (str, True)},
    "generate": {
        "result_base64": (str, True),
        "result_gemini_base64": (str, False),
        "fidelity_viz_base64": (str, False),
        "fidelity_viz_gemini_base64": (str, False),
        "metrics": (dict, True),
        "metrics_gemini": (dict, False),
    },
}
"""For each operation its answer's fields, their types, and whether they must be there and not be null (specification,
External Services You Need to Call)."""
COSTS_GPU = {"refine_mask", "generate"}
"""An answer of another shape would come again, and cost the GPU again (docs/api.md): final after one call."""


def call(
    telling: Telling,
    step: AttemptUnderWay,
    service: str,
    operation: str,
    truth: dict[str, Any],
    *,
    until: float | None = None,
) -> Reply:
    """Make one call, let its time pass, and return an answer that is as agreed.

    Args:
        telling: the story.
        step: the attempt that makes it.
        service: whose address, as rules name it.
        operation: what is asked.
        truth: the JSON that it would be answered.
        until: the deadline, when it is a sooner one than the attempt's.

    Raises:
        Failure: one of the service's errors.
    """
    reply = asked(telling, step, service, operation, truth, until=until)
    return judged(service, operation, reply)


def asked(
    telling: Telling,
    step: AttemptUnderWay,
    service: str,
    operation: str,
    truth: dict[str, Any],
    *,
    until: float | None = None,
) -> Reply:
    """Make one call and let its time pass; return whatever came.

    Raises:
        Failure: nothing came by the deadline, or the connection broke.
    """
    codes = CODES[service_of(service)]
    limit = step.deadline if until is None else min(until, step.deadline)
    met = begin(telling, step, service, operation, limit=limit, late=codes["timeout"])
    reply = telling.services.answer(met, truth)
    wait(telling, reply.after, limit, codes["timeout"])
    unanswered(codes, reply)
    return reply


def unanswered(codes: Mapping[str, str], reply: Reply) -> None:
    """Let a call fail that no answer came to.

    Raises:
        Failure: none came.
    """
    if reply.how in WITHOUT_ANSWER:
        code = codes["timeout" if reply.how == UNREACHED else "unavailable"]
        raise Failure(code, offline=reply.how == NOBODY)


def begin(
    telling: Telling,
    step: AttemptUnderWay | None,
    service: str,
    operation: str,
    *,
    limit: float,
    late: str,
    key: str | None = None,
) -> Met:
    """Begin a call, write it down, and return the rules that it meets.

    Raises:
        Failure: `late`, when there is no time left for it.
    """
    if telling.clock.now >= limit:
        raise Failure(late)
    telling.clock.point()
    now = telling.clock.now
    number, met = telling.services.called(service, operation, now)
    attempt = step.number if step is not None else None
    words = WORKS_ON.get(operation, ()) if step is not None else ()
    works_on = tuple(telling.pictures[word] for word in words if word in telling.pictures)
    telling.story.calls.append(Call(service, operation, number, now, attempt, works_on, key))
    telling.story.met |= {(f"{service}.{operation}", number, each.kind) for each in met}
    return met


WORKS_ON = {
    "resize": ("upload",),
    "zoom_check": ("resized",),
    "submit": ("subject",),
    "refine_mask": ("subject", "mask"),
    "generate": ("resized", "final mask"),
}
"""Which pictures an operation is given (specification, Workflow Logic)."""


def wait(telling: Telling, seconds: float, limit: float, late: str) -> None:
    """Let the time of a call pass.

    Raises:
        Failure: its deadline came first. When both come at one instant, either may.
    """
    left = limit - telling.clock.now
    if seconds > left + SAME or (
        abs(seconds - left) <= SAME and telling.choices.either("answer", "deadline") != "answer"
    ):
        telling.clock.passes(left)
        raise Failure(late)
    telling.clock.passes(seconds)


def judged(service: str, operation: str, reply: Reply) -> Reply:
    """Return an answer that is as agreed.

    Raises:
        Failure: what its status or its shape comes to.
    """
    codes = CODES[service_of(service)]
    if reply.status == 404 and reply.of_a_host:
        raise Failure(codes["unavailable"])
    if reply.status >= 500 or reply.status in BUSY:
        raise Failure(codes["unavailable"], retry_after=capped(reply.retry_after))
    if reply.status >= 400:
        raise Failure(codes["rejected"], final=True)
    if reply.status >= 300 or reply.json is None:
        raise Failure(codes["bad"])
    if problem := _misshapen(operation, reply.json):
        raise Failure(codes["bad"], final=operation in COSTS_GPU and problem == "shape")
    return reply


def capped(seconds: float | None) -> float | None:
    """Return what is left of a Retry-After."""
    return None if seconds is None else min(seconds, RETRY_AFTER_MOST)


def _misshapen(operation: str, json: dict[str, Any]) -> str | None:
    """Return `shape` for a field that is missing or of another type, `null` for one that must not be, else None."""
    found = None
    for name, (kind, required) in SHAPES[operation].items():
        value = json.get(name)
        if value is None:
            if required:
                found = "shape" if name not in json else found or "null"
        elif not isinstance(value, (int, float) if kind is float else kind):
            return "shape"
        if found == "shape":
            return found
    return found
