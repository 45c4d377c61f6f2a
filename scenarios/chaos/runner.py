"""Runs cases one after another on one site, mends it after each, and looks at the whole at the end."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scenarios.chaos.case import Case
from scenarios.chaos.site import ChaosError, SpoiltError, StruckStack, expect

TIMES = 3
"""How often a case is tried whose fault the machine spoils."""


@dataclass(frozen=True)
class Outcome:
    """What came of a case. `why` is empty when it is as it must be; `seconds` from the start to the end.

    It was tried once, or more often where the machine spoilt the fault: `seconds`, `note` and `why` are the last one's.
    """

    case: Case
    seconds: float
    note: str
    why: str = ""
    tries: int = 1


async def run(site: StruckStack, cases: Sequence[Case], announce: Callable[[Outcome], None]) -> list[Outcome]:
    """Run the cases; each finds every process up and no rule set."""
    outcomes = []
    name = f"{time.time():.0f}"
    for case in cases:
        outcome = await _one(site, case, name)
        announce(outcome)
        outcomes.append(outcome)
    return outcomes


async def _one(site: StruckStack, case: Case, run_name: str, tries: int = 1) -> Outcome:
    tryon = case.try_on(f"{run_name}:{tries}")
    began = time.monotonic()
    note = why = ""
    spoilt = False
    try:
        await case.strike(site, tryon)
        note = await case.check(site, tryon)
    except ChaosError as error:
        why, spoilt = f"{error} (try-on {tryon.id})", isinstance(error, SpoiltError)
    seconds = time.monotonic() - began
    await site.heal()
    if spoilt and tries < TIMES:
        return await _one(site, case, run_name, tries + 1)
    if tries > 1:
        note = f"{note}; tried {tries} times: the machine was too busy".removeprefix("; ")
    return Outcome(case, seconds, note, why, tries)


async def settled(site: StruckStack) -> None:
    """Check that each accepted try-on has ended, and that Temporal knows of no other.

    Raises:
        ChaosError: one is lost, still running, or there twice.
    """
    for workflow_id in site.accepted:
        await site.end(workflow_id, 60)
    known = [found.id async for found in site.temporal.list_workflows()]
    expect(len(known) == len(set(known)), "a try-on ran twice")
    lost, more = set(site.accepted) - set(known), set(known) - set(site.accepted)
    expect(not lost and not more, f"accepted and unknown to Temporal: {lost}; there and never accepted: {more}")
