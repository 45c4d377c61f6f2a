"""Plans out of plans: one fault more, one act more, a little simpler, or drawn by chance."""

import re
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from itertools import cycle
from random import Random
from typing import Any, Literal

from scenarios.explore.application import Simpler, Site
from scenarios.explore.tryon.kinds import Kind, kinds
from scenarios.model import Story, Undecided, stories
from scenarios.model.faults import contradict
from scenarios.photos import PHOTOS
from scenarios.pipeline import OPERATIONS
from scenarios.plans import Act, Away, Plan
from scenarios.plans.plan import PlannedRule, Point, Spot, Stroke, written

LONGEST_NAME = 60
GOOD_PHOTOS = ("near", "far", "sideways", "grey", "png", "png-alpha", "progressive")
BAD_PHOTOS = ("half", "text", "one-pixel")
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
        *(f"{rule.service}.{rule.operation} {rule.calls or 'always'}: {_fault(rule)}" for rule in plan.rules),
        *(f"{away.service} away from {away.from_s:g} to {away.until_s} s" for away in plan.around),
        *(f"{act.do} at {act.at}{'' if isinstance(act.at, str) else ' s'}" for act in plan.acts),
        *(f"beside {other.story}" for other in plan.beside),
    ]
    story = "; ".join(parts) or "nothing goes wrong"
    slug = re.sub(r"[^a-z0-9]+", "-", story.lower()).strip("-")[:LONGEST_NAME].strip("-")
    return plan.model_copy(update={"name": f"{slug}-{digest(plan)}", "story": story[:1].upper() + story[1:] + "."})


def _fault(rule: PlannedRule) -> str:
    told = (f"{value}" for name, value in rule.fault.items() if name not in {"kind", "headers", "body", "bytes"})
    return " ".join((rule.fault["kind"], *told))


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
    needed = [place for place, rule in enumerate(plan.rules) if rule.must_fire]
    if not all(all(story.fired[place] for place in needed) for story in told if story.status != "REFUSED"):
        return None
    if plan.cancel_at is not None and all(story.cancel == 409 for story in told):
        return None  # it would meet a try-on that has ended, which is an act at the end
    return told


# ---------------------------------------------------------------- acts
def acts(plan: Plan) -> Iterator[tuple[str, Plan]]:
    """Yield plans in which the user does something more, and a word for what."""
    told = allowed(plan)
    if not told:
        return
    if plan.cancel_at is None:
        yield from _cancels(plan, told[0])
    for do in DOES:
        for at in ("accepted", "end"):
            if (do, at) != ("cancel", "accepted") and not any((act.do, act.at) == (do, at) for act in plan.acts):
                yield f"{do}-{at}", changed(plan, acts=(*plan.acts, Act.model_validate({"do": do, "at": at})))
    for doing, instant in zip(cycle(DOES[:-1]), _beside(told), strict=False):
        yield f"{doing}-at-an-instant", changed(plan, acts=(*plan.acts, Act(do=doing, at=instant)))
    if not plan.beside:
        yield "another-beside", changed(plan, beside=(BESIDE_IT,))
    if not plan.around:
        yield from _absences(plan, told[0])


DOES: tuple[Literal["status", "repeat", "repeat_other", "wait", "events", "cancel"], ...] = (
    "status",
    "repeat",
    "repeat_other",
    "wait",
    "events",
    "cancel",
)
BESIDE_IT = Plan(name="beside", story="Another at the same time.", photo="far", strokes=(ADD,))


def _beside(told: Sequence[Story]) -> list[float]:
    """Return instants at and beside each boundary that all stories come to."""
    shortest = min(story.length for story in told)
    around = {round(each + off, 3) for each in _instants(told[0]) for off in (-0.5, 0, 0.5)}
    return sorted(at for at in around if 0 <= at < shortest)


def _cancels(plan: Plan, story: Story) -> Iterator[tuple[str, Plan]]:
    """Cancel at and beside each boundary; in each call, which is made longer for it; in the backoff after it."""
    instants = sorted({round(each, 3) for each in _instants(story)})
    for instant in instants:
        for at in (instant - 0.5, instant, instant + 0.5):
            if 0 <= at < story.length:
                yield "cancel-at-a-boundary", _cancelled(plan, at)
    for call in story.calls:
        site = Site(call.name, call.number)
        late = with_fault(plan, site, Kind({"kind": "delay", "seconds": 2 if call.operation == "health" else 6}))
        broken = with_fault(plan, site, Kind({"kind": "status", "status": 503}))
        if late:
            yield "cancel-in-a-call", _cancelled(late, call.at + 1)
        if broken:
            yield "cancel-in-a-backoff", _cancelled(broken, call.at + 0.5)


def _instants(story: Story) -> Iterator[float]:
    for attempt in story.attempts:
        yield from (attempt.began, attempt.ended)
    for call in story.calls:
        yield call.at


def _cancelled(plan: Plan, at: float) -> Plan:
    return changed(plan, acts=(*plan.acts, Act(do="cancel", at=round(at, 3))))


def _absences(plan: Plan, story: Story) -> Iterator[tuple[str, Plan]]:
    """Have each service be away from its first call on, and from each later one."""
    for service in OPERATIONS:
        at = sorted({call.at for call in story.calls if call.service == service})
        spans = [(0.0, 1.5), (0.0, 12.0), (0.0, None), (1.0, 20.0)]
        spans += [(round(each - at[0], 3), end) for each in at[1:] for end in (round(each - at[0] + 3, 3), None)]
        for begin, end in dict.fromkeys(spans):
            yield f"{service}-away", changed(plan, around=(Away(service=service, from_s=begin, until_s=end),))


# ---------------------------------------------------------------- simpler ones
def simpler(plan: Plan) -> Iterator[Simpler]:
    """Yield plans that are a little simpler: fewer parts first, then earlier calls, then simpler numbers."""
    for field, words in (("rules", "rule"), ("acts", "act"), ("around", "absence"), ("beside", "other try-on")):
        parts: Sequence[Any] = getattr(plan, field)
        for place, part in enumerate(parts):
            rest = (*parts[:place], *parts[place + 1 :])
            yield Simpler(f"without the {_part(part, words)}", changed(plan, **{field: rest}))
    for field, usual in (("strokes", ()), ("points", None), ("photo", "near")):
        if getattr(plan, field) != usual:
            yield Simpler(f"with the usual {field}", changed(plan, **{field: usual}))
    for place, rule in enumerate(plan.rules):
        for how, other in _simpler_rules(rule):
            yield Simpler(how, changed(plan, rules=(*plan.rules[:place], other, *plan.rules[place + 1 :])))
    for place, act in enumerate(plan.acts):
        if not isinstance(act.at, str):
            for at in _rounder(act.at):
                other_act = act.model_copy(update={"at": at})
                yield Simpler(
                    f"with the {act.do} at {at:g} in place of {act.at:g} s",
                    changed(plan, acts=(*plan.acts[:place], other_act, *plan.acts[place + 1 :])),
                )


def _part(part: Any, words: str) -> str:
    if isinstance(part, PlannedRule):
        return f"{_fault(part)} of {part.service}.{part.operation} call {part.calls}"
    return f"{part.do} at {part.at}" if isinstance(part, Act) else words


def _simpler_rules(rule: PlannedRule) -> Iterator[tuple[str, PlannedRule]]:
    what = f"{rule.fault['kind']} of {rule.service}.{rule.operation}"
    if rule.calls and (first := rule.calls.partition("-")[0]) != rule.calls:
        yield f"with the {what} on call {first} alone", rule.but(calls=first)
    if rule.calls and rule.calls.isdigit() and int(rule.calls) > 1:
        earlier = str(int(rule.calls) - 1)
        yield f"with the {what} on call {earlier} in place of {rule.calls}", rule.but(calls=earlier)
    for name in ("retry_after", "headers", "delay"):
        if rule.fault.get(name) is not None:
            fault = {each: value for each, value in rule.fault.items() if each != name}
            yield f"without the {name} of the {what}", rule.but(fault=fault)
    for name in ("seconds", "retry_after"):
        if isinstance(value := rule.fault.get(name), int | float):
            for at in _rounder(float(value)):
                fault = {**rule.fault, name: at}
                yield f"at {at:g} in place of {value:g} s", rule.but(fault=fault)


def _rounder(value: float) -> Iterator[float]:
    for other in (float(int(value)), float(int(value / 2))):
        if 0 < other < value:
            yield other


# ---------------------------------------------------------------- by chance
def drawn(chance: Random) -> Plan:
    """Return a plan of several parts that the model can tell, each with a random subset of kinds."""
    plan = named(START)
    for _ in range(20):
        plan = _drawn(chance)
        if allowed(plan):
            return plan
    return plan


def _drawn(chance: Random) -> Plan:
    plan = START.model_copy(update=_request(chance))
    families = [word for word in ("status", "connection", "time", "job", "picture", "field") if chance.random() < 0.5]
    told = allowed(plan)
    for _ in range(chance.choice((1, 2, 2, 3, 4))):
        if not told or not told[0].calls:
            break
        call = chance.choice(told[0].calls)
        site = Site(call.name, call.number)
        choices = [kind for kind in kinds(call.name) if _family(kind) in families] or kinds(call.name)
        if (more := with_fault(plan, site, chance.choice(choices))) and (next_told := allowed(more)):
            plan, told = more, next_told
    if chance.random() < 0.4 and (more_acts := [other for _, other in acts(plan)]):
        plan = chance.choice(more_acts)
    return named(plan)


def _family(kind: Kind) -> str:
    word = str(kind.fault["kind"])
    if word in {"status", "garbage", "content_type", "extra_field"}:
        return "status"
    if word in {"delay", "hang", "dribble"}:
        return "time"
    if word.endswith(("_field", "_type")):
        return "field"
    first = word.partition("_")[0]
    return {"job": "job", "picture": "picture", "mask": "picture", "base64": "picture"}.get(first, "connection")


def _request(chance: Random) -> dict[str, Any]:
    """Draw what the user sends from all that the API allows, as far as the photos here go."""
    photo = chance.choice(
        (*GOOD_PHOTOS, "near", "far", "far", *([chance.choice(BAD_PHOTOS)] if chance.random() < 0.1 else []))
    )
    parts: dict[str, Any] = {"photo": photo}
    if chance.random() < 0.3:
        parts["points"] = _points(chance, photo)
    if chance.random() < 0.5:
        parts["strokes"] = tuple(_stroke(chance) for _ in range(chance.choice((1, 1, 2, 5))))
    return parts


def _points(chance: Random, photo: str) -> tuple[Point, ...]:
    x, y = PHOTOS[photo].neck
    neck = Point(x=round(x, 4), y=round(y, 4), label=1)
    corners = [(0.0, 0.0), (1.0, 0.0), (0.03, 0.5), (0.97, 0.02)]
    return (neck, *(Point(x=a, y=b, label=0) for a, b in chance.sample(corners, chance.randint(0, 3))))


def _stroke(chance: Random) -> Stroke:
    spots = tuple(
        Spot(x=round(chance.uniform(0.1, 0.9), 4), y=round(chance.uniform(0.1, 0.9), 4))
        for _ in range(chance.choice((1, 2, 3, 8)))
    )
    return Stroke(points=spots, mode=chance.choice(("add", "remove")), size=chance.choice((1, 5, 12, 40.5)))


def as_json(plan: Plan) -> str:
    """Return the plan as it is stored."""
    return written(plan)
