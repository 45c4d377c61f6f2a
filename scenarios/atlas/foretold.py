"""The atlas as the model foretells it: the same cells without running any, in seconds. It holds for what is run."""

from collections.abc import Sequence

from scenarios.atlas.measured import COMPLETED, Cell
from scenarios.atlas.outages import Beginnings, Outage, scenario, undisturbed
from scenarios.model import Undecided, stories
from scenarios.plans import plan_of


def foretold(cells: Sequence[Outage]) -> list[Cell]:
    """Return the end of each cell by the model (docs/exploring.md), without calls and costs.

    Cells of which the model says nothing, or that may end in several ways, have a problem that says so.
    """
    calm = stories(plan_of(undisturbed()))[0]
    beginnings = Beginnings({each.activity: (each.began, each.ended) for each in calm.attempts}, calm.calls)
    return [_foretold(cell, beginnings.of(cell.dependency, cell.step)) for cell in cells]


def _foretold(cell: Outage, begins: float) -> Cell:
    try:
        told = stories(plan_of(scenario(cell, begins)))
    except Undecided as why:
        return Cell(cell, "?", None, 0.0, None, 0, 0, (f"the model says nothing: {why}",))
    ends = {(each.code or each.status, each.step) for each in told}
    outcome, step = ends.pop()
    problems = ("it may end in several ways",) if ends else ()
    survived = outcome == COMPLETED and not problems
    return Cell(cell, COMPLETED if survived else outcome, step, told[0].length, None, 0, 0, problems)
