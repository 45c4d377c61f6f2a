"""The cancel of a try-on, and what kept the activity busy that it met."""

from collections.abc import Iterator
from typing import Any

from scenarios.model.story import COMPLETED
from scenarios.plans import Plan
from scenarios.plans.plan import PlannedAct, PlannedRule
from scenarios.reproduce.agreement import goes, story_of
from scenarios.reproduce.calls import calls_of
from scenarios.reproduce.facts import Facts, Tried
from scenarios.reproduce.failures import MOST_EARLIER, explained
from scenarios.reproduce.guess import Guess, with_rules

WAITED_FOR: tuple[dict[str, Any], ...] = (
    {"kind": "status", "status": 503},
    {"kind": "status", "status": 503, "retry_after": 60},
    {"kind": "hang"},
)
"""What makes an activity wait for its next attempt."""


def with_cancel(plan: Plan, facts: Facts) -> Plan:
    """Return the plan with the cancel, as long after the beginning of the step that it met as in production."""
    assert facts.cancel_at is not None
    story = story_of(plan)
    before = sum(each.waited_s + each.took_s for each in facts.tried[:-1])
    began = [each.began for each in story.attempts if each.activity == facts.tried[-1].activity] if story else []
    at = max(0.0, (began[0] if began else 0.0) + facts.cancel_at - before)
    return plan.model_copy(update={"acts": (PlannedAct(do="cancel", at=round(at, 3)),)})


def cancelled(plan: Plan, facts: Facts, place: int) -> Plan:
    """Return the plan with the cancel and what kept the activity busy until then."""
    known = facts.tried[place]
    if known.attempts == 0:
        return _waiting(plan, facts, place)
    calm = Tried(known.activity, known.attempts, COMPLETED, known.earlier, known.waited_s, 0)
    befores = [Guess(())]
    if known.attempts > 1:
        befores = explained(plan, facts, place, calm)[:MOST_EARLIER]
    for before in befores:
        base = before.put_in(plan)
        held = [Guess(()), *(Guess((rule,)) for rule in _holding(base, known))]
        for guess in held:
            tried = with_cancel(with_rules(base, guess.rules), facts)
            if goes(tried, facts, place, known) is not None:
                return tried
    return with_cancel(plan, facts)


def _waiting(plan: Plan, facts: Facts, place: int) -> Plan:
    """Return the plan in which the cancel finds an activity between two attempts: its service is busy until then."""
    for name, number in calls_of(plan, facts.tried[place].activity):
        service, _, operation = name.partition(".")
        for fault in WAITED_FOR:
            busy = PlannedRule(service=service, operation=operation, fault=dict(fault), calls=f"{number}-")
            tried = with_cancel(with_rules(plan, (busy,)), facts)
            if goes(tried, facts, place, facts.tried[place]) is not None:
                return tried
    return with_cancel(plan, facts)


def _holding(plan: Plan, known: Tried) -> Iterator[PlannedRule]:
    """Yield rules that keep the last attempt of an activity busy for longer than it was."""
    for name, number in calls_of(plan, known.activity):
        service, _, operation = name.partition(".")
        for seconds in (known.took_s + 6, known.took_s + 2):
            fault: dict[str, Any] = {"kind": "delay", "seconds": round(seconds, 1)}
            yield PlannedRule(service=service, operation=operation, fault=fault, calls=str(number))
        if operation == "submit":
            slow = {"kind": "job_slow", "seconds": round(known.took_s + 6, 1)}
            yield PlannedRule(service=service, operation=operation, fault=slow, calls=str(number))
