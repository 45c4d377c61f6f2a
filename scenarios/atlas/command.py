"""`make atlas`: run every outage in virtual time; a page, a table and JSON say what came of it."""

import argparse
import json
import logging
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import structlog

from scenarios.atlas.agreement import beside_chaos, beside_real_time
from scenarios.atlas.measured import Cell, cost, measure
from scenarios.atlas.outages import Outage, beginnings_of, outages, scenario, undisturbed
from scenarios.atlas.page import atlas_page, compared, terminal
from scenarios.atlas.policy import IGNORED, Policy, read_policy, rewriting
from scenarios.processes.signals import Stopped, stopped_by_signals
from scenarios.stories.run import Run
from scenarios.world.simulation import Simulation

STOPPING = "stopping; what is there is summed up (Ctrl-C again kills it)"
AT_ONCE = 12


def main(arguments: Sequence[str]) -> int:
    """Make the atlas. Exit codes: 0 it is whole and true, 1 some cells prove nothing, 2 wrong options.

    Ended by a signal, it writes what is there and exits with 128 and the signal's number.
    """
    options = _options(arguments)
    try:
        policy = read_policy({"attempts": options.attempts, "first": options.first, "longest": options.longest})
    except ValueError as error:
        _note(f"make atlas: {error}")
        return 2
    if options.real:
        return _agree(options)
    chosen = outages(options.only)
    if not chosen:
        _note(f"make atlas: no outage has a name with {' or '.join(options.only)}: try azure, sam3, hangs, or 30-s")
        return 2
    _silence()
    began = time.perf_counter()
    cells: list[Cell] = []
    others: list[Cell] = []
    code = 0
    try:
        with stopped_by_signals(STOPPING):
            _fill(cells, chosen, options.seed, Policy())
            if policy:
                _fill(others, chosen, options.seed, policy)
    except Stopped as stopped:
        code = stopped.exit_code
    _write(options, cells, others, policy, interrupted=code != 0)
    _say(terminal(cells))
    if others:
        _say(compared(cost(cells[: len(others)]), cost(others), str(policy), len(others)))
    untrue = sum(bool(cell.problems) for cell in (*cells, *others))
    count = len(cells) + len(others)
    _say(f"{count} outages in {time.perf_counter() - began:.0f} s, {untrue} prove nothing; {options.out}/atlas.html")
    return code or int(untrue > 0)


def _agree(options: argparse.Namespace) -> int:
    """Hold the atlas against `make chaos` and against real time. Exit codes: 0 they agree, 1 they do not."""
    _silence()
    with (
        tempfile.TemporaryDirectory(prefix="atlas-") as home,
        Simulation(seed=options.seed, at_once=AT_ONCE, replays=False) as simulation,
    ):
        pairs = beside_chaos(simulation)
        _say("\n".join(["the outages of make chaos:", *map(str, pairs)]))
        real = beside_real_time(simulation, Path(home), options.seed, options.real)
        _say("\n".join(["", "cells in real time:", *map(str, real)]))
    agree = sum(each.atlas == each.other for each in (*pairs, *real))
    _say(f"{agree} of {len(pairs) + len(real)} agree")
    return int(agree < len(pairs) + len(real))


def _silence() -> None:
    """Say nothing of attempts that fail: they are the subject."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable(logging.CRITICAL)


def _fill(cells: list[Cell], chosen: Sequence[Outage], seed: int, policy: Policy) -> None:
    """Run outages and add a cell for each, in their order."""
    interceptors = [rewriting(policy)] if policy else []
    with Simulation(seed=seed, at_once=AT_ONCE, replays=False, interceptors=interceptors) as simulation:
        calm = simulation.run(undisturbed())
        if calm.problems:
            raise SystemExit(f"make atlas: a try-on fails with nothing away: {'; '.join(calm.problems)}")
        beginnings = beginnings_of(calm)
        begins = [beginnings.of(outage.dependency, outage.step) for outage in chosen]
        pending = [simulation.submit(scenario(outage, at)) for outage, at in zip(chosen, begins, strict=True)]
        for number, (outage, at, run) in enumerate(zip(chosen, begins, pending, strict=True), 1):
            done: Run = run.result()
            cells.append(measure(outage, done, at, ignore=IGNORED if policy else ()))
            _progress(number, len(chosen), f"{outage.dependency.name}, {outage.step.name}")


def _write(
    options: argparse.Namespace, cells: Sequence[Cell], others: Sequence[Cell], policy: Policy, *, interrupted: bool
) -> None:
    options.out.mkdir(parents=True, exist_ok=True)
    data = {
        "seed": options.seed,
        "interrupted": interrupted,
        "cells": [cell.as_json() for cell in cells],
        "policy": str(policy),
        "cells_of_the_policy": [cell.as_json() for cell in others],
    }
    (options.out / "atlas.json").write_text(json.dumps(data, indent=1), encoding="utf-8")
    page = atlas_page(cells, others, str(policy), seed=options.seed, interrupted=interrupted)
    (options.out / "atlas.html").write_text(page, encoding="utf-8")


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m scenarios atlas", description=__doc__)
    parser.add_argument("only", nargs="*", help="outages whose names hold one of these words: azure, hangs, 30-s")
    parser.add_argument("--seed", type=int, default=1, help="part of every workflow id, and the fakes' chance")
    parser.add_argument("--out", type=Path, default=Path("out/atlas"), help="where page and JSON go")
    parser.add_argument(
        "--real", type=int, default=0, help="hold it against make chaos, and so many cells in real time"
    )
    parser.add_argument("--attempts", default="", help="the same with another policy: attempts in all")
    parser.add_argument("--first", default="", help="its first backoff in seconds")
    parser.add_argument("--longest", default="", help="its longest backoff in seconds")
    return parser.parse_args(arguments)


def _progress(done: int, total: int, what: str) -> None:
    if sys.stderr.isatty():
        end = "\n" if done == total else ""
        sys.stderr.write(f"\r{done}/{total} {what:50.50}{end}")
        sys.stderr.flush()
    elif done % 50 == 0:
        _note(f"{done} of {total}")


def _say(text: str) -> None:
    print(text)  # noqa: T201 - the command's own voice


def _note(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201 - the command's own voice
