"""A toy application that the explorer explores: an order is charged and shipped, with retries, and has two bugs."""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise

from scenarios.explore.application import Cell, Change, Seen, Simpler, Site, Verdict

OPERATIONS = ("charge", "ship")
KINDS = ("busy", "lost", "slow")


@dataclass(frozen=True)
class Fault:
    site: Site
    kind: str
    seconds: int = 1


@dataclass(frozen=True)
class Order:
    """A plan: what goes wrong, when the user cancels, and how many things are ordered."""

    faults: tuple[Fault, ...] = ()
    cancel_at: int | None = None
    things: int = 1


@dataclass
class Shop:
    """The toy and its explorer's side. `ran` are the plans that it was asked to run, in order.

    With `bugs`, a lost charge is charged twice if the retry is lost too, and a cancel after the first shipping is
    forgotten when it comes in the second second.
    """

    bugs: bool = True
    ran: list[Order] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)

    def starts(self) -> Sequence[Order]:
        return [Order(), Order(things=2)]

    def faults(self, plan: Order, sites: Iterable[Site]) -> Iterator[Change]:
        taken = {fault.site for fault in plan.faults}
        for site in sites:
            if site not in taken:
                for kind in KINDS:
                    for seconds in (1, 9) if kind == "slow" else (1,):
                        fault = Fault(site, kind, seconds)
                        more = partial(Order, (*plan.faults, fault), plan.cancel_at, plan.things)
                        yield Change(site, f"{kind}-{seconds}", more)

    def acts(self, plan: Order, seen: Seen) -> Iterator[Change]:
        if plan.cancel_at is None:
            for at in range(int(seen.ended) + 2):
                yield Change(Site("cancel", at), "cancel", partial(Order, plan.faults, at, plan.things))

    def drawn(self, seed: int) -> Order:
        chance = random.Random(seed)
        sites = [Site(operation, number) for operation in OPERATIONS for number in (1, 2, 3)]
        chosen = chance.sample(sites, chance.randint(0, 3))
        faults = tuple(Fault(site, chance.choice(KINDS), chance.choice((1, 3, 9))) for site in chosen)
        return Order(faults, chance.choice((None, None, 2)), chance.choice((1, 2)))

    def simpler(self, plan: Order) -> Iterator[Simpler]:
        for fault in plan.faults:
            rest = tuple(each for each in plan.faults if each is not fault)
            yield Simpler(f"without {fault.kind} of {fault.site.operation}", Order(rest, plan.cancel_at, plan.things))
        if plan.cancel_at is not None:
            yield Simpler("without the cancel", Order(plan.faults, None, plan.things))
        if plan.things > 1:
            yield Simpler("with one thing", Order(plan.faults, plan.cancel_at, 1))

    def size(self, plan: Order) -> int:
        return len(plan.faults) + (plan.cancel_at is not None)

    def digest(self, plan: Order) -> str:
        return repr(plan)

    def run(self, plans: Sequence[Order]) -> list[Seen]:
        self.ran += plans
        self.batches.append(len(plans))
        return [_play(plan, bugs=self.bugs) for plan in plans]


def _play(plan: Order, *, bugs: bool) -> Seen:
    sites: list[Site] = []
    happened: list[str] = []
    cells: set[Cell] = set()
    now = 0
    faults = {fault.site: fault for fault in plan.faults}
    lost_charges = 0
    for operation in ["charge"] + ["ship"] * plan.things:
        for _ in range(3):
            site = Site(operation, sum(each.operation == operation for each in sites) + 1)
            sites.append(site)
            fault = faults.pop(site, None)
            word = fault.kind if fault else "ok"
            happened.append(f"{operation}:{word}")
            cells.add(("calls", operation, str(site.number), word))
            now += fault.seconds if fault else 0
            if word not in {"busy", "lost"}:
                break
            lost_charges += (operation, word) == ("charge", "lost")
    if faults:
        return Seen("inconclusive", problems=("a fault never fired",), sites=tuple(sites), ended=now)
    problems = []
    if bugs and lost_charges >= 2:
        problems.append("charged twice")
    if bugs and plan.cancel_at == 2 and "ship:slow" in happened:
        problems.append("the cancel was forgotten")
    cause = problems[0] if problems else ""
    verdict: Verdict = "failed" if problems else "passed"
    behaviours = frozenset(" ".join(pair) for pair in pairwise(happened))
    return Seen(verdict, cause, tuple(problems), behaviours, frozenset(cells), tuple(sites), now)
