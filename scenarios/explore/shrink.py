"""Make a failing plan small: take away and simplify while it still fails for the same reason."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic

from scenarios.explore.application import Application, PlanT, Seen, Simpler

SIDE_BY_SIDE = 12
MOST_RUNS = 240


@dataclass
class Shrunk(Generic[PlanT]):
    """The smallest plan that was found, what it showed, and what is different in the nearest plans that pass."""

    plan: PlanT
    seen: Seen
    runs: int = 0
    passes: list[str] = field(default_factory=list)
    """In words, each completing "... it passes"."""


def shrink(
    application: Application[PlanT],
    plan: PlanT,
    seen: Seen,
    *,
    run: Callable[[Sequence[PlanT]], list[Seen]],
    most: int = MOST_RUNS,
) -> Shrunk[PlanT]:
    """Return the smallest plan with the same cause.

    Args:
        application: says what is simpler.
        plan: one that failed.
        seen: what it showed.
        run: runs plans; the explorer's, so that a run is never made twice.
        most: runs at most.
    """
    best = Shrunk(plan, seen)
    tried = {application.digest(plan)}
    going = True
    while going and best.runs < most:
        going = False
        best.passes = []
        candidates = list(application.simpler(best.plan))
        for first in range(0, len(candidates), SIDE_BY_SIDE):
            part = candidates[first : first + SIDE_BY_SIDE]
            outcomes = run([each.plan for each in part])
            best.runs += len(part)
            if smaller := _first_alike(application, part, outcomes, seen.cause, tried):
                best.plan, best.seen = smaller
                going = True
                break
            best.passes += [
                each.how for each, outcome in zip(part, outcomes, strict=True) if outcome.verdict == "passed"
            ]
            if best.runs >= most:
                break
    return best


def _first_alike(
    application: Application[PlanT], part: Sequence[Simpler], outcomes: Sequence[Seen], cause: str, tried: set[str]
) -> tuple[PlanT, Seen] | None:
    for each, outcome in zip(part, outcomes, strict=True):
        digest = application.digest(each.plan)
        if outcome.verdict == "failed" and outcome.cause == cause and digest not in tried:
            tried.add(digest)
            return each.plan, outcome
    return None
