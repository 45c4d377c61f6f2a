"""`make scenario-from`: read a history, infer what happened, run it in virtual time, and keep what agrees."""

import argparse
import asyncio
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import structlog
from temporalio.api.history.v1 import HistoryEvent
from temporalio.service import RPCError

from scenarios.plans import scenario_of
from scenarios.reproduce.facts import NoTryOnError, events_of, named, of_history
from scenarios.reproduce.inference import infer
from scenarios.reproduce.latencies import latencies
from scenarios.reproduce.retold import all_of, export_drawn, histories_in, retold, summed_up
from scenarios.reproduce.written import told, write
from scenarios.world.simulation import Simulation


def main(arguments: Sequence[str]) -> int:
    """Reproduce try-ons. Exit codes: 0 all go the same way, 1 not all do, 2 there is no try-on to read."""
    options = _options(arguments)
    try:
        return _many(options) if options.plans or Path(options.history or "-").is_dir() else _one(options)
    except NoTryOnError as error:
        _note(f"make scenario-from: {error}")
        return 2


def _one(options: argparse.Namespace) -> int:
    where, events = _events(options)
    facts = of_history(events, where)
    _say("\n".join(["in production:", *(f"  {line}" for line in facts.way()), ""]))
    inferred = infer(facts, named(facts), latencies(options.recording))
    _say("\n".join(["inferred:", *(f"  {line}" for line in told(inferred) or ["nothing went wrong"]), ""]))
    _silence()
    with Simulation(seed=options.seed) as simulation:
        run = simulation.run(scenario_of(inferred.plan))
    again = retold(where, events, inferred, run)
    plan_file, test_file = write(options.out, inferred.plan, facts)
    _say("run in virtual time: " + ("another way:" if again.differs or again.seconds else "the same way"))
    _say("\n".join(f"  {line}" for line in [*again.differs, *again.seconds, *run.problems]))
    _say(f"{test_file}, with {plan_file}; again: make play PLAN={plan_file} TELL=1")
    return 1 if again.differs or again.seconds or inferred.missing else 0


def _many(options: argparse.Namespace) -> int:
    """Tell a folder of histories again, with those of random plans among them where some are asked for."""
    if options.recording:
        raise NoTryOnError("RECORDING is of one day, and for one try-on: say HISTORY=history.json with it")
    folder = Path(options.history or options.out / "histories")
    histories = {} if options.plans else histories_in(folder)
    _silence()
    with Simulation(seed=options.seed, replays=False) as simulation:
        if options.plans:
            export_drawn(folder / "plans", simulation, options.plans, options.seed)
            histories = histories_in(folder)
        again = list(all_of(histories, simulation, _progress))
    for each in again:
        write(options.out / Path(each.where).stem, each.inferred.plan, each.facts)
    _say("\n".join(summed_up(again)))
    _say(f"plans and tests are in {options.out}")
    return int(any(each.differs for each in again))


def _silence() -> None:
    """Say nothing of attempts that fail: they are the subject."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable(logging.CRITICAL)


def _events(options: argparse.Namespace) -> tuple[str, list[HistoryEvent]]:
    if bool(options.history) == bool(options.workflow):
        raise NoTryOnError("say either HISTORY=history.json or WORKFLOW=id")
    if options.history:
        try:
            text = Path(options.history).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
            raise NoTryOnError(f"{options.history}: cannot be read: {why}") from error
        return options.history, events_of(text, options.history)
    return asyncio.run(_from_a_server(options.workflow))


async def _from_a_server(workflow_id: str) -> tuple[str, list[HistoryEvent]]:
    """Read a history from the server that the environment names, as `app` finds it."""
    from app.process.temporal import TemporalConfigurationError, connect  # noqa: PLC0415 - a file needs no server

    try:
        client = await connect()
        history = await client.get_workflow_handle(workflow_id).fetch_history()
    except (TemporalConfigurationError, RPCError, RuntimeError) as error:
        raise NoTryOnError(f"WORKFLOW={workflow_id}: cannot be read from Temporal: {error}") from error
    return f"WORKFLOW={workflow_id}", list(history.events)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m scenarios scenario-from", description=__doc__)
    parser.add_argument(
        "--history", default="", help="a history as JSON: temporal workflow show --output json; or a folder of them"
    )
    parser.add_argument("--workflow", default="", help="or the id of a workflow on the server of TEMPORAL_ADDRESS")
    parser.add_argument("--recording", nargs="*", default=[], help="how long calls took that day, as a100=a100.jsonl")
    parser.add_argument("--plans", type=int, default=0, help="so many random plans besides, played in virtual time")
    parser.add_argument("--out", type=Path, default=Path("out/from"), help="where plan and test go")
    parser.add_argument("--seed", type=int, default=1, help="part of the workflow's id, and the fakes' chance")
    return parser.parse_args(arguments)


def _progress(done: int, total: int) -> None:
    if done % 20 == 0 or done == total:
        _note(f"{done} of {total} told again")


def _say(text: str) -> None:
    print(text)  # noqa: T201 - the command's own voice


def _note(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201 - the command's own voice
