"""Stories and the explorer look at a copy of the production code, in one world: `python -m scenarios.mutants.world`.

The copy is whatever `app` the process imports. What one of them notices it sees twice before it counts: a machine that
is too busy makes a run look wrong once, and not the same one again.
"""

import argparse
import json
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import AbstractContextManager, ExitStack
from itertools import zip_longest
from pathlib import Path
from traceback import walk_tb
from typing import NoReturn

import structlog

import app
from scenarios import plans
from scenarios.catalogue import CATALOGUE
from scenarios.explore.explorer import Explorer
from scenarios.explore.tryon.application import TryOns
from scenarios.model.observed import deviations
from scenarios.mutants.looks import Look, Noticed
from scenarios.mutants.standstill import watch
from scenarios.plans import plan_of, read_plan, scenario_of
from scenarios.scenario import Scenario
from scenarios.stories.run import Run
from scenarios.stories.runner import AT_ONCE
from scenarios.world.simulation import Simulation

STORED = Path(plans.__file__).parent
"""The plans that were ever worth keeping."""
LOOK_UP_S = 5.0
"""Seconds between two looks at the clock while stories run."""


class DoesNotBeginError(Exception):
    """The code that is looked at lets no world begin: it raised twice, and from a line of its own."""


def begun(
    stack: ExitStack, code: Path, world: Callable[[], AbstractContextManager[Simulation]] = Simulation
) -> Simulation:
    """Return a world that has begun and ends with the stack.

    Raises:
        DoesNotBeginError: by the code, twice.
        Exception: whatever else a world does not begin for.
    """
    try:
        return stack.enter_context(world())
    except Exception as error:
        if raised_in(error, code) is None:
            raise
    try:
        return stack.enter_context(world())
    except Exception as error:
        if (where := raised_in(error, code)) is None:
            raise
        raise DoesNotBeginError(f"it does not begin: {type(error).__name__} in {where}: {error}") from error


def raised_in(error: BaseException, code: Path) -> str | None:
    """Return the file of the code, and the line, that raised an error; None when other code did."""
    frame, line = list(walk_tb(error.__traceback__))[-1]
    path = Path(frame.f_code.co_filename)
    return f"{path.relative_to(code.parent)}:{line}" if path.is_relative_to(code) else None


def stories(simulation: Simulation, options: argparse.Namespace) -> Look:
    """Tell the catalogue and the stored plans, as `make test` does, up to the first that comes out wrong, twice."""
    began = time.monotonic()
    waiting = in_turn((*CATALOGUE, *map(scenario_of, map(read_plan, sorted(STORED.glob("*.json"))))))
    pending: dict[Future[Run], Scenario] = {}
    whole = True
    while True:
        while len(pending) < AT_ONCE and (chosen := next(waiting, None)):
            pending[simulation.submit(chosen)] = chosen
        if not pending:
            break
        for future in wait(pending, timeout=LOOK_UP_S, return_when=FIRST_COMPLETED).done:
            scenario, run = pending.pop(future), future.result()
            if wrong(run) and (problems := wrong(simulation.run(scenario))):
                return _look(Noticed.NOTICED, began, f"{scenario.name}: {problems[0]}")
            whole = whole and run.judged
        if time.monotonic() - began > options.limit:
            return _look(Noticed.UNPROVEN, began, "the time was over")
    if late := list(simulation.late_calls().values()):
        return _look(Noticed.NOTICED, began, late[0])
    return (
        _look(Noticed.SURVIVED, began) if whole else _look(Noticed.UNPROVEN, began, "not all stories could be judged")
    )


def wrong(run: Run) -> list[str]:
    """Return what in a run speaks against the code: where it was judged what is not as it must be, or may be."""
    return [*run.problems, *deviations(plan_of(run.scenario), run)] if run.judged else []


def in_turn(scenarios: Sequence[Scenario]) -> Iterator[Scenario]:
    """Yield a scenario of each theme in turn, so that the first ones come by as much of the code as they can."""
    themes: dict[str, list[Scenario]] = {}
    for scenario in scenarios:
        themes.setdefault(scenario.theme, []).append(scenario)
    for row in zip_longest(*themes.values()):
        yield from filter(None, row)


def explorer(simulation: Simulation, options: argparse.Namespace) -> Look:
    """Explore up to the first finding that can be found again."""
    began = time.monotonic()
    application = TryOns(simulation)
    exploring = Explorer(application, seed=1, name=lambda plan: plan.name, shrinks=False)
    noticed: list[str] = []
    looked_at = 0

    def over() -> bool:
        nonlocal looked_at
        for finding in exploring.explored.findings[looked_at:]:
            looked_at += 1
            if (again := application.run([finding.first])[0]).verdict == "failed":
                noticed.append(f"{finding.first.name}: {again.problems[0]}")
        return bool(noticed) or time.monotonic() - began > options.limit

    explored = exploring.explore(most=options.plans, over=over)
    over()  # what the last batch found
    if noticed:
        return _look(Noticed.NOTICED, began, noticed[0])
    told = f"{explored.plans} plans, {explored.inconclusive} of them inconclusive"
    return _look(Noticed.SURVIVED if 2 * explored.inconclusive < explored.plans else Noticed.UNPROVEN, began, told)


def _look(seen: Noticed, began: float, what: str = "") -> Look:
    return Look(seen, time.monotonic() - began, what)


LOOKERS: dict[str, Callable[[Simulation, argparse.Namespace], Look]] = {"stories": stories, "explorer": explorer}


def main(arguments: Sequence[str]) -> int:
    """Let them look, one after the other, and write what each saw as soon as it is known."""
    parser = argparse.ArgumentParser(prog="python -m scenarios.mutants.world", description=__doc__)
    parser.add_argument("by", nargs="+", choices=LOOKERS, help="who looks")
    parser.add_argument("--limit", type=float, required=True, help="seconds for each")
    parser.add_argument("--plans", type=int, required=True, help="plans that the explorer makes at most")
    parser.add_argument("--first", action="store_true", help="nobody else looks once one has noticed something")
    parser.add_argument("--result", type=Path, required=True, help="where what they saw is written to, as JSON")
    options = parser.parse_args(arguments)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable(logging.CRITICAL)  # an attempt that fails is what is looked for
    looks: dict[str, Look] = {}

    def note(name: str, look: Look) -> None:
        looks[name] = look
        options.result.write_text(json.dumps({each: seen.as_json() for each, seen in looks.items()}))

    now = options.by[0], time.monotonic()

    def kept(who: str) -> None:  # nothing goes on any more, and nothing will
        note(now[0], _look(Noticed.NOTICED, now[1], who))
        _leave()

    code = Path(app.__file__).parent
    with ExitStack() as stack:
        try:
            simulation = begun(stack, code)
        except DoesNotBeginError as never:
            for name in options.by:
                note(name, _look(Noticed.NOTICED, now[1], str(never)))
            _leave()
        watch(simulation.call_soon, simulation.thread_id, code, kept)
        for name in options.by:
            now = name, time.monotonic()
            note(name, LOOKERS[name](simulation, options))
            if options.first and looks[name].seen is Noticed.NOTICED:
                break
    _leave()


def _leave() -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # only now, with everything shut down: the interpreter can abort at exit (sdk-python #300)


if __name__ == "__main__":
    main(sys.argv[1:])
