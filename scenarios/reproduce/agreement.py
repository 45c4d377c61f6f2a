"""The model's story of a plan that is guessed, beside what is known: does the plan go the same way?"""

from collections.abc import Sequence
from typing import NamedTuple

from scenarios.model import Story, Undecided, stories
from scenarios.model.story import COMPLETED
from scenarios.plans import Plan
from scenarios.reproduce.facts import Facts, Tried, close, of_story


def story_of(plan: Plan) -> Story | None:
    """Return the story of a plan, one of those that are allowed; None when the model says nothing of it."""
    try:
        return stories(plan)[0]
    except Undecided:
        return None


def goes(plan: Plan, facts: Facts, place: int, known: Tried) -> Story | None:
    """Return the story of a plan when it goes as is known up to an activity, which is known so; None when not."""
    story = story_of(plan)
    tried = of_story(story).tried if story else ()
    if not _so_far(tried, facts, place) or not known.agrees(tried[place]):
        return None
    return story if known.outcome == COMPLETED or close(tried[place].took_s, known.took_s) else None


class Missing(NamedTuple):
    """The seconds that a plan does not explain: of those until the last attempt, and of that itself where it failed."""

    waited_s: float
    took_s: float


def missing_s(plan: Plan, facts: Facts, place: int, known: Tried) -> Missing | None:
    """Return what a plan does not explain of how long an activity took; None when it goes another way."""
    story = story_of(plan)
    tried = of_story(story).tried if story else ()
    if not _so_far(tried, facts, place) or not known.came_to_the_same(tried[place]):
        return None
    took_s = 0.0 if known.outcome == COMPLETED else known.took_s - tried[place].took_s
    return Missing(known.waited_s - tried[place].waited_s, took_s)


def _so_far(tried: Sequence[Tried], facts: Facts, place: int) -> bool:
    """Say whether a story comes as far as an activity, and goes as is known until then."""
    return len(tried) > place and all(one.agrees(tried[before]) for before, one in enumerate(facts.tried[:place]))
