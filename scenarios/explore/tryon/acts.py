"""What the user may do more in a plan, at and beside its boundaries, and what may happen around."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import cycle

from scenarios.explore.application import Site
from scenarios.explore.tryon.kinds import Kind
from scenarios.explore.tryon.plans import OVERTAKEN_S, allowed, changed, with_fault
from scenarios.explore.tryon.shared import both_a100s, others
from scenarios.model.story import Call, Story
from scenarios.pipeline import BY_ACTIVITY, OPERATIONS
from scenarios.plans import Away, Plan, PlannedAct
from scenarios.plans.plan import PlannedDeparture, PlannedLosses, PlannedStaging
from scenarios.scenario import BY_KEY, UNREAD, Doing

Make = Callable[[], Plan | None]


def acts(plan: Plan) -> Iterator[tuple[str, Make]]:
    """Yield a word for something more that the user does or that happens around, and how to make that plan."""
    told = allowed(plan)
    if not told:
        return
    if plan.cancel_at is None:
        yield from _cancels(plan, told[0])
    for do in DOES:
        for at in ("accepted", "end"):
            if (do, at) not in NOT_AT_ONCE and not any((act.do, act.at) == (do, at) for act in plan.acts):
                yield f"{do}-{at}", partial(_doing, plan, do, at)
    yield "repeat-start", partial(_doing, plan, "repeat", "start")
    for place, instant in enumerate(_beside(told)):
        for doing in (DOES[(place + n) % (len(DOES) - 1)] for n in AT_ONE_INSTANT):
            yield f"{doing}-at-an-instant", partial(_doing, plan, doing, instant)
    yield from _around(plan, told)


def _around(plan: Plan, told: Sequence[Story]) -> Iterator[tuple[str, Make]]:
    if not plan.beside:
        yield from others(plan, told[0])
    yield from both_a100s(plan, told[0])
    if not plan.guarded:
        yield from _guarded(plan, told)
    if told[0].status == "COMPLETED":
        for do in UNREAD:
            if not any(act.do == do for act in plan.acts):
                yield do, partial(_doing, plan, do, "end")
    if plan.lost == PlannedLosses():
        yield from _losses(plan, _beside(told))
    if not plan.departures:
        yield from _departures(plan, told[0])
    if not plan.around:
        yield from _absences(plan, told[0])


NOT_AT_ONCE = {("cancel", "accepted"), ("progress", "accepted")}
"""What a plan does at a second or at the end alone."""
AT_ONE_INSTANT = (0, 3, 6)
"""Which of what the user may do is tried at an instant, from one of them on that is another each time."""
DOES: tuple[Doing, ...] = (
    *("status", "repeat", "repeat_other", "wait", "crowd", "events", "events_anew", "events_late"),
    *("wait_briefly", "wait_through", "from_pages", "health", "progress", "cancel"),
)


def _beside(told: Sequence[Story]) -> list[float]:
    """Return instants at and beside each boundary that all stories come to."""
    shortest = min(story.length for story in told)
    around = {round(each + off, 3) for each in _instants(told[0]) for off in (-0.5, 0, 0.5)}
    return sorted(at for at in around if 0 <= at < shortest)


def _cancels(plan: Plan, story: Story) -> Iterator[tuple[str, Make]]:
    """Cancel at and beside each boundary; in each call, which is made longer for it; in the backoff after it."""
    instants = sorted({round(each, 3) for each in _instants(story)})
    for instant in instants:
        for at in (instant - 0.5, instant, instant + 0.5):
            if 0 <= at < story.length:
                yield "cancel-at-a-boundary", partial(_doing, plan, "cancel", at)
        if 0 <= instant - 0.3 < story.length:
            yield "cancel-heard-late", partial(_cancelled_late, plan, instant - 0.3)
    if story.length > OVERTAKEN_S:
        yield "cancel-overtaken-by-the-end", partial(_overtaken, plan, story.length - OVERTAKEN_S)
    for call in story.calls:
        late = Kind({"kind": "delay", "seconds": 2 if call.operation == "health" else 6})
        yield "cancel-in-a-call", partial(_cancelled_in, plan, call, late, 1)
        longer = Kind({"kind": "delay", "seconds": 2.2 if call.operation == "health" else 6.7})
        yield "cancel-before-the-end-of-a-call", partial(_cancelled_before, plan, call, longer)
        yield "cancel-in-a-backoff", partial(_cancelled_in, plan, call, Kind({"kind": "status", "status": 503}), 0.5)


def _cancelled_in(plan: Plan, call: Call, kind: Kind, after: float) -> Plan | None:
    faulty = with_fault(plan, Site(call.name, call.number), kind)
    return _doing(faulty, "cancel", call.at + after) if faulty else None


def _cancelled_before(plan: Plan, call: Call, longer: Kind) -> Plan | None:
    """Cancel a call that is over before its attempt beats again."""
    faulty = with_fault(plan, Site(call.name, call.number), longer)
    return _cancelled_late(faulty, call.at + longer.fault["seconds"] - 0.3) if faulty else None


def _overtaken(plan: Plan, at: float) -> Plan:
    """Cancel, and have the try-on end before Temporal hears of it."""
    act = PlannedAct(do="cancel", at=round(at, 3), heard="after_the_end")
    return changed(plan, acts=(*plan.acts, act))


def _cancelled_late(plan: Plan, at: float) -> Plan:
    """Cancel, and have the attempt that runs then hear of it with its next heartbeat."""
    act = PlannedAct(do="cancel", at=round(at, 3), heard="next_heartbeat")
    return changed(plan, acts=(*plan.acts, act))


STAGINGS = (
    *((503, "ServerBusy", times) for times in (1, 3)),
    *((403, "AuthenticationFailed", 1), (404, "ContainerNotFound", 1), (409, "ContainerBeingDeleted", 1)),
)
"""How the store refuses a photo to the gateway: status, its own word, how often."""
STRANGERS = 3
"""Instants at which a stranger comes, beside the first and the last."""


def _guarded(plan: Plan, told: Sequence[Story]) -> Iterator[tuple[str, Make]]:
    """Have the gateway know its callers by keys, of which strangers have none: right away, in between, at the end."""
    keys = partial(changed, plan, guarded=True)
    instants = _beside(told)
    for at in ("accepted", *instants[1 :: max(1, len(instants) // STRANGERS)][:STRANGERS], "end"):
        for do in BY_KEY:
            yield do, partial(keys, acts=(*plan.acts, PlannedAct(do=do, at=at)))
    if plan.lost == PlannedLosses():
        yield "keys-start-lost-2", partial(keys, lost=PlannedLosses(start=2))
        yield "keys-start-keyless", partial(keys, lost=PlannedLosses(keyless=True))


LOST_CANCELS = 6
"""Instants of a cancel whose answer is lost."""


def _losses(plan: Plan, instants: Sequence[float]) -> Iterator[tuple[str, Make]]:
    """Lose Temporal's answers to the start, and to a cancel at instants beside boundaries."""
    for start in (1, 2, 3, 4):
        yield f"start-lost-{start}", partial(changed, plan, lost=PlannedLosses(start=start))
    for start, refused in ((1, 1), (2, 1), (0, 2)):
        losses = PlannedLosses(start=start, refused=refused)
        yield f"start-lost-{start}-refused-{refused}", partial(changed, plan, lost=losses)
    yield "start-keyless", partial(changed, plan, lost=PlannedLosses(keyless=True))
    if plan.staging is None:
        for status, code, times in STAGINGS:
            staging = PlannedStaging(status=status, code=code, times=times)
            yield f"staging-{status}-x{times}", partial(changed, plan, staging=staging)
    for at in instants[:: max(1, len(instants) // LOST_CANCELS)]:
        for cancels in (1, 2):
            yield f"cancel-lost-{cancels}", partial(_cancel_lost, plan, at, cancels)


def _cancel_lost(plan: Plan, at: float, cancels: int) -> Plan | None:
    """Cancel, and have Temporal's answer be lost."""
    if plan.cancel_at is not None:
        return None
    return changed(_doing(plan, "cancel", at), lost=PlannedLosses(cancel=cancels))


DRAINS = (None, 0.0, 60.0)
"""A worker that dies; one that has no time to drain; one that has enough."""
KEPT_S = 1.8
"""A job made so late is told to Temporal later still: 0.3 s before it was a regular heartbeat, and a second has to be
between two."""


def _departures(plan: Plan, story: Story) -> Iterator[tuple[str, Make]]:
    """Have the worker leave in each call, which is made longer for it; in the backoff after it; beside boundaries."""
    drains, backs, patience = cycle(DRAINS), cycle((0.0, 3.0, 40.0)), cycle(DRAINS[1:])
    for place, call in enumerate(story.calls):
        late = Kind({"kind": "delay", "seconds": 2 if call.operation == "health" else 6})
        for drain in (None, next(patience)):
            word = "worker-dies-in-a-call" if drain is None else "worker-drains-in-a-call"
            yield word, partial(_left_in, plan, call, late, 1, (next(backs), drain))
        busy = Kind({"kind": "status", "status": 503})
        if call.operation == "submit":
            slow = Kind({"kind": "delay", "seconds": KEPT_S})
            for how, at in (("before", KEPT_S + 0.3), ("once", KEPT_S + 1)):
                yield f"worker-dies-{how}-its-job-is-known", partial(_left_in, plan, call, slow, at, (1, None))
        if place % 2:
            yield "worker-leaves-in-a-backoff", partial(_left_in, plan, call, busy, 0.5, (next(backs), next(drains)))
    for service, activity in (("birefnet", "remove_background"), ("sam3", "generate_mask")):
        yield "worker-dies-in-every-attempt", partial(_left_in_each, plan, service, activity)
    for instant in sorted({round(each + off, 3) for each in _instants(story) for off in (-0.5, 0, 0.5)}):
        if 0 < instant < story.length:  # at 0 the first attempt may have begun or not
            yield "worker-dies-at-a-boundary", partial(_leaving, plan, instant, (next(backs), None))
            yield "worker-drains-at-a-boundary", partial(_leaving, plan, instant, (next(backs), 0.0))


def _left_in_each(plan: Plan, service: str, activity: str) -> Plan | None:
    """Have the worker die in each attempt of a step whose job takes long."""
    slow = Kind({"kind": "job_slow", "seconds": 100})
    faulty = with_fault(plan, Site(f"{service}.submit", 1), slow)
    for attempt in range(BY_ACTIVITY[activity].retry.attempts):
        told = allowed(faulty) if faulty else None
        begun = [each.began for each in told[0].attempts if each.activity == activity] if told else []
        if faulty is None or len(begun) <= attempt:
            return None
        at = round(begun[attempt] + 1.3, 3)
        departure = PlannedDeparture(at=at, back_at=round(at + 1, 3))
        faulty = changed(faulty, departures=(*faulty.departures, departure))
    return faulty


def _left_in(plan: Plan, call: Call, kind: Kind, after: float, how: tuple[float, float | None]) -> Plan | None:
    faulty = with_fault(plan, Site(call.name, call.number), kind)
    return _leaving(faulty, call.at + after, how) if faulty else None


def _leaving(plan: Plan, at: float, how: tuple[float, float | None]) -> Plan:
    away, drain = how
    departure = PlannedDeparture(at=round(at, 3), back_at=round(at + away, 3), drain_s=drain)
    return changed(plan, departures=(departure,))


def _instants(story: Story) -> Iterator[float]:
    for attempt in story.attempts:
        yield from (attempt.began, attempt.ended)
    for call in story.calls:
        yield call.at


def _doing(plan: Plan, do: str, at: float | str) -> Plan:
    act = PlannedAct.model_validate({"do": do, "at": at if isinstance(at, str) else round(at, 3)})
    return changed(plan, acts=(*plan.acts, act))


def _absences(plan: Plan, story: Story) -> Iterator[tuple[str, Make]]:
    """Have each service be away from its first call on, and from each later one."""
    for service in OPERATIONS:
        at = sorted({call.at for call in story.calls if call.service == service})
        spans = [(0.0, 1.5), (0.0, 12.0), (0.0, None), (1.0, 20.0)]
        spans += [(round(each - at[0], 3), end) for each in at[1:] for end in (round(each - at[0] + 3, 3), None)]
        for begin, end in dict.fromkeys(spans):
            yield f"{service}-away", partial(_away, plan, service, begin, end)


def _away(plan: Plan, service: str, begin: float, end: float | None) -> Plan:
    return changed(plan, around=(Away(service=service, from_s=begin, until_s=end),))
