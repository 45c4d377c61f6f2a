"""What goes wrong in a soak by chance, and how a try-on has to end by it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from scenarios.pipeline import SPARES, STEPS, Step, step_of

SHARE = 0.05
"""Of all calls to services; which ones is decided by the fakes' seed."""

UNLUCKY_EVERY = 20
"""One try-on in so many meets a fault that does not go away, so that failures are soaked too."""

Fault = Mapping[str, Any]

UNAVAILABLE: tuple[Fault, ...] = (
    {"kind": "status", "status": 503},
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 429, "retry_after": 1},
    {"kind": "reset"},
    {"kind": "empty"},
    {"kind": "truncate"},
)
GARBAGE: Fault = {"kind": "garbage"}
LATE: Fault = {"kind": "delay", "seconds": 2}
"""Harms nothing."""
JOB_FAILED: Fault = {"kind": "job_failed"}

UNLUCKY: tuple[tuple[str, str, Fault], ...] = tuple(
    (service, operation, fault)
    for fault in (UNAVAILABLE[0], GARBAGE, UNAVAILABLE[3])
    for service, operation in ((step.service, step.work) for step in STEPS)
    if service
)


@dataclass(frozen=True)
class Called:
    """One call that a fake was sent, the second A100's included, and the faults that it met, in their order."""

    service: str
    operation: str
    attempt: int
    faults: tuple[str, ...] = ()

    @property
    def harm(self) -> str | None:
        """The fault that its caller suffers from: the last one that acted is what it sees."""
        return next((fault for fault in reversed(self.faults) if fault not in {LATE["kind"], JOB_FAILED["kind"]}), None)


@dataclass(frozen=True)
class End:
    """How a try-on ends; code and failed step when it is FAILED."""

    status: str
    code: str | None = None
    failed_step: str | None = None


def random_faults(service: str) -> Iterator[tuple[str, Fault, float]]:
    """Yield operation, fault and probability of each chance rule of a service; together they hit SHARE of its calls."""
    faults = [*UNAVAILABLE, GARBAGE, LATE]
    for fault in faults:
        yield "*", fault, SHARE / len(faults)
    for step in STEPS:
        if step.service == service and step.job:
            yield step.work, JOB_FAILED, SHARE


def unlucky(number: int) -> tuple[str, str, Fault] | None:
    """Return service, operation and fault of the try-on with this number, if it is one that meets a lasting fault."""
    turn, rest = divmod(number, UNLUCKY_EVERY)
    return UNLUCKY[turn % len(UNLUCKY)] if rest == UNLUCKY_EVERY - 1 else None


def implied_end(calls: Iterable[Called]) -> End:
    """Return the end that a try-on's calls imply: a step whose attempts all failed fails it, with its last error.

    Args:
        calls: in the order in which they were made.
    """
    steps: dict[Step, dict[int, list[Called]]] = defaultdict(lambda: defaultdict(list))
    for call in calls:
        if (step := step_of(call.service, call.operation)) is not None:
            steps[step][call.attempt].append(call)
    for step, attempts in steps.items():
        # An attempt ends with the first call that fails, unless the other A100 then does the work. A job that was to
        # fail is seen to have failed by a poll that meets no fault of its own, in whichever attempt.
        failed = sum(calls[-1].harm is not None for calls in attempts.values())
        failed += sum(JOB_FAILED["kind"] in call.faults for calls in attempts.values() for call in calls)
        if failed >= step.retry.attempts:
            return End("FAILED", _code(str(step.service), attempts[max(attempts)][-1].harm), step.name)
    return End("COMPLETED")


def _code(service: str, harm: str | None) -> str:
    if harm == GARBAGE["kind"]:
        return f"{service.upper()}_BAD_ANSWER"
    if harm is None:
        return f"{service.upper()}_JOB_FAILED"
    return f"{service.upper()}_{'ERROR' if service in SPARES else 'UNAVAILABLE'}"
