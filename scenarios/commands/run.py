"""`make scenarios`: run the catalogue in virtual time, in real time (LIVE=1) or against a deployment (BASE_URL=…).

REFEREE=1 tells what ran in virtual time again by Temporal's own clock.
"""

import argparse
import asyncio
import json
import logging
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import structlog

from scenarios.catalogue import CATALOGUE
from scenarios.commands.referee import judged_by_referee
from scenarios.model.observed import hold_against_the_model
from scenarios.plans import plan_of
from scenarios.processes.signals import STOPPING, until_signalled
from scenarios.scenario import Scenario
from scenarios.stack.live import LivePlace, live_stack
from scenarios.stack.programs import RUN
from scenarios.stories.report import story, table
from scenarios.stories.run import Run
from scenarios.stories.runner import AT_ONCE, Runner
from scenarios.world.simulation import Simulation

LIVE_AT_ONCE = 6


def main(arguments: Sequence[str]) -> int:
    """Run scenarios, print the table and the closing line. Exit codes: 0 all passed, 1 some failed, 2 wrong options.

    With a referee: 0 all passed and agree, 1 some do not, 2 there is none that it could tell.

    Ended by a signal, it stops everything and exits with 128 and the signal's number.
    """
    options = _options(arguments)
    chosen = _chosen(options)
    if options.list:
        for scenario in chosen:
            _say(f"{scenario.name:44} {scenario.theme:16} {scenario.written:42} {scenario.story}")
        return 0
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable(logging.CRITICAL)  # an attempt that fails is the story here; the report tells it
    runs, wall = _run(options, chosen)
    _report(options, runs, wall)
    code = 0 if all(run.passed for run in runs) else 1
    return max(code, _refereed(options, runs)) if options.referee else code


def _run(options: argparse.Namespace, chosen: list[Scenario]) -> tuple[list[Run], float]:
    began = time.perf_counter()
    if options.base_url or options.live:
        runs: list[Run] = []

        async def work() -> int:
            runs.extend(await _in_real_time(options, chosen))
            return 0

        asyncio.run(until_signalled(work(), lambda: _note(STOPPING)))
        return runs, time.perf_counter() - began
    with Simulation(seed=options.seed, at_once=options.at_once) as simulation:
        several = "s" if len(chosen) != 1 else ""
        _note(f"the world is up after {time.perf_counter() - began:.1f} s; {len(chosen)} scenario{several}")
        began = time.perf_counter()
        runs = simulation.run_all(chosen, done=_ScenariosSoFar(len(chosen)))
    wall = time.perf_counter() - began
    for run in runs:
        hold_against_the_model(plan_of(run.scenario), run)
    return runs, wall


def _refereed(options: argparse.Namespace, runs: list[Run]) -> int:
    _note("now by Temporal's own clock: backoffs are skipped, what an attempt waits for is real")
    verdict = judged_by_referee(
        runs, seed=options.seed, done=_ScenariosSoFar(len(runs)), on_signal=lambda: _note(STOPPING)
    )
    _say("\n".join(verdict.lines()))
    return verdict.exit_code


async def _in_real_time(options: argparse.Namespace, chosen: list[Scenario]) -> list[Run]:
    # A deployment remembers its Idempotency-Keys: a seed of the moment makes each run a new one.
    seed = f"{options.seed}-{time.time_ns()}"
    if options.base_url:
        return await _at(LivePlace(options.base_url.rstrip("/")), seed, chosen, options)
    async with live_stack(RUN / "scenarios-live") as place:
        return await _at(place, seed, chosen, options)


async def _at(place: LivePlace, seed: str, chosen: list[Scenario], options: argparse.Namespace) -> list[Run]:
    fitting = [scenario for scenario in chosen if place.fits(scenario)]
    _note(f"{len(fitting)} of {len(chosen)} scenarios fit here")
    runner = Runner(place, seed=seed)
    try:
        return await runner.run_all(
            fitting, at_once=min(options.at_once, LIVE_AT_ONCE), done=_ScenariosSoFar(len(fitting))
        )
    finally:
        await runner.close()


def _report(options: argparse.Namespace, runs: list[Run], wall: float) -> None:
    for run in runs:
        if not run.passed or options.tell:
            _say(story(run, f"make scenarios ONLY={run.scenario.name} SEED={options.seed}") + "\n")
    if options.timeline:
        from scenarios.stories.drawing import card, page  # noqa: PLC0415 - only those who want the drawing pay for it

        Path(options.timeline).write_text(page([card(run) for run in runs]), encoding="utf-8")
        _note(f"timelines drawn into {options.timeline}")
    if options.ledger:
        ledgers = {run.key: run.ledger() for run in runs}
        Path(options.ledger).write_text(json.dumps(ledgers, indent=1, sort_keys=True), encoding="utf-8")
    if options.result:
        results = [{"scenario": run.scenario.name, "judged": run.judged, "problems": run.problems} for run in runs]
        Path(options.result).write_text(json.dumps(results, indent=1), encoding="utf-8")
    _say(table(runs, wall))


def _chosen(options: argparse.Namespace) -> list[Scenario]:
    unknown = set(options.names) - {scenario.name for scenario in CATALOGUE}
    if unknown:
        _note(f"no such scenario: {', '.join(sorted(unknown))}; `make scenarios LIST=1` lists them")
        sys.exit(2)
    chosen = [
        scenario
        for scenario in CATALOGUE
        if (not options.names or scenario.name in options.names)
        and (not options.theme or scenario.theme == options.theme)
    ]
    if not chosen:
        themes = dict.fromkeys(scenario.theme for scenario in CATALOGUE)
        _note(f"no scenario of the theme {options.theme!r}; there are {', '.join(themes)}")
        sys.exit(2)
    return chosen


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m scenarios run", description=__doc__)
    parser.add_argument("names", nargs="*", help="scenarios to run; all if none is named")
    parser.add_argument("--theme", help="only those of this theme")
    parser.add_argument("--list", action="store_true", help="list them instead of running them")
    parser.add_argument("--live", action="store_true", help="in real time, on a stack with scaled fakes")
    parser.add_argument("--base-url", help="those without faults, against the gateway at this address")
    parser.add_argument("--referee", action="store_true", help="again by Temporal's own clock; both must agree")
    parser.add_argument("--seed", type=int, default=1, help="part of every workflow id, and the fakes' chance")
    parser.add_argument("--at-once", type=int, default=AT_ONCE, help="how many run side by side")
    parser.add_argument("--tell", action="store_true", help="tell the story of those that passed, too")
    parser.add_argument("--timeline", metavar="FILE", help="draw them into a self-contained HTML page")
    parser.add_argument("--ledger", metavar="FILE", help="write the calls of each run, to compare two runs by")
    parser.add_argument("--result", metavar="FILE", help="write what came of each run: its problems, as JSON")
    options = parser.parse_args(arguments)
    if options.referee and (options.live or options.base_url):
        parser.error("--referee is for virtual time: leave --live and --base-url out (LIVE, BASE_URL)")
    return options


class _ScenariosSoFar:
    """Says on a terminal how far it is."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0

    def __call__(self, run: Run) -> None:
        self._done += 1
        if sys.stderr.isatty():
            end = "\n" if self._done == self._total else ""
            sys.stderr.write(f"\r{self._done}/{self._total} {run.scenario.name:50.50}{end}")
            sys.stderr.flush()


def _say(text: str) -> None:
    print(text)  # noqa: T201 - the command's own voice


def _note(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201 - the command's own voice
