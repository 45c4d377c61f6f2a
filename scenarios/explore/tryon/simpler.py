"""Plans that are a little simpler than one, for shrinking what was found."""

from collections.abc import Iterator, Sequence
from typing import Any

from scenarios.explore.application import Simpler
from scenarios.explore.tryon.plans import changed, departure_words, fault_words, loss_words
from scenarios.plans import Plan, PlannedAct
from scenarios.plans.plan import PlannedDeparture, PlannedRule
from scenarios.scenario import BY_KEY


def simpler(plan: Plan) -> Iterator[Simpler]:
    """Yield plans that are a little simpler: fewer parts first, then earlier calls, then simpler numbers."""
    for field, words in (
        ("rules", "rule"),
        ("acts", "act"),
        ("around", "absence"),
        ("departures", ""),
        ("beside", "other try-on"),
    ):
        parts: Sequence[Any] = getattr(plan, field)
        for place, part in enumerate(parts):
            rest = (*parts[:place], *parts[place + 1 :])
            yield Simpler(f"without the {_part(part, words)}", changed(plan, **{field: rest}))
    yield from _fewer_losses(plan)
    for field, usual in (("strokes", ()), ("points", None), ("photo", "near"), ("staging", None)):
        if getattr(plan, field) != usual:
            yield Simpler(f"with the usual {field}", changed(plan, **{field: usual}))
    if plan.guarded:
        known = tuple(act for act in plan.acts if act.do not in BY_KEY)
        yield Simpler("without API keys", changed(plan, guarded=False, acts=known))
    for place, rule in enumerate(plan.rules):
        for how, other in _simpler_rules(rule):
            yield Simpler(how, changed(plan, rules=(*plan.rules[:place], other, *plan.rules[place + 1 :])))
    yield from _rounder_acts(plan)


def _fewer_losses(plan: Plan) -> Iterator[Simpler]:
    for what, number in plan.lost:
        if number:
            fewer = plan.lost.model_copy(update={what: False if what == "keyless" else number - 1})
            yield Simpler(f"with one less of `{loss_words(what, number)}`", changed(plan, lost=fewer))


def _rounder_acts(plan: Plan) -> Iterator[Simpler]:
    for place, act in enumerate(plan.acts):
        if not isinstance(act.at, str):
            for at in _rounder(act.at):
                other_act = act.model_copy(update={"at": at})
                yield Simpler(
                    f"with the {act.do} at {at:g} in place of {act.at:g} s",
                    changed(plan, acts=(*plan.acts[:place], other_act, *plan.acts[place + 1 :])),
                )
        if act.heard != "at_once":
            heard = act.model_copy(update={"heard": "at_once"})
            yield Simpler(
                f"with the {act.do} heard at once",
                changed(plan, acts=(*plan.acts[:place], heard, *plan.acts[place + 1 :])),
            )


def _part(part: Any, words: str) -> str:
    if isinstance(part, PlannedRule):
        return f"{fault_words(part)} of {part.service}.{part.operation} call {part.calls}"
    if isinstance(part, PlannedDeparture):
        return departure_words(part)
    return f"{part.do} at {part.at}" if isinstance(part, PlannedAct) else words


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
