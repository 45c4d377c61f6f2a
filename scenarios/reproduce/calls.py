"""The calls of an activity that a fault may have acted on."""

from scenarios.model import Story
from scenarios.pipeline import ACTIVITIES, BY_ACTIVITY
from scenarios.plans import Plan
from scenarios.reproduce.agreement import story_of


def calls_of(plan: Plan, activity: str) -> list[tuple[str, int]]:
    """Return the calls of an activity's last attempt: operation and number. Of a service, each operation's first."""
    story = story_of(plan)
    last = next((each for each in reversed(story.attempts) if each.activity == activity), None) if story else None
    if story is None or last is None:
        return []
    found: dict[tuple[str, int], None] = {}
    seen = set()
    for call in story.calls[first_call(story, activity) :]:
        if call.at > last.ended:
            break
        if call.name in BY_ACTIVITY[activity].calls and (call.service == "blob" or call.name not in seen):
            seen.add(call.name)
            found[call.name, call.number] = None
    return list(found)


def first_call(story: Story, activity: str) -> int:
    """Return the place of the first call of an activity's last attempt; of an instant it is the order that tells."""
    began = [each.began for each in story.attempts if each.activity == activity][-1]
    before = ACTIVITIES[: ACTIVITIES.index(activity)]
    theirs = {call for each in before for call in BY_ACTIVITY[each].calls} - set(BY_ACTIVITY[activity].calls)
    over = (
        place + 1
        for place, call in enumerate(story.calls)
        if call.at < began or (call.at == began and call.name in theirs)
    )
    return max(over, default=0)


def windows(first: int, attempts: int, *, store: bool) -> list[str]:
    """Return which calls a fault may have acted on: one for each attempt, or, where a call is repeated, more."""
    lengths = [attempts]
    if store:  # it is asked again within an attempt
        lengths += [attempts * tries for tries in (2, 3, 5)] + [attempts - 1 + 5]
    said = [str(first) if length == 1 else f"{first}-{first + length - 1}" for length in dict.fromkeys(lengths)]
    return [*said, f"{first}-"]
