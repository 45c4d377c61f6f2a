"""Plans out of plans: what they begin with, one fault more, and whether the model says that they are worth running."""

import re
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Any

from scenarios.explore.application import Site
from scenarios.explore.tryon.kinds import Kind
from scenarios.model import Story, Undecided, stories
from scenarios.model.clock import SAME
from scenarios.model.faults import contradict
from scenarios.plans import Away, Plan
from scenarios.plans.plan import PlannedAct, PlannedDeparture, PlannedRule, Spot, Stroke
from scenarios.plans.text import written

LONGEST_NAME = 60
ADD = Stroke(points=(Spot(x=0.4, y=0.62), Spot(x=0.6, y=0.64)), mode="add", size=12)
USUAL = {"version", "name", "story"}


def digest(plan: Plan) -> str:
    """Return a short text that differs for plans that differ in more than their words."""
    return blake2b(plan.model_dump_json(exclude=USUAL).encode(), digest_size=6).hexdigest()


def named(plan: Plan) -> Plan:
    """Return the plan with a name and a story that say what is in it."""
    parts = [
        *([] if plan.photo == "near" else [plan.photo]),
        *(["strokes"] if plan.strokes else []),
        *(f"{rule.service}.{rule.operation} {rule.calls or 'always'}: {fault_words(rule)}" for rule in plan.rules),
        *(f"{away.service} away from {away.from_s:g} to {away.until_s} s" for away in plan.around),
        *(loss_words(what, number) for what, number in plan.lost if number),
        *(["with an API key"] if plan.guarded else []),
        *([f"photo refused with {plan.staging.status} {plan.staging.times} times"] if plan.staging else []),
        *(departure_words(each) for each in plan.departures),
        *(_act_words(act) for act in plan.acts),
        *(f"beside {other.story}" for other in plan.beside),
    ]
    story = "; ".join(parts) or "nothing goes wrong"
    slug = re.sub(r"[^a-z0-9]+", "-", story.lower()).strip("-")[:LONGEST_NAME].strip("-")
    return plan.model_copy(update={"name": f"{slug}-{digest(plan)}", "story": story[:1].upper() + story[1:] + "."})


def _act_words(act: PlannedAct) -> str:
    when = f"{act.do} at {act.at}{'' if isinstance(act.at, str) else ' s'}"
    return when + HEARD_WORDS[act.heard]


HEARD_WORDS = {
    "at_once": "",
    "next_heartbeat": ", heard with the next heartbeat",
    "after_the_end": ", which its end overtakes",
}


def loss_words(what: str, number: int) -> str:
    """Return what goes wrong between the gateway and Temporal, in words."""
    if what == "keyless":
        return "first sent without a key, and not taken"
    if what == "refused":
        return f"Temporal then refuses {number} start{'' if number == 1 else 's'}"
    return f"Temporal's first {number} answers to a {what} are lost"


def fault_words(rule: PlannedRule) -> str:
    """Return a fault's kind and its parameters, in words."""
    told = (f"{value}" for name, value in rule.fault.items() if name not in {"kind", "headers", "body"})
    return " ".join((rule.fault["kind"], *told))


def departure_words(departure: PlannedDeparture) -> str:
    """Return how a worker leaves, in words."""
    how = "dies" if departure.drain_s is None else f"drains for {departure.drain_s:g} s"
    return f"worker {how} at {departure.at:g} s, back at {departure.back_at:g} s"


def changed(plan: Plan, **parts: Any) -> Plan:
    """Return a plan with other parts, and the name that goes with them."""
    return named(plan.model_copy(update=parts))


START = Plan(name="start", story="Nothing goes wrong.")


def starts() -> list[Plan]:
    """Return the plans from which all begins: near and far, with and without strokes; polls, the other A100."""
    slow = [
        PlannedRule(service=name, operation="submit", fault={"kind": "job_slow", "seconds": 7}, calls="1")
        for name in ("birefnet", "sam3")
    ]
    return [
        changed(START, photo="far", strokes=(ADD,)),
        named(START),
        changed(START, photo="far"),
        changed(START, strokes=(ADD,)),
        changed(START, photo="far", strokes=(ADD,), rules=tuple(slow)),
        changed(START, strokes=(ADD,), around=(Away(service="a100"),)),
    ]


def with_fault(plan: Plan, site: Site, kind: Kind) -> Plan | None:
    """Return the plan with one fault more at a call; None when a rule is there already that cannot act beside it."""
    service, _, operation = site.operation.partition(".")
    last = "" if kind.calls == 0 else str(site.number + kind.calls - 1)
    calls = str(site.number) if kind.calls == 1 else f"{site.number}-{last}"
    there = [rule for rule in plan.rules if (rule.service, rule.operation, rule.calls) == (service, operation, calls)]
    word = kind.fault["kind"]
    if any(word == rule.fault["kind"] or contradict(rule.fault["kind"], word) for rule in there):
        return None
    rule = PlannedRule(
        service=service, operation=operation, fault=dict(kind.fault), calls=calls, must_fire=kind.must_fire
    )
    return changed(plan, rules=(*plan.rules, rule))


def allowed(plan: Plan) -> list[Story] | None:
    """Return the stories that are allowed for a plan; None when it is not worth running.

    That is one of which the model says nothing, or in which a rule could not fire: the first fault made the second one
    unreachable.
    """
    key = digest(plan)
    if key not in _ALLOWED:
        if len(_ALLOWED) >= MOST_KEPT:
            _ALLOWED.clear()
        _ALLOWED[key] = _allowed(plan)
    return _ALLOWED[key]


MOST_KEPT = 20_000
_ALLOWED: dict[str, list[Story] | None] = {}
"""By digest, as plans are looked at again and again."""


def _allowed(plan: Plan) -> list[Story] | None:
    try:
        told = stories(plan)
    except Undecided:
        return None
    return None if plan.crosses or any(_is_idle(plan, told)) else told


def _is_idle(plan: Plan, told: Sequence[Story]) -> Iterator[bool]:
    """Yield for each part of a plan whether there is one that comes to nothing."""
    taken = [story for story in told if story.status != "REFUSED"]
    needed = [place for place, rule in enumerate(plan.rules) if rule.must_fire]
    yield not all(story.fired[place] for place in needed for story in taken)
    yield bool(plan.staging and plan.rules and not taken)
    yield plan.cancel_at is not None and _comes_too_late(plan, plan.cancel_at, told)
    instants = [act.at for act in plan.acts if not isinstance(act.at, str) and act.do != "cancel"]
    yield any(at >= story.length for at in instants for story in taken)
    yield any(each.at >= story.length for each in plan.departures for story in told)


OVERTAKEN_S = 0.3
"""Virtual seconds for which a try-on goes on at most when its end overtakes a cancel: the gateway waits for Temporal by
the wall's clock, and so not for a whole step."""


def _comes_too_late(plan: Plan, at: float, told: Sequence[Story]) -> bool:
    """Say whether a cancel meets a try-on that has ended, which is an act at the end; or one that goes on for long."""
    if plan.cancel_heard == "after_the_end":
        return any(not at < story.length <= at + OVERTAKEN_S + SAME for story in told)
    return any(at > story.length + SAME for story in told) or all(story.cancel == 409 for story in told)


def as_json(plan: Plan) -> str:
    """Return the plan as it is stored."""
    return written(plan)
