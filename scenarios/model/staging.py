"""What becomes of a start whose photo the blob store refuses to the gateway (docs/api.md, docs/errors.md)."""

from scenarios.model.choices import Undecided
from scenarios.model.store import NOT_FOUND, REFUSED, REJECTED, UNAVAILABLE
from scenarios.plans import Plan

QUICK = 2
"""docs/reliability.md: so often the gateway tries again at once, where a server failed."""
SERVER_FAILED = 500
PASSING = {"AccountBeingCreated", "ContainerBeingDeleted"}
"""docs/errors.md: refusals that pass by themselves."""
THERE = "BlobAlreadyExists"


def refused(plan: Plan) -> tuple[int, str] | None:
    """Return the HTTP status and the code with which the start is refused, None when the photo is taken.

    Raises:
        Undecided: the store says that the photo is there, which it is not; or the start is asked for again meanwhile.
    """
    staging = plan.staging
    if staging is None:
        return None
    if staging.code == THERE or plan.lost.of_a_start:
        raise Undecided("a photo that is refused while its start gets lost, or as one that is there")
    if staging.status >= SERVER_FAILED and staging.times <= QUICK:
        return None
    if staging.code in PASSING:
        return 503, UNAVAILABLE
    if staging.status == 404:
        return 503, REJECTED if staging.code == "ContainerNotFound" else NOT_FOUND
    return 503, REJECTED if staging.status in REFUSED else UNAVAILABLE
