"""The faults that explain an activity's failed attempts: one of each attempt, one of all, or several."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from scenarios.explore.tryon.kinds import kinds
from scenarios.model.story import COMPLETED
from scenarios.pipeline import BY_ACTIVITY, addresses
from scenarios.plans import Plan
from scenarios.plans.plan import PlannedRule
from scenarios.reproduce.agreement import Missing, goes, missing_s, story_of
from scenarios.reproduce.calls import calls_of, first_call, windows
from scenarios.reproduce.facts import GRAIN_ATTEMPT_S, Facts, Tried
from scenarios.reproduce.guess import Guess, likeliest, with_rules
from scenarios.reproduce.waits import SLOW_S, asked_to_wait, late_and_failed, pause
from scenarios.reproduce.worker_end import by_worker_end

MOST_EARLIER = 6
"""So many ways to the failure before the last are tried with each way to the last one."""
JOB_S = 2.0
"""What a job takes with nothing in its way: until the first poll."""
UNKNOWN_FAULTS: tuple[dict[str, Any], ...] = ({"kind": "status", "status": 503}, {"kind": "hang"})
UNKNOWN_JOBS: tuple[dict[str, Any], ...] = ({"kind": "job_failed"}, {"kind": "job_lost"})
"""What stands for failures of which a history says nothing: at once, late, and by a job."""


def explained(plan: Plan, facts: Facts, place: int, known: Tried) -> list[Guess]:
    """Return what explains an activity, the likeliest first: a fault of each attempt that failed, or several."""
    failed = known.attempts - (known.outcome == COMPLETED)
    if not failed:  # what the plan has besides lets it fail, and production did not
        return []
    found = _once_more(plan, facts, place, known, failed) or list(_late_too(plan, facts, place, known, failed))
    if failed == 1:
        found += by_worker_end(plan, facts, place, known)
    if found or failed < 2:
        return likeliest(found)
    if known.outcome != COMPLETED and known.earlier:
        # The attempts before failed in another way than the last one.
        before = Tried(known.activity, known.attempts, COMPLETED, known.earlier, known.waited_s, 0)
        firsts = explained(plan, facts, place, before)
    else:
        firsts = _unknown(plan, known, failed - 1)
    for first in firsts[:MOST_EARLIER]:
        begun = first.put_in(plan)
        last = _once_more(begun, facts, place, known, 1) or list(_late_too(begun, facts, place, known, 1))
        last = last or ([] if first.end else list(by_worker_end(begun, facts, place, known)))
        found += [Guess((*first.rules, *each.rules), each.end or first.end) for each in last]
    return likeliest(found)


def _unknown(plan: Plan, known: Tried, attempts: int) -> list[Guess]:
    """Return what may have ended attempts of which a history says nothing, those before the last but one."""
    found = []
    for name, number in calls_of(plan, known.activity):
        service, _, operation = name.partition(".")
        calls = str(number) if attempts == 1 else f"{number}-{number + attempts - 1}"
        faults = (*UNKNOWN_FAULTS, *UNKNOWN_JOBS) if operation == "submit" else UNKNOWN_FAULTS
        rules = [PlannedRule(service=service, operation=operation, fault=dict(each), calls=calls) for each in faults]
        found += [Guess((rule,)) for rule in rules]
    # An attempt that waited longer than the policy does comes after one that took longer.
    found.sort(key=lambda guess: guess.rules[0].fault["kind"] == "status", reverse=pause(known) < SLOW_S)
    return found


def _once_more(plan: Plan, facts: Facts, place: int, known: Tried, attempts: int) -> list[Guess]:
    """Return the faults that, put at an activity's calls, let so many attempts fail as is known."""
    found: list[Guess] = []
    for faults in _at_each_call(plan, known, attempts):
        fitting = (fault for fault in faults if goes(fault.put_in(plan), facts, place, known) is not None)
        found += islice(fitting, 1)
    found += _everywhere(plan, facts, place, known, attempts)
    return found


def _at_each_call(plan: Plan, known: Tried, attempts: int) -> Iterator[list[Guess]]:
    """Yield what may have let attempts fail: one kind of fault at one call, by all the calls that it may have met."""
    guessed = (*asked_to_wait(pause(known)), *late_and_failed(known))
    for name, number in calls_of(plan, known.activity):
        service, _, operation = name.partition(".")
        for fault in {str(kind.fault): kind.fault for kind in (*kinds(name), *guessed)}.values():
            yield [
                Guess((PlannedRule(service=service, operation=operation, fault=dict(fault), calls=calls),))
                for calls in windows(number, attempts, store=name.startswith("blob."))
            ]


def _late_too(plan: Plan, facts: Facts, place: int, known: Tried, attempts: int) -> Iterator[Guess]:
    """Yield what explains an activity that calls were slow in besides, by the time that a fault leaves unexplained."""
    for faults in _at_each_call(plan, known, attempts):
        for fault in faults:
            missing = missing_s(fault.put_in(plan), facts, place, known)
            slow = _slow(plan, known, missing) if missing else ()
            both = (Guess((rule, *fault.rules)) for rule in slow)
            found = next((each for each in both if goes(each.put_in(plan), facts, place, known) is not None), None)
            if found:
                yield found
                break


def _slow(plan: Plan, known: Tried, missing: Missing) -> Iterator[PlannedRule]:
    """Yield what makes an activity so much slower: one call, or that of each attempt, and the job that it asks for."""
    each_s = missing.waited_s / (known.attempts - 1) if known.attempts > 1 else missing.took_s
    for name, number in calls_of(plan, known.activity):
        service, _, operation = name.partition(".")
        late = {
            (missing.waited_s, f"{number}"): None,
            (missing.took_s, f"{number}"): None,
            (each_s, f"{number}-"): None,
        }
        for seconds, calls in late:
            if seconds <= GRAIN_ATTEMPT_S:
                continue
            faults: list[dict[str, Any]] = [{"kind": "delay", "seconds": round(seconds, 1)}]
            if operation == "submit":
                faults.insert(0, {"kind": "job_slow", "seconds": round(seconds + JOB_S, 1)})
            for fault in faults:
                yield PlannedRule(service=service, operation=operation, fault=fault, calls=calls)


def _everywhere(plan: Plan, facts: Facts, place: int, known: Tried, attempts: int) -> Iterator[Guess]:
    """Yield what explains an activity by every address of its service being away."""
    step = BY_ACTIVITY[known.activity]
    names = addresses(step.service) if step.service else ()
    story = story_of(plan)
    if len(names) < 2 or story is None:
        return
    before = story.calls[: first_call(story, known.activity)]
    for fault in ({"kind": "refuse"}, {"kind": "status", "status": 503}, {"kind": "hang"}):
        rules = []
        for name in names:
            earlier = sum(call.name == f"{name}.health" for call in before)
            calls = f"{earlier + 1}-{earlier + attempts}"
            rules.append(PlannedRule(service=name, operation="health", fault=fault, calls=calls))
        if goes(with_rules(plan, rules), facts, place, known) is not None:
            yield Guess(tuple(rules))
