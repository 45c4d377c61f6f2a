"""The model's story of a plan that is guessed, beside what is known: does the plan go the same way?"""

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
    if story is None:
        return None
    tried = of_story(story).tried
    wanted = [*facts.tried[:place], known]
    if len(tried) < len(wanted) or not all(one.agrees(other) for one, other in zip(wanted, tried, strict=False)):
        return None
    return story if known.outcome == COMPLETED or close(tried[place].took_s, known.took_s) else None
