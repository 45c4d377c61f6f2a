"""`make bench-scenarios`: how fast the simulation is, as ratios in one run. The last line is the figure."""

import argparse
import asyncio
import logging
import statistics
import tempfile
import time
import uuid
from collections.abc import Coroutine, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import structlog
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from scenarios.catalogue import CATALOGUE
from scenarios.scenario import Scenario
from scenarios.stories.run import Run
from scenarios.stories.runner import AT_ONCE, Runner
from scenarios.virtual import VirtualLoop
from scenarios.world.simulation import Simulation
from scenarios.world.world import World

T = TypeVar("T")

WAITS_S = 20.0
"""A story that takes so many virtual seconds waits: a hang, a job that is stuck, a row of backoffs."""
PAIRS = 15
SIDE_BY_SIDE = 100
COMPARED = ("near", "sam3-job-stuck")
STORY_S = 27 / 219
"""Wall seconds that a story of the whole catalogue may take."""
LEAST_RATIO = 1000
MOST_TIMES = 2.5


@activity.defn
async def nothing() -> None:
    """Do nothing."""


@workflow.defn
class NullWorkflow:
    """So many activities that do nothing, and so many timers: what the server and the SDK alone cost."""

    @workflow.run
    async def run(self, attempts: int, timers: int) -> None:
        """Run them one after the other."""
        for number in range(max(attempts, timers)):
            if number < attempts:
                await workflow.execute_activity(nothing, start_to_close_timeout=timedelta(seconds=30))
            if number < timers:
                await workflow.sleep(10)


def main(arguments: Sequence[str]) -> int:
    """Measure, print the figures, and exit with 1 when a goal is missed."""
    argparse.ArgumentParser(prog="python -m scenarios bench", description=__doc__).parse_args(arguments)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable(logging.CRITICAL)
    runs, wall = _all(CATALOGUE)
    bad = [run.scenario.name for run in runs if not run.passed]
    virtual = sum(run.timeline.length for run in runs)
    limit = STORY_S * len(runs)
    _say(f"whole catalogue: {len(runs)} scenarios, {virtual:.0f} virtual s in {wall:.1f} s (goal: under {limit:.0f} s)")
    median = statistics.median(run.timeline.length / run.wall_s for run in runs)
    _say(f"median scenario, {AT_ONCE} side by side: {median:.1f} times real time")
    waiting = [run.scenario for run in runs if run.timeline.length >= WAITS_S]
    waited, wall_waiting = _all(waiting)
    ratio = sum(run.timeline.length for run in waited) / wall_waiting
    _say(f"the {len(waiting)} stories that wait: {ratio:.0f} times real time (goal: {LEAST_RATIO})")
    times = {name: _in_virtual_time(_beside_null(name)) for name in COMPARED}
    for name, (own, null) in times.items():
        compared = f"{own * 1000:.0f} ms, a null workflow alike {null * 1000:.0f} ms: {own / null:.1f} times"
        _say(f"{name}: {compared} (goal: {MOST_TIMES:g})")
    same = _same_ledgers([scenario for scenario in CATALOGUE if not scenario.beside][:SIDE_BY_SIDE])
    _say(f"{SIDE_BY_SIDE} at once and one after the other: ledgers {'the same' if same else 'DIFFER'}")
    if bad:
        _say(f"failed: {', '.join(bad)}")
    most = max(own / null for own, null in times.values())
    good = not bad and wall < limit and ratio >= LEAST_RATIO and most <= MOST_TIMES and same
    _say(
        f"{len(runs)} scenarios in {wall:.1f} s, {ratio:.0f} times real time where it waits, "
        f"{most:.1f} times a null workflow: {'goals met' if good else 'a goal is missed'}"
    )
    return 0 if good else 1


def _all(scenarios: Sequence[Scenario], *, at_once: int = AT_ONCE) -> tuple[list[Run], float]:
    with Simulation(at_once=at_once) as simulation:
        simulation.run(_near())  # the first one pays for imports, connections and drawn pictures
        began = time.perf_counter()
        runs = simulation.run_all(scenarios)
        return runs, time.perf_counter() - began


def _near() -> Scenario:
    return next(scenario for scenario in CATALOGUE if scenario.name == "near")


def _in_virtual_time(work: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)


async def _beside_null(name: str) -> tuple[float, float]:
    """Return the median wall time of a scenario and of a null workflow alike, measured by turns on one server."""
    scenario = next(scenario for scenario in CATALOGUE if scenario.name == name)
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as home:
        async with World(Path(home)) as world:
            assert world.temporal is not None
            runner = Runner(world, replays=False)
            queue = str(uuid.uuid4())
            own: list[float] = []
            null: list[float] = []
            async with Worker(
                world.temporal,
                task_queue=queue,
                workflows=[NullWorkflow],
                activities=[nothing],
                workflow_runner=UnsandboxedWorkflowRunner(),
            ):
                for number in range(PAIRS):
                    run = await runner.run(scenario, number + 1)
                    own.append(run.wall_s)
                    used = [attempt for attempt in run.timeline.attempts if attempt.ended != attempt.began]
                    null.append(await _null(world.temporal, queue, len(run.timeline.attempts), len(used)))
            await runner.close()
    return statistics.median(own), statistics.median(null)


async def _null(client: Client, queue: str, attempts: int, timers: int) -> float:
    began = time.perf_counter()
    await client.execute_workflow(NullWorkflow.run, args=[attempts, timers], id=str(uuid.uuid4()), task_queue=queue)
    return time.perf_counter() - began


def _same_ledgers(scenarios: list[Scenario]) -> bool:
    together, _ = _all(scenarios, at_once=SIDE_BY_SIDE)
    in_turn, _ = _all(scenarios, at_once=1)
    differing = [pair for pair in zip(together, in_turn, strict=True) if pair[0].ledger() != pair[1].ledger()]
    for one, other in differing:
        row = min(set(one.ledger()) ^ set(other.ledger()), key=str, default="their order")
        which = "at once" if row in one.ledger() else "one after the other"
        _say(f"{one.scenario.name}: only {which}: {row}; problems: {[*one.problems, *other.problems]}")
    return not differing


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - the command's own voice
