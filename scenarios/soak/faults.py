"""What goes wrong in a soak, and how a try-on has to end by it."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

from app.policies import IMAGE_RETRY, ML_RETRY

SHARE = 0.05
"""Of all calls to services; which ones is decided by the fakes' seed."""
FAULT: dict[str, Any] = {"kind": "status", "status": 503}
SERVICES = ("image_manipulator", "birefnet", "sam3", "a100")


class Call(NamedTuple):
    """One call in a fake's ledger, in the order in which they came."""

    service: str
    operation: str
    attempt: int
    fault: bool


def implied_status(calls: Iterable[Call], *, other_a100: bool = False) -> str:
    """Return the end that the faults of one try-on imply: a step that used up its attempts fails it.

    Args:
        calls: those of one try-on.
        other_a100: whether there is a second A100, which is well.
    """
    hits: Counter[tuple[str, str]] = Counter()
    a100: list[Call] = []
    for call in calls:
        if call.service == "a100":
            a100.append(call)
        elif call.fault:
            # A job's submit and polls share the attempts of one step; the manipulator's two operations do not.
            hits[call.service, "job" if call.operation in {"submit", "poll"} else call.operation] += 1
    hits.update(("a100", step) for step, _ in _failed_on_the_a100(a100, other_a100=other_a100))
    for (service, _), count in hits.items():
        policy = IMAGE_RETRY if service == "image_manipulator" else ML_RETRY
        if count >= policy.maximum_attempts:
            return "FAILED"
    return "COMPLETED"


def _failed_on_the_a100(calls: list[Call], *, other_a100: bool) -> set[tuple[str, int]]:
    """Return step and number of each attempt that failed.

    A server is asked for its health before the work, and once more after work that failed. Whichever is a 503, the
    attempt goes on at another A100 where there is one.
    """
    failed: set[tuple[str, int]] = set()
    painted = not any(call.operation == "refine_mask" for call in calls)
    before = None
    for call in calls:
        step = call.operation if call.operation != "health" else "generate" if painted else "refine_mask"
        if call.fault and call.operation == "health" and other_a100:
            if before is not None and before.fault and before.attempt == call.attempt:
                failed.discard((before.operation, before.attempt))
        elif call.fault:
            failed.add((step, call.attempt))
        painted = painted or (call.operation == "refine_mask" and not call.fault)
        before = call
    return failed
