"""Which plans could have led to what is known? The model says of each what it would come to; those that agree stay.

An activity after the other: what is known of the activities before is settled when an activity's turn comes, since
faults in one step shift the calls of the next.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from scenarios.model import Story
from scenarios.model.story import CANCELLED
from scenarios.pipeline import BY_ACTIVITY
from scenarios.plans import Plan
from scenarios.plans.plan import PlannedRule, Point, Spot, Stroke
from scenarios.reproduce.agreement import story_of
from scenarios.reproduce.cancel import cancelled, with_cancel
from scenarios.reproduce.facts import Facts, Tried, of_story
from scenarios.reproduce.failures import explained
from scenarios.reproduce.guess import Guess, with_rules
from scenarios.reproduce.waits import SLOW_S

BAD_PHOTO = "half"
"""What stands for a photo that was refused."""


@dataclass
class Inferred:
    """What was found: the likeliest plan, and for each activity in trouble all that explains it as well.

    Attributes:
        missing: activities that nothing explains, with what was known of them.
    """

    plan: Plan
    guesses: dict[str, list[Guess]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    @property
    def ambiguous(self) -> bool:
        """Whether more than one kind of fault fits somewhere."""
        return any(len(found) > 1 for found in self.guesses.values())


def infer(facts: Facts, name: str, latencies: Sequence[PlannedRule] = ()) -> Inferred:
    """Return the plans that could have led to these facts.

    Args:
        facts: what is known.
        name: of the plan.
        latencies: how long calls took that day, where somebody knows.
    """
    inferred = Inferred(with_rules(_start(facts, name), latencies))
    for place, known in enumerate(facts.tried):
        story = story_of(inferred.plan)
        now = of_story(story).tried if story else ()
        if story is None or place >= len(now):
            break  # what was not explained before ends it here
        if known.outcome == CANCELLED:
            inferred.plan = cancelled(inferred.plan, facts, place)
        elif not known.agrees(now[place]):
            found = explained(inferred.plan, facts, place, known)
            if found:
                inferred.guesses[known.activity] = found
                inferred.plan = found[0].put_in(inferred.plan)
            else:
                inferred.missing.append(f"{known.activity}: {facts.way()[place]}")
        elif known.took_s > now[place].took_s + SLOW_S:
            inferred.plan = _slowed(inferred.plan, known, story)
    if not facts.tried:
        inferred.missing.append(
            f"the end: {facts.way()[-1]} before any activity, as without a worker: no plan is like it"
        )
    elif facts.cancel_at is not None and inferred.plan.cancel_at is None:  # between two activities
        inferred.plan = with_cancel(inferred.plan, facts)
    return inferred


def _start(facts: Facts, name: str) -> Plan:
    """Return the plan in which nothing goes wrong, of a stand-in for the photo and what the user drew."""
    photo = "far" if facts.far else "near"
    if facts.code == "INVALID_IMAGE":
        photo = BAD_PHOTO
    return Plan(
        name=name,
        story="As a try-on in production went.",
        photo=photo,
        points=tuple(Point.model_validate(dict(point)) for point in facts.points) or None,
        strokes=tuple(_stroke(stroke) for stroke in facts.strokes),
    )


def _stroke(given: Any) -> Stroke:
    return Stroke(points=tuple(Spot(x=x, y=y) for x, y in given["points"]), mode=given["mode"], size=given["size"])


def _slowed(plan: Plan, known: Tried, story: Story) -> Plan:
    """Return the plan with the step as slow as it was."""
    step = BY_ACTIVITY[known.activity]
    numbers = {call.name: call.number for call in reversed(story.calls)}
    work = f"{step.service}.{step.work}" if step.service else "blob.get"
    service, _, operation = work.partition(".")
    seconds = round(known.took_s, 1)
    fault = {"kind": "job_slow" if step.job else "delay", "seconds": seconds}
    number = next((c.number for c in story.calls if c.name == work and _of(story, known.activity, c.at)), None)
    if number is None or work not in numbers:
        return plan
    slower = with_rules(plan, (PlannedRule(service=service, operation=operation, fault=fault, calls=str(number)),))
    return slower if story_of(slower) is not None else plan


def _of(story: Story, activity: str, at: float) -> bool:
    return any(each.activity == activity and each.began <= at <= each.ended for each in story.attempts)
