"""`make play PLAN=plan.json`: run plans again, with the same ledger and the same timeline to the byte."""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import structlog

from scenarios.model.observed import hold_against_the_model
from scenarios.plans import PlanInvalid, read_plan, scenario_of
from scenarios.plans.record import record
from scenarios.stories.report import story
from scenarios.stories.run import Run
from scenarios.world.simulation import Simulation


def main(arguments: Sequence[str]) -> int:
    """Run plans and tell those that failed. Exit codes: 0 all passed, 1 some did not, 2 a plan that cannot be used."""
    options = _options(arguments)
    try:
        plans = {path: read_plan(Path(path)) for path in options.plans}
    except PlanInvalid as invalid:
        _note(str(invalid))
        return 2
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable(logging.CRITICAL)  # an attempt that fails is the story here; the report tells it
    with Simulation(seed=options.seed) as simulation:
        runs = simulation.run_all([scenario_of(plan) for plan in plans.values()])
    for plan, run in zip(plans.values(), runs, strict=True):
        hold_against_the_model(plan, run)
    _report(options, dict(zip(plans, runs, strict=True)))
    return 0 if all(run.passed for run in runs) else 1


def _report(options: argparse.Namespace, runs: dict[str, Run]) -> None:
    for path, run in runs.items():
        if options.tell or not run.passed:
            _say(story(run, f"make play PLAN={path}") + "\n")
        else:
            _say(f"{path}: passed: {run.status} after {run.timeline.length:.1f} virtual s")
    if options.record:
        Path(options.record).write_text("\n".join(map(record, runs.values())) + "\n", encoding="utf-8")
    if options.timeline:
        from scenarios.stories.drawing import card, page  # noqa: PLC0415 - only those who want the drawing pay for it

        Path(options.timeline).write_text(page([card(run) for run in runs.values()]), encoding="utf-8")
        _note(f"timelines drawn into {options.timeline}")


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m scenarios play", description=__doc__)
    parser.add_argument("plans", nargs="+", metavar="PLAN", help="a plan as JSON (docs/exploring.md)")
    parser.add_argument("--seed", type=int, default=1, help="part of the workflow's id, and the fakes' chance")
    parser.add_argument("--tell", action="store_true", help="tell the story of those that passed, too")
    parser.add_argument("--timeline", metavar="FILE", help="draw them into a self-contained HTML page")
    parser.add_argument(
        "--record", metavar="FILE", help="write ledger and timeline: the same, byte for byte, each time"
    )
    return parser.parse_args(arguments)


def _say(text: str) -> None:
    print(text)  # noqa: T201 - the command's own voice


def _note(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201 - the command's own voice
