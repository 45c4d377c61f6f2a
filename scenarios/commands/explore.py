"""`make explore`: look for failures that nobody thought of, by the model, for so many minutes."""

import argparse
import logging
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import structlog

from scenarios.explore.coverage import Coverage
from scenarios.explore.explorer import Explored, Explorer
from scenarios.explore.journal import Journal, JournalInvalid
from scenarios.explore.known import Known, KnownInvalid, read_known
from scenarios.explore.tryon.application import TryOns, reachable, sample, whole_grid
from scenarios.explore.tryon.branches import Branches, watched_branches
from scenarios.explore.tryon.findings import write_finding
from scenarios.explore.tryon.map_page import map_page, table
from scenarios.plans import Plan, scenario_of
from scenarios.processes.signals import Stopped, stopped_by_signals
from scenarios.world.simulation import Simulation

KNOWN = Path(__file__).resolve().parents[1] / "explore" / "known.yaml"
STOPPING = "summing up what is there (Ctrl-C again kills it)"
STOPPED = "it was stopped"
AT_ONCE = 12
MOST_ALONE = 100
"""Plans that run alone, so that a branch which never ran has a plan near it: some seconds for ten."""


def main(arguments: Sequence[str]) -> int:
    """Explore, and say what was found. Exit codes: 0 without findings, 1 with, 2 for wrong options.

    Ended by a signal it sums up what is there, and exits with 128 and the signal's number if it has found nothing.
    """
    options = _options(arguments)
    out = Path(options.out)
    try:
        known = read_known(Path(options.known))
        journal = Journal(out / "journal.jsonl", seed=options.seed, resume=options.resume)
    except (JournalInvalid, KnownInvalid, OSError) as invalid:
        _note(str(invalid))
        return 2
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable(logging.CRITICAL)  # an attempt that fails is what is looked for; the stories tell it
    if journal.resumed:
        _note(f"taking up a run that has made {journal.resumed} plans")
    with (
        stopped_by_signals(STOPPING),
        _watched(options) as branches,
        Simulation(seed=options.seed, at_once=AT_ONCE) as simulation,
    ):
        code, explored = _explored(simulation, options, journal, known)
        if branches:
            _by_plan(simulation, explored, branches)
    _draw(explored, branches, out, options.seed)
    return code


@contextmanager
def _watched(options: argparse.Namespace) -> Iterator[Branches | None]:
    """Watch the application's branches where that is asked for: on this Python it may cost as much as the plans do."""
    if not options.branches:
        yield None
        return
    with watched_branches() as branches:
        yield branches


def _explored(
    simulation: Simulation, options: argparse.Namespace, journal: Journal, known: Known
) -> tuple[int, Explored[Plan]]:
    began = time.monotonic()
    cells, nearest = reachable(sample(options.seed))
    explorer = Explorer(
        TryOns(simulation),
        seed=options.seed,
        coverage=Coverage(cells, whole_grid(cells), nearest),
        journal=journal,
        known=known,
        name=lambda plan: plan.name,
        progress=_PlansSoFar(),
        shrinks=not options.first,
    )
    code = 0
    try:
        explored = explorer.explore(
            most=options.plans,
            over=lambda: (
                time.monotonic() - began > 60 * options.minutes or (options.first and bool(explorer.explored.findings))
            ),
        )
    except Stopped as stopped:
        stopped.heard()
        explored, code = explorer.explored, stopped.exit_code
        explored.why = STOPPED
    explored.seconds = time.monotonic() - began
    if options.first:
        del explored.findings[1:]  # of the batch in which it was
    _tell(explored, simulation, Path(options.out))
    return (1 if explored.findings else code), explored


def _by_plan(simulation: Simulation, explored: Explored[Plan], branches: Branches) -> None:
    """Run the first plans that showed something new once more, each alone, to know which lines they come to."""
    if explored.why == STOPPED:
        return
    new = {*explored.coverage.behaviours.values(), *explored.coverage.reached.values()}
    telling = [plan for plan, _ in explored.verdicts if plan.name in new]
    for plan in telling[:MOST_ALONE]:
        with branches.by(plan.name):
            simulation.run(scenario_of(plan))


def _tell(explored: Explored[Plan], simulation: Simulation, out: Path) -> None:
    for finding in explored.findings:
        run = simulation.run(scenario_of(finding.shrunk.plan))
        where = write_finding(out / "findings", finding, run)
        _say(f"finding: {finding.cause}\n  {finding.shrunk.seen.problems[0]}\n  told in {where / 'story.txt'}")
    for cause, reason in explored.accepted.items():
        _say(f"known and accepted: {cause}\n  {reason}")
    for late in simulation.late_calls().values():
        _say(f"inconclusive: {late}")


def _draw(explored: Explored[Plan], branches: Branches | None, out: Path, seed: int) -> None:
    out.mkdir(parents=True, exist_ok=True)
    (out / "map.html").write_text(map_page(explored, f"The map of seed {seed}", branches), encoding="utf-8")
    _say(table(explored.coverage))
    if branches:
        _say(branches.summary)
    if explored.inconclusive:
        _say(f"{explored.inconclusive} plans were inconclusive: they say nothing")
    _say(f"it ended because {explored.why}; the map is {out / 'map.html'}")
    coverage = explored.coverage
    _say(
        f"explored {explored.plans} plans in {explored.seconds:.0f} s: {len(explored.findings)} findings; "
        f"{len(coverage.behaviours)} behaviours, {len(coverage.reached)} of {len(coverage.possible)} cells "
        "of the map reached"
    )


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m scenarios explore", description=__doc__)
    parser.add_argument("--minutes", type=_positive(float), default=10.0, help="how long (10)")
    parser.add_argument("--seed", type=int, default=1, help="decides, with what is seen, which plans come (1)")
    parser.add_argument("--out", metavar="FOLDER", default="out/explore", help="findings and map (out/explore)")
    parser.add_argument("--plans", type=_positive(int), help="at most so many plans")
    parser.add_argument("--first", action="store_true", help="stop at the first finding, and do not make it smaller")
    parser.add_argument("--branches", action="store_true", help="list the branches of app that no plan ran (slower)")
    parser.add_argument("--resume", action="store_true", help="go on where the last run of this seed stopped")
    parser.add_argument("--known", metavar="FILE", default=str(KNOWN), help="causes that are accepted, with reasons")
    return parser.parse_args(arguments)


def _positive(kind: Callable[[str], float]) -> Callable[[str], float]:
    def read(text: str) -> float:
        value = kind(text)
        if not value > 0:
            raise argparse.ArgumentTypeError(f"{text} is not above 0")
        return value

    read.__name__ = kind.__name__  # argparse says "invalid int value" by it
    return read


class _PlansSoFar:
    """Says on a terminal how far it is."""

    def __call__(self, plans: int, findings: int) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{plans} plans, {findings} findings")
            sys.stderr.flush()


def _say(text: str) -> None:
    print(text)  # noqa: T201 - the command's own voice


def _note(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201 - the command's own voice
