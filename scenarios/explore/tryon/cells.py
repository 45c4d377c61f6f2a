"""What is new in a story: its behaviours, and the places on the map that it reaches."""

from collections.abc import Iterable, Iterator
from itertools import product

from scenarios.explore.application import Cell
from scenarios.explore.tryon.kinds import kinds
from scenarios.model.story import CANCELLED, COMPLETED, Attempt, Story
from scenarios.pipeline import OPERATIONS, STEPS

FAULTS = "operation and call and fault"
CODES = "step and error code"
STATES = "state and act"
FOLLOWED = "attempt and what followed"
MANY = 3
"""From this call on they are one column."""
ENDED = "ended"


def behaviours(story: Story) -> frozenset[str]:
    """Return the behaviours in a story: step, attempt, outcome, what followed; and what each faulty call led to."""
    found = {f"{each.activity} {each.number} {each.outcome} -> {what}" for each, what in _followed(story)}
    found |= {f"{operation} {min(call, MANY)} {fault} -> {_next(story)}" for operation, call, fault in story.met}
    firsts = [replies[0] for replies in story.replies if not replies[0].act.startswith(BY_THE_WALL)]
    return frozenset(found | {f"{first.act}: {first.http_status} {first.status}" for first in firsts})


BY_THE_WALL = "wait_through"
"""An act whose answer is no behaviour: how far a try-on comes in a second of wall time is the machine's."""


def _next(story: Story) -> str:
    return story.code or story.status


def cells(story: Story) -> frozenset[Cell]:
    """Return the places on the map that a story reaches."""
    found: set[Cell] = {(FAULTS, operation, _call(call), fault) for operation, call, fault in story.met}
    if story.code:
        found.add((CODES, story.step or "the request", story.code))
    if story.cancel is not None:
        found.add((STATES, _state(story), "cancel"))
    for replies in story.replies:
        do, _, at = replies[0].act.partition(" at ")
        state = {"end": story.status.lower(), "start": "being started"}.get(at, "accepted")
        found.add((STATES, state, do))
    for attempt, what in _followed(story):
        outcome = attempt.outcome if attempt.outcome in {COMPLETED, CANCELLED} else "failed"
        found.add((FOLLOWED, f"{attempt.activity} {attempt.number}", f"{outcome}, {what}"))
    return frozenset(found)


def _call(number: int) -> str:
    return str(number) if number < MANY else f"{MANY}+"


def _state(story: Story) -> str:
    """Return where a cancel met a try-on: in which step, or between its attempts."""
    if story.cancel != 200:
        return ENDED
    last = story.attempts[-1] if story.attempts else None
    if last is None:
        return "not begun"
    step = next(step.name for step in STEPS if step.activity == last.activity)
    return f"in {step}" if last.outcome == CANCELLED or story.unheard else f"after an attempt of {step}"


def _followed(story: Story) -> Iterator[tuple[Attempt, str]]:
    for place, attempt in enumerate(story.attempts):
        after = story.attempts[place + 1] if place + 1 < len(story.attempts) else None
        if after is None:
            yield attempt, story.status
        else:
            yield attempt, "the next attempt" if after.activity == attempt.activity else "the next step"


def grid(reachable: Iterable[Cell]) -> frozenset[Cell]:
    """Return every cell there is: all operations, calls and kinds; all steps and codes, states and acts, attempts."""
    words = [{cell[place] for cell in reachable if cell[0] == STATES} for place in (1, 2)]
    codes = {cell[2] for cell in reachable if cell[0] == CODES}
    operations = [f"{service}.{name}" for service, names in OPERATIONS.items() for name in names if name != "head"]
    faults = {
        (FAULTS, operation, call, str(kind.fault["kind"]))
        for operation in operations
        for call in ("1", "2", f"{MANY}+")
        for kind in kinds(operation)
    }
    steps = {(CODES, step.name, code) for step in STEPS for code in codes}
    states = {(STATES, *pair) for pair in product(*words)}
    attempts = {
        (FOLLOWED, f"{step.activity} {number}", what)
        for step in STEPS
        for number in range(1, step.retry.attempts + 1)
        for what in ("completed, the next step", "failed, the next attempt", "failed, FAILED", "cancelled, CANCELLED")
    }
    return frozenset({*faults, *steps, *states, *attempts, *reachable})
