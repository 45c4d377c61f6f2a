"""Which plans could have led to what is known? The model says of each what it would come to; those that agree stay.

An activity after the other: what is known of the activities before is settled when an activity's turn comes, since
faults in one step shift the calls of the next.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from scenarios.explore.tryon.kinds import Kind, kinds
from scenarios.model import Story, Undecided, stories
from scenarios.model.numbers import SILENCE
from scenarios.model.story import CANCELLED, COMPLETED
from scenarios.pipeline import ACTIVITIES, BY_ACTIVITY, addresses
from scenarios.plans import Plan
from scenarios.plans.plan import Act, Departure, PlannedRule, Point, Spot, Stroke
from scenarios.reproduce.facts import CUT_OFF, TIMED_OUT, Facts, Tried, close, of_story

LIKELY = ("status", "refuse", "hang", "job_stuck", "job_failed", "job_slow", "delay", "reset", "empty", "garbage")
"""The kinds of which production has the most, the likeliest first; all others come after them."""
LIKELY_STATUS = (503, 502, 500, 429, 400, 404, 403, 409)
SLOW_S = 3.0
"""A step that took so much longer than its services need without a fault was slow."""
MOST_EARLIER = 6
"""So many ways to the failure before the last are tried with each way to the last one."""
UNKNOWN_FAULTS: tuple[dict[str, Any], ...] = ({"kind": "status", "status": 503}, {"kind": "hang"})
UNKNOWN_JOBS: tuple[dict[str, Any], ...] = ({"kind": "job_failed"}, {"kind": "job_lost"})
"""What stands for failures of which a history says nothing: at once, late, and by a job."""
WAITED_FOR: tuple[dict[str, Any], ...] = (
    {"kind": "status", "status": 503},
    {"kind": "status", "status": 503, "retry_after": 60},
    {"kind": "hang"},
)
"""What makes an activity wait for its next attempt."""
BAD_PHOTO = "half"
"""What stands for a photo that was refused."""


@dataclass(frozen=True)
class Guess:
    """What explains an activity: faults by rules, and the end of a worker."""

    rules: tuple[PlannedRule, ...]
    end: Departure | None = None

    @property
    def words(self) -> str:
        """What it is, for people."""
        faults = [
            f"{rule.service}.{rule.operation} call {rule.calls}: "
            + " ".join(f"{value}" for value in rule.fault.values())
            for rule in self.rules
        ]
        return ", then ".join([*faults, *([f"its worker leaves at {self.end.at:g} s"] if self.end else [])])

    def put_in(self, plan: Plan) -> Plan:
        """Return the plan with it."""
        departures = (*plan.departures, *([self.end] if self.end else []))
        return _with(plan, self.rules).model_copy(update={"departures": departures})


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
    inferred = Inferred(_with(_start(facts, name), latencies))
    for place, known in enumerate(facts.tried):
        story = _told(inferred.plan)
        now = of_story(story).tried if story else ()
        if story is None or place >= len(now):
            break  # what was not explained before ends it here
        if known.outcome == CANCELLED:
            inferred.plan = _cancelled(inferred.plan, facts, place)
        elif not known.agrees(now[place]):
            found = _explained(inferred.plan, facts, place, known)
            if found:
                inferred.guesses[known.activity] = found
                inferred.plan = found[0].put_in(inferred.plan)
            else:
                inferred.missing.append(f"{known.activity}: {facts.way()[place]}")
        elif known.took_s > now[place].took_s + SLOW_S:
            inferred.plan = _slowed(inferred.plan, known, story)
    if facts.cancel_at is not None and inferred.plan.cancel_at is None:  # between two activities
        inferred.plan = _with_cancel(inferred.plan, facts)
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


def _with_cancel(plan: Plan, facts: Facts) -> Plan:
    """Return the plan with the cancel, as long after the beginning of the step that it met as in production."""
    assert facts.cancel_at is not None
    story = _told(plan)
    before = sum(each.waited_s + each.took_s for each in facts.tried[:-1])
    began = [each.began for each in story.attempts if each.activity == facts.tried[-1].activity] if story else []
    at = max(0.0, (began[0] if began else 0.0) + facts.cancel_at - before)
    return plan.model_copy(update={"acts": (Act(do="cancel", at=round(at, 3)),)})


def _cancelled(plan: Plan, facts: Facts, place: int) -> Plan:
    """Return the plan with the cancel and what kept the activity busy until then."""
    known = facts.tried[place]
    if known.attempts == 0:
        return _waiting(plan, facts, place)
    calm = Tried(known.activity, known.attempts, COMPLETED, known.earlier, known.waited_s, 0)
    befores = [Guess(())]
    if known.attempts > 1:
        befores = _explained(plan, facts, place, calm)[:MOST_EARLIER]
    for before in befores:
        base = _with(plan, before.rules)
        held = [Guess(()), *(Guess((rule,)) for rule in _holding(base, known))]
        for guess in held:
            tried = _with_cancel(_with(base, guess.rules), facts)
            if _goes(tried, facts, place, known) is not None:
                return tried
    return _with_cancel(plan, facts)


def _waiting(plan: Plan, facts: Facts, place: int) -> Plan:
    """Return the plan in which the cancel finds an activity between two attempts: its service is busy until then."""
    for name, number in _calls(plan, facts.tried[place].activity):
        service, _, operation = name.partition(".")
        for fault in WAITED_FOR:
            busy = PlannedRule(service=service, operation=operation, fault=dict(fault), calls=f"{number}-")
            tried = _with_cancel(_with(plan, (busy,)), facts)
            if _goes(tried, facts, place, facts.tried[place]) is not None:
                return tried
    return _with_cancel(plan, facts)


def _holding(plan: Plan, known: Tried) -> Iterator[PlannedRule]:
    """Yield rules that keep the last attempt of an activity busy for longer than it was."""
    for name, number in _calls(plan, known.activity):
        service, _, operation = name.partition(".")
        for seconds in (known.took_s + 6, known.took_s + 2):
            fault: dict[str, Any] = {"kind": "delay", "seconds": round(seconds, 1)}
            yield PlannedRule(service=service, operation=operation, fault=fault, calls=str(number))
        if operation == "submit":
            slow = {"kind": "job_slow", "seconds": round(known.took_s + 6, 1)}
            yield PlannedRule(service=service, operation=operation, fault=slow, calls=str(number))


def _explained(plan: Plan, facts: Facts, place: int, known: Tried) -> list[Guess]:
    """Return what explains an activity, the likeliest first: a fault of each attempt that failed, or several."""
    failed = known.attempts - (known.outcome == COMPLETED)
    found = _once_more(plan, facts, place, known, failed) or list(_late_too(plan, facts, place, known, failed))
    if failed == 1:
        found += _left(plan, facts, place, known)
    if found or failed < 2:
        return _one_of_a_kind(found)
    if known.outcome != COMPLETED and known.earlier:
        # The attempts before failed in another way than the last one.
        before = Tried(known.activity, known.attempts, COMPLETED, known.earlier, known.waited_s, 0)
        firsts = _explained(plan, facts, place, before)
    else:
        firsts = _unknown(plan, known, failed - 1)
    for first in firsts[:MOST_EARLIER]:
        begun = _with(plan, first.rules)
        last = _once_more(begun, facts, place, known, 1) or list(_left(begun, facts, place, known))
        found += [Guess((*first.rules, *each.rules), each.end) for each in last]
    return _one_of_a_kind(found)


def _unknown(plan: Plan, known: Tried, attempts: int) -> list[Guess]:
    """Return what may have ended attempts of which a history says nothing, those before the last but one."""
    found = []
    for name, number in _calls(plan, known.activity):
        service, _, operation = name.partition(".")
        calls = str(number) if attempts == 1 else f"{number}-{number + attempts - 1}"
        faults = (*UNKNOWN_FAULTS, *UNKNOWN_JOBS) if operation == "submit" else UNKNOWN_FAULTS
        rules = [PlannedRule(service=service, operation=operation, fault=dict(each), calls=calls) for each in faults]
        found += [Guess((rule,)) for rule in rules]
    # An attempt that waited longer than the policy does comes after one that took longer.
    found.sort(key=lambda guess: guess.rules[0].fault["kind"] == "status", reverse=_pause(known) < SLOW_S)
    return found


def _once_more(plan: Plan, facts: Facts, place: int, known: Tried, attempts: int) -> list[Guess]:
    """Return the faults that, put at an activity's calls, let so many attempts fail as is known."""
    pause = _pause(known)
    found = []
    for name, number in _calls(plan, known.activity):
        faults = {str(kind.fault): kind.fault for kind in (*kinds(name), *_asked_to_wait(pause), *_slow(known))}
        for fault in faults.values():
            for calls in _windows(number, attempts, store=name.startswith("blob.")):
                service, _, operation = name.partition(".")
                rule = PlannedRule(service=service, operation=operation, fault=dict(fault), calls=calls)
                if _goes(_with(plan, (rule,)), facts, place, known) is not None:
                    found.append(Guess((rule,)))
                    break
    found += _everywhere(plan, facts, place, known, attempts)
    return found


def _late_too(plan: Plan, facts: Facts, place: int, known: Tried, attempts: int) -> Iterator[Guess]:
    """Yield what explains an activity whose first attempt was slow besides."""
    late = known.took_s if known.attempts == 1 else _pause(known)
    if late < SLOW_S:
        return
    for name, number in _calls(plan, known.activity):
        service, _, operation = name.partition(".")
        fault = {"kind": "job_slow" if operation == "submit" else "delay", "seconds": round(late, 1)}
        slow = PlannedRule(service=service, operation=operation, fault=fault, calls=str(number))
        for guess in _once_more(_with(plan, (slow,)), facts, place, known, attempts):
            yield Guess((slow, *guess.rules))


def _left(plan: Plan, facts: Facts, place: int, known: Tried) -> Iterator[Guess]:
    """Yield what explains an attempt by its worker's end, with a call that was late and kept it busy until then."""
    story = _told(plan)
    made = [each for each in story.attempts if each.activity == known.activity] if story else []
    if not made or known.earlier not in {TIMED_OUT, CUT_OFF}:
        return
    dies = known.earlier == TIMED_OUT
    began, next_began = made[-1].began, made[0].began + known.waited_s
    latest = next_began - _backoff(known.activity, len(made)) - began - (SILENCE - 1 if dies else 0)
    soon = 1.0
    for busy_s, back_at in ((latest, 0.0), (soon, next_began)):
        at = round(began + max(busy_s, 0.0), 1)
        left = Departure(at=at, back_at=max(back_at, at), drain_s=None if dies else 0.0)
        late: dict[str, Any] = {"kind": "delay", "seconds": round(max(busy_s, 0.0) + 3, 1)}
        held = [
            (PlannedRule(service=name.split(".")[0], operation=name.split(".")[1], fault=late, calls=str(number)),)
            for name, number in _calls(plan, known.activity)
        ]
        for rules in ((), *held):
            guess = Guess(rules, left)
            if _goes(guess.put_in(plan), facts, place, known) is not None:
                yield guess
                return


def _backoff(activity: str, attempt: int) -> float:
    retry = BY_ACTIVITY[activity].retry
    return min(retry.first_s * retry.coefficient ** (attempt - 1), retry.longest_s)


def _everywhere(plan: Plan, facts: Facts, place: int, known: Tried, attempts: int) -> Iterator[Guess]:
    """Yield what explains an activity by every address of its service being away."""
    step = BY_ACTIVITY[known.activity]
    names = addresses(step.service) if step.service else ()
    story = _told(plan)
    if len(names) < 2 or story is None:
        return
    before = story.calls[: _first_call(story, known.activity)]
    for fault in ({"kind": "refuse"}, {"kind": "status", "status": 503}, {"kind": "hang"}):
        rules = []
        for name in names:
            earlier = sum(call.name == f"{name}.health" for call in before)
            calls = f"{earlier + 1}-{earlier + attempts}"
            rules.append(PlannedRule(service=name, operation="health", fault=fault, calls=calls))
        if _goes(_with(plan, rules), facts, place, known) is not None:
            yield Guess(tuple(rules))


def _calls(plan: Plan, activity: str) -> list[tuple[str, int]]:
    """Return the calls of an activity's last attempt: operation and number. Of a service, each operation's first."""
    story = _told(plan)
    last = next((each for each in reversed(story.attempts) if each.activity == activity), None) if story else None
    if story is None or last is None:
        return []
    found: dict[tuple[str, int], None] = {}
    seen = set()
    for call in story.calls[_first_call(story, activity) :]:
        if call.at > last.ended:
            break
        if call.name in BY_ACTIVITY[activity].calls and (call.service == "blob" or call.name not in seen):
            seen.add(call.name)
            found[call.name, call.number] = None
    return list(found)


def _first_call(story: Story, activity: str) -> int:
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


def _windows(first: int, attempts: int, *, store: bool) -> list[str]:
    """Return which calls a fault may have acted on: one for each attempt, or, where a call is repeated, more."""
    lengths = [attempts]
    if store:  # it is asked again within an attempt
        lengths += [attempts * tries for tries in (2, 3, 5)] + [attempts - 1 + 5]
    said = [str(first) if length == 1 else f"{first}-{first + length - 1}" for length in dict.fromkeys(lengths)]
    return [*said, f"{first}-"]


def _pause(known: Tried) -> float:
    """Return the seconds that each failure cost beyond what the policy waits."""
    backoffs = [_backoff(known.activity, attempt) for attempt in range(1, known.attempts)]
    return (known.waited_s - sum(backoffs)) / len(backoffs) if backoffs else 0.0


def _asked_to_wait(pause: float) -> Iterator[Kind]:
    """Yield faults whose Retry-After, or whose lateness, is what production waited beyond its policy."""
    if pause > 0.5:
        for after in {round(pause), round(pause + 2)}:
            for status in (429, 503):
                yield Kind({"kind": "status", "status": status, "retry_after": after})
        yield Kind({"kind": "status", "status": 503, "delay": round(pause, 1)})


def _slow(known: Tried) -> Iterator[Kind]:
    if known.took_s > SLOW_S:
        for status in LIKELY_STATUS:
            yield Kind({"kind": "status", "status": status, "delay": round(known.took_s, 1)})


def _goes(plan: Plan, facts: Facts, place: int, known: Tried) -> Story | None:
    """Return the story of a plan when it goes as is known up to an activity, which is known so; None when not."""
    story = _told(plan)
    if story is None:
        return None
    tried = of_story(story).tried
    wanted = [*facts.tried[:place], known]
    if len(tried) < len(wanted) or not all(one.agrees(other) for one, other in zip(wanted, tried, strict=False)):
        return None
    return story if known.outcome == COMPLETED or close(tried[place].took_s, known.took_s) else None


def _one_of_a_kind(guesses: Sequence[Guess]) -> list[Guess]:
    """Sort guesses, the likeliest first, and keep one of each kind at each operation."""

    def likely(guess: Guess) -> tuple[int, ...]:
        fault: Mapping[str, Any] = guess.rules[-1].fault if guess.rules else {"kind": ""}
        kind, status = str(fault["kind"]), fault.get("status")
        return (
            len(guess.rules),
            LIKELY.index(kind) if kind in LIKELY else len(LIKELY),
            LIKELY_STATUS.index(status) if status in LIKELY_STATUS else len(LIKELY_STATUS),
            len(fault),
        )

    kept: dict[tuple[str, ...], Guess] = {}
    for guess in sorted(guesses, key=likely):
        key = tuple(
            f"{rule.service}.{rule.operation} {rule.fault['kind']} {rule.fault.get('status', '')}"
            for rule in guess.rules
        ) + (("its worker leaves",) if guess.end else ())
        kept.setdefault(key, guess)
    return list(kept.values())


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
    slower = _with(plan, (PlannedRule(service=service, operation=operation, fault=fault, calls=str(number)),))
    return slower if _told(slower) is not None else plan


def _of(story: Story, activity: str, at: float) -> bool:
    return any(each.activity == activity and each.began <= at <= each.ended for each in story.attempts)


def _with(plan: Plan, rules: Iterable[PlannedRule]) -> Plan:
    """Return the plan with more rules, before the others: of two that contradict each other the first acts."""
    return plan.model_copy(update={"rules": (*rules, *plan.rules)})


def _told(plan: Plan) -> Story | None:
    """Return the story of a plan, one of those that are allowed; None when the model says nothing of it."""
    try:
        return stories(plan)[0]
    except Undecided:
        return None
