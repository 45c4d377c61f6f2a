"""The end of a worker, as what explains an attempt: its death, or a drain that cut the attempt off."""

from collections.abc import Iterator
from typing import Any

from scenarios.model.numbers import SILENCE
from scenarios.plans import Plan
from scenarios.plans.plan import PlannedDeparture, PlannedRule
from scenarios.reproduce.agreement import goes, story_of
from scenarios.reproduce.calls import calls_of
from scenarios.reproduce.facts import CUT_OFF, TIMED_OUT, Facts, Tried
from scenarios.reproduce.guess import Guess
from scenarios.reproduce.waits import backoff


def by_worker_end(plan: Plan, facts: Facts, place: int, known: Tried) -> Iterator[Guess]:
    """Yield what explains an attempt by its worker's end, with a call that was late and kept it busy until then."""
    story = story_of(plan)
    made = [each for each in story.attempts if each.activity == known.activity] if story else []
    if not made or known.earlier not in {TIMED_OUT, CUT_OFF}:
        return
    dies = known.earlier == TIMED_OUT
    began, next_began = made[-1].began, made[0].began + known.waited_s
    latest = next_began - backoff(known.activity, len(made)) - began - (SILENCE - 1 if dies else 0)
    soon = 1.0
    for busy_s, back_at in ((latest, 0.0), (soon, next_began)):
        at = round(began + max(busy_s, 0.0), 1)
        left = PlannedDeparture(at=at, back_at=max(back_at, at), drain_s=None if dies else 0.0)
        late: dict[str, Any] = {"kind": "delay", "seconds": round(max(busy_s, 0.0) + 3, 1)}
        held = [
            (PlannedRule(service=name.split(".")[0], operation=name.split(".")[1], fault=late, calls=str(number)),)
            for name, number in calls_of(plan, known.activity)
        ]
        for rules in ((), *held):
            guess = Guess(rules, left)
            if goes(guess.put_in(plan), facts, place, known) is not None:
                yield guess
                return
