"""`make scenario-from`: read a history, infer what happened, run it in virtual time, and keep what agrees."""

import argparse
import asyncio
import logging
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import structlog
from temporalio.service import RPCError

from scenarios.model.observed import observed
from scenarios.plans import scenario_of
from scenarios.processes.signals import Stopped, stopped_by_signals
from scenarios.reproduce.facts import Facts, NoTryOnError, differs, of_history, of_story, read
from scenarios.reproduce.inference import infer
from scenarios.reproduce.written import told, write
from scenarios.world.simulation import Simulation

STOPPING = "stopping everything (Ctrl-C again kills it)"


def main(arguments: Sequence[str]) -> int:
    """Reproduce a try-on. Exit codes: 0 it goes the same way, 1 it does not, 2 there is no try-on to read."""
    options = _options(arguments)
    try:
        facts = _facts(options)
    except NoTryOnError as error:
        _note(f"make scenario-from: {error}")
        return 2
    _say("\n".join(["in production:", *(f"  {line}" for line in facts.way()), ""]))
    inferred = infer(facts, _name(facts))
    _say("\n".join(["inferred:", *(f"  {line}" for line in told(inferred) or ["nothing went wrong"]), ""]))
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable(logging.CRITICAL)  # attempts that fail are the subject
    try:
        with stopped_by_signals(STOPPING), Simulation(seed=options.seed) as simulation:
            run = simulation.run(scenario_of(inferred.plan))
    except Stopped as stopped:
        code = stopped.exit_code
    else:
        differences = differs(facts, of_story(observed(run)))
        plan_file, test_file = write(options.out, inferred.plan, facts)
        _say("\n".join(["run in virtual time: " + ("the same way" if not differences else "another way:")]))
        _say("\n".join(f"  {line}" for line in [*differences, *run.problems]))
        _say(f"{test_file}, with {plan_file}; again: make play PLAN={plan_file} TELL=1")
        code = 1 if differences or inferred.missing else 0
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # everything is shut down: the interpreter can abort at exit (sdk-python #300)


def _facts(options: argparse.Namespace) -> Facts:
    if bool(options.history) == bool(options.workflow):
        raise NoTryOnError("say either HISTORY=history.json or WORKFLOW=id")
    if options.history:
        try:
            text = Path(options.history).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
            raise NoTryOnError(f"{options.history}: cannot be read: {why}") from error
        return read(text, options.history)
    return asyncio.run(_from_a_server(options.workflow))


async def _from_a_server(workflow_id: str) -> Facts:
    """Read a history from the server that the environment names, as `app` finds it."""
    from app.process.temporal import TemporalConfigurationError, connect  # noqa: PLC0415 - a file needs no server

    try:
        client = await connect()
        history = await client.get_workflow_handle(workflow_id).fetch_history()
    except (TemporalConfigurationError, RPCError, RuntimeError) as error:
        raise NoTryOnError(f"WORKFLOW={workflow_id}: cannot be read from Temporal: {error}") from error
    return of_history(list(history.events), f"WORKFLOW={workflow_id}")


def _name(facts: Facts) -> str:
    words = [facts.status, facts.code or "", facts.step or ""]
    return re.sub(r"[^a-z0-9]+", "-", "-".join(word for word in words if word).lower())


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m scenarios scenario-from", description=__doc__)
    parser.add_argument("--history", default="", help="a history as JSON: temporal workflow show --output json")
    parser.add_argument("--workflow", default="", help="or the id of a workflow on the server of TEMPORAL_ADDRESS")
    parser.add_argument("--out", type=Path, default=Path("out/from"), help="where plan and test go")
    parser.add_argument("--seed", type=int, default=1, help="part of the workflow's id, and the fakes' chance")
    return parser.parse_args(arguments)


def _say(text: str) -> None:
    print(text)  # noqa: T201 - the command's own voice


def _note(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201 - the command's own voice
