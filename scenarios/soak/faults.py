"""What goes wrong in a soak, and how a try-on has to end by it."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from app.policies import IMAGE_RETRY, ML_RETRY

SHARE = 0.05
"""Of all calls to services; which ones is decided by the fakes' seed."""
FAULT: dict[str, Any] = {"kind": "status", "status": 503}
SERVICES = ("image_manipulator", "birefnet", "sam3", "a100")


def implied_status(faults: Iterable[tuple[str, str]], *, other_a100: bool = False) -> str:
    """Return the end that the faults of one try-on imply: a step that used up its attempts fails it.

    Args:
        faults: service and operation of each call that the fault hit.
        other_a100: whether there is a second A100, which is well.
    """
    hits: Counter[tuple[str, str]] = Counter()
    for service, operation in faults:
        if operation == "health":
            if other_a100:
                continue
            return "FAILED"  # the only A100 says that it is not online
        # A job's submit and polls share the attempts of one step; the A100's and the manipulator's do not.
        hits[service, "job" if operation in {"submit", "poll"} else operation] += 1
    for (service, _), count in hits.items():
        policy = IMAGE_RETRY if service == "image_manipulator" else ML_RETRY
        if count >= policy.maximum_attempts:
            return "FAILED"
    return "COMPLETED"
