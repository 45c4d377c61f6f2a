"""The conditions of a rule, each as a test of a call and as the words for why it does not hold."""

import fnmatch
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .bodies import Other, Scalar
from .calls import draw
from .ledger import Entry, Tally
from .rules import Rule, parse_calls

NOT_READ = Other("not read: the rule was loaded after the call")


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that a rule asks of a call."""

    holds: Callable[[Entry], object]
    missed: Callable[[Entry], str]


def conditions(rule: Rule, seed: int, tally: Tally) -> list[Condition]:
    """Return the conditions that a rule gives, the cheapest first. The tally says how often it acted so far."""
    return [*_key(rule), *_calls(rule), *_times(rule), *_hits(rule, tally), *_body(rule), *_chance(rule, seed)]


def is_wild(key: str) -> bool:
    """Return whether a key is a pattern."""
    return any(mark in key for mark in "*?[")


def pattern(wanted: str) -> Callable[[str], object]:
    """Return what says whether a text is the wanted one, or fits it as a pattern: "[a]" is both itself and "a"."""
    if not is_wild(wanted):
        return wanted.__eq__
    fits = re.compile(fnmatch.translate(wanted), re.DOTALL).match
    return lambda text: text == wanted or fits(text)


def _key(rule: Rule) -> Iterator[Condition]:
    if rule.key == "*":
        return
    matches = pattern(rule.key)
    yield Condition(lambda call: matches(call.key), lambda call: f"key: wants {rule.key}, was {call.key or 'none'}")


def _calls(rule: Rule) -> Iterator[Condition]:
    if rule.calls is not None:
        ranges = parse_calls(rule.calls)
        (first, last), *more = ranges
        yield Condition(
            lambda call: first <= call.call <= last or (more and any(low <= call.call <= high for low, high in more)),
            lambda call: f"calls: wants {rule.calls}, was {call.call}",
        )
    if rule.every is not None:
        every = rule.every
        yield Condition(
            lambda call: call.call % every == 0, lambda call: f"every: wants each {every}th, was {call.call}"
        )


def _times(rule: Rule) -> Iterator[Condition]:
    begin = rule.after_s or 0.0
    if rule.after_s is not None:
        yield Condition(
            lambda call: call.since_first >= begin,
            lambda call: f"after_s: wants {begin:g} s after the first call, was {call.since_first:.3f} s",
        )
    if rule.for_s is not None:
        end = begin + rule.for_s
        yield Condition(
            lambda call: call.since_first < end,
            lambda call: f"for_s: ends {end:g} s after the first call, was {call.since_first:.3f} s",
        )


def _hits(rule: Rule, tally: Tally) -> Iterator[Condition]:
    if rule.max_hits is not None:
        most = rule.max_hits
        yield Condition(lambda _: tally.taken < most, lambda _: f"max_hits: it acted {most} times already")


def _body(rule: Rule) -> Iterator[Condition]:
    for name, wanted in (rule.body or {}).items():
        yield _field(name, wanted)


def _field(name: str, wanted: Scalar) -> Condition:
    matches = pattern(wanted) if isinstance(wanted, str) else None
    shown = wanted if isinstance(wanted, str) else json.dumps(wanted)

    def value(call: Entry) -> Scalar | Other:
        return NOT_READ if call.asked is None else call.asked.get(name, NOT_READ)

    def holds(call: Entry) -> object:
        given = value(call)
        if matches is not None:
            return isinstance(given, str) and matches(given)
        return given == wanted and isinstance(given, bool) == isinstance(wanted, bool)  # in Python, True == 1

    def missed(call: Entry) -> str:
        given = value(call)
        was = given.words if isinstance(given, Other) else given if isinstance(given, str) else json.dumps(given)
        return f"body: wants {name} {shown}, was {was}"

    return Condition(holds, missed)


def _chance(rule: Rule, seed: int) -> Iterator[Condition]:
    if rule.p is not None:
        p = rule.p

        def drawn(call: Entry) -> float:
            return draw(seed, rule.id, call.service, call.key, call.operation, call.call)

        yield Condition(
            lambda call: drawn(call) < p, lambda call: f"p: wants a draw below {p:g}, was {drawn(call):.3f}"
        )
