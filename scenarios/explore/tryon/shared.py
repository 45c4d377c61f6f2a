"""What several try-ons share: each other's company, the same photo and body, the two A100s."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import cycle

from scenarios.explore.application import Site
from scenarios.explore.tryon.kinds import Kind, kinds
from scenarios.explore.tryon.plans import ADD, allowed, changed, with_fault
from scenarios.model.story import Story
from scenarios.pipeline import service_of
from scenarios.plans import Plan, PlannedAct

Make = Callable[[], Plan | None]
ANOTHER = Plan(name="beside", story="Another at the same time.", photo="far", strokes=(ADD,))


def others(plan: Plan, story: Story) -> Iterator[tuple[str, Make]]:
    """Have others beside a try-on: another photo; the same photo and body; one that meets a fault or is cancelled."""
    same = changed(Plan(name="same", story="Same."), photo=plan.photo, strokes=plan.strokes, points=plan.points)
    yield "another-beside", partial(changed, plan, beside=(ANOTHER,))
    yield "the-same-beside", partial(changed, plan, beside=(same,))
    yield "several-beside", partial(changed, plan, beside=(same, ANOTHER, changed(same, strokes=()), changed(ANOTHER)))
    for number, call in list(enumerate(story.calls))[::2]:
        choices = kinds(call.name)
        kind, site = choices[7 * number % len(choices)], Site(call.name, call.number)
        yield "a-faulty-one-beside", partial(_faulty_beside, plan, same, site, kind)
    for at in sorted({round(call.at + 0.5, 3) for call in story.calls}):
        yield "a-cancelled-one-beside", partial(_cancelled_beside, plan, same, at)


def _faulty_beside(plan: Plan, same: Plan, site: Site, kind: Kind) -> Plan | None:
    faulty = with_fault(same, site, kind)
    return changed(plan, beside=(faulty,)) if faulty and allowed(faulty) else None


def _cancelled_beside(plan: Plan, same: Plan, at: float) -> Plan | None:
    cancelled = changed(same, acts=(PlannedAct(do="cancel", at=at),))
    return changed(plan, beside=(cancelled,)) if allowed(cancelled) else None


def both_a100s(plan: Plan, story: Story) -> Iterator[tuple[str, Make]]:
    """Have both A100s be in trouble at once, each in its own."""
    for operation in ("refine_mask", "generate"):
        if not any(service_of(call.service) == "a100" and call.operation == operation for call in story.calls):
            continue
        for asked in ("health", operation):
            spares = cycle([*kinds("a100_spare.health"), *kinds(f"a100_spare.{operation}")])
            for number, kind in enumerate(kinds(f"a100.{asked}")[::6]):
                for _ in range(1 + number % 5):
                    next(spares)
                other = next(spares)
                at = "health" if other in kinds("a100_spare.health") else operation
                yield (
                    "both-a100s",
                    partial(_both, plan, (Site(f"a100.{asked}", 1), kind), (Site(f"a100_spare.{at}", 1), other)),
                )


def _both(plan: Plan, first: tuple[Site, Kind], second: tuple[Site, Kind]) -> Plan | None:
    one = with_fault(plan, *first)
    return with_fault(one, *second) if one else None
