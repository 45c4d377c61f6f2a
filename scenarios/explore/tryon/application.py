"""The try-on as an application that can be explored: its plans run in the virtual world, and the model judges them."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from random import Random

from scenarios.explore.application import Cell, Change, Seen, Simpler, Site
from scenarios.explore.enumerate import singles
from scenarios.explore.tryon import plans
from scenarios.explore.tryon.acts import acts
from scenarios.explore.tryon.cells import behaviours, cells, grid
from scenarios.explore.tryon.drawn import drawn
from scenarios.explore.tryon.kinds import kinds
from scenarios.explore.tryon.simpler import simpler
from scenarios.model.observed import deviations, observed
from scenarios.plans import Plan, scenario_of
from scenarios.stories.run import Run
from scenarios.world.simulation import Simulation

UNSURE = "inconclusive: "
"""How a problem begins that says that a run proves nothing."""


class TryOns:
    """Plans of try-ons, in a simulation that is up. `look` is shown each run, for whoever wants to keep it."""

    def __init__(
        self, simulation: Simulation | None, look: Callable[[Plan, Run, Seen], object] = lambda *_: None
    ) -> None:
        self._simulation = simulation
        self._look = look

    def starts(self) -> Sequence[Plan]:
        """Return the plans without faults."""
        return plans.starts()

    def faults(self, plan: Plan, sites: Iterable[Site]) -> Iterator[Change]:
        """Yield every kind of fault at each of the sites. None is made where the model says that it does not act."""
        for site in sites:
            for kind in kinds(site.operation):
                yield Change(site, kind.word, partial(_worth, partial(plans.with_fault, plan, site, kind)))

    def acts(self, plan: Plan, seen: Seen) -> Iterator[Change]:  # noqa: ARG002 - the model knows the boundaries
        """Yield something more that the user does or that happens around."""
        for word, make in acts(plan):
            yield Change(Site("user", 0), word, partial(_worth, make))

    def drawn(self, seed: int) -> Plan:
        """Return a plan of several parts by chance."""
        return drawn(Random(seed))  # noqa: S311 - a sample, no secret

    def simpler(self, plan: Plan) -> Iterator[Simpler]:
        """Yield plans that are simpler."""
        return simpler(plan)

    def size(self, plan: Plan) -> int:
        """Return how many faults and acts it has."""
        return (
            len(plan.rules)
            + len(plan.acts)
            + len(plan.around)
            + len(plan.departures)
            + sum(int(number) for _, number in plan.lost)
            + (plan.staging is not None)
            + plan.guarded
        )

    def digest(self, plan: Plan) -> str:
        """Return a short text for the plan."""
        return plans.digest(plan)

    def run(self, chosen: Sequence[Plan]) -> list[Seen]:
        """Run plans side by side, and hold each against the model."""
        assert self._simulation is not None, "only a simulation runs plans"
        pending = [self._simulation.submit(scenario_of(plan)) for plan in chosen]
        shown = []
        for plan, future in zip(chosen, pending, strict=True):
            run = future.result()
            seen = judged(plan, run)
            self._look(plan, run, seen)
            shown.append(seen)
        return shown


def _worth(make: Callable[[], Plan | None]) -> Plan | None:
    """Return a plan, if it can be made and the model says that all that is in it acts."""
    plan = make()
    return plan if plan is not None and plans.allowed(plan) else None


def judged(plan: Plan, run: Run) -> Seen:
    """Return what a run of a plan shows: failed where it breaks an invariant or tells a story that is not allowed."""
    story = observed(run)
    unsure = [problem for problem in run.problems if UNSURE in problem]
    problems = [problem for problem in run.problems if problem not in unsure]
    strange = deviations(plan, run)
    if not run.judged:
        unsure, problems, strange = [*unsure, *problems], [], []
    wrong = [*problems, *strange]
    return Seen(
        verdict="failed" if wrong else "inconclusive" if unsure else "passed",
        cause=_cause(problems, strange) if wrong else "",
        problems=tuple(wrong or unsure),
        behaviours=behaviours(story),
        cells=cells(story),
        sites=tuple(Site(call.name, call.number) for call in story.calls),
        ended=story.length,
    )


def _cause(problems: Sequence[str], strange: Sequence[str]) -> str:
    """Return words that runs with one cause share: which invariant, or the first difference without its numbers."""
    first = strange[0] if strange else problems[0]
    words = re.sub(r"azure://\S+|[0-9a-f]{8}-[0-9a-f-]{27}", "…", first)
    return re.sub(r"\d+(\.\d+)?", "#", words)[:160]


DRAWN = 200
"""Plans of several parts that the map is measured by, beside every single fault."""


def sample(seed: int) -> Iterator[Plan]:
    """Yield the plans that the map is measured by: every single fault and act, and some that are drawn by chance."""
    application, starts = TryOns(None), plans.starts()
    yield from starts
    begun = [(start, Seen("passed", sites=_sites(start))) for start in starts]
    yield from (placed.plan for placed in singles(application, begun, seed))
    yield from (application.drawn(-seed - number) for number in range(DRAWN))


def _sites(start: Plan) -> tuple[Site, ...]:
    return tuple(Site(call.name, call.number) for call in (plans.allowed(start) or [])[0].calls)


def reachable(chosen: Iterable[Plan]) -> tuple[frozenset[Cell], dict[Cell, str]]:
    """Return the cells that the model says plans reach, and for each the first plan that does."""
    nearest: dict[Cell, str] = {}
    for plan in chosen:
        for story in plans.allowed(plan) or ():
            for cell in cells(story):
                nearest.setdefault(cell, plan.name)
    return frozenset(nearest), nearest


def whole_grid(cells_reachable: frozenset[Cell]) -> frozenset[Cell]:
    """Return every cell of the map."""
    return grid(cells_reachable)
