"""`make bench-pipeline`: this pipeline beside its limit and its alternatives, in rounds that take turns.

The fakes answer at once. Every contender is up all the time, is warmed up, and runs as many workflows, as many at once.
What it is made of is counted apart from Azurite and the fakes, which do the same work for all and share the cores.
The last line is the figure; the exit code is 1 below the goal, or when something undercuts the limit.
"""

import argparse
import asyncio
import base64
import json
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import uuid4

from matplotlib.figure import Figure
from temporalio.client import WorkflowFailureError
from temporalio.service import RPCError

from fakes.pictures import portrait
from loadtests.bench import actions
from loadtests.bench.batches import Batch, batch, print_batch
from loadtests.bench.client import ContenderError
from loadtests.bench.contender import Contender
from loadtests.bench.files import folder_in_memory
from loadtests.comparisons.contenders import BESIDE, CELERY, CONTENDERS, LIMIT, LITERAL, PIPELINE
from loadtests.comparisons.literal import TASK_QUEUE, LiteralWorkflow
from loadtests.comparisons.standings import GOAL, Standing, table, verdict
from scenarios.processes.signals import ended_in_order, until_signalled
from scenarios.stack.programs import Options
from scenarios.stack.stack import Stack
from scenarios.stories.drawn import FAR

FEWEST_ROUNDS = 3
SETTLE_S = 11
"""Temporal's timers for a workflow task fire 10 s after it, and are its contender's CPU: the meter runs on so long."""
PATIENCE_S = 45
COLORS = {"temporal": "#264653", "worker": "#2a9d8f", "gateway": "#e9c46a", "client": "#e9c46a", "redis": "#e76f51"}


async def measure(stack: Stack, chosen: Sequence[str], rounds: int, workflows: int, concurrent: int) -> list[Standing]:
    """Run the contenders in turns, each round beginning with another of them."""
    beside = {name: stack[name].pid for name in BESIDE}
    found: dict[str, list[Batch]] = {name: [] for name in chosen}
    async with AsyncExitStack() as closing:
        up: dict[str, Contender] = {}
        for name in chosen:
            up[name] = await closing.enter_async_context(CONTENDERS[name](stack))
            await batch({}, concurrent, concurrent, up[name].run)  # connections, imports, first runs
        for number in range(rounds):
            for name in (*chosen[number % len(chosen) :], *chosen[: number % len(chosen)]):
                pids = {**up[name].own, **({} if name == LIMIT else beside)}
                try:
                    measured = await batch(pids, workflows, concurrent, up[name].run, settle=SETTLE_S)
                except ContenderError as error:
                    raise ContenderError(f"{name} failed in round {number + 1}: {error}") from None
                found[name].append(measured)
                print_batch(f"round {number + 1}, {name}", measured)
        if LITERAL in chosen:
            await _say_what_large_does(stack)
    return [Standing(name, frozenset(up[name].own), found[name]) for name in chosen]


async def _say_what_large_does(stack: Stack) -> None:
    """Try the literal pseudocode, whose worker is up, with a photo of 5 MB."""
    client = await stack.temporal()
    large = base64.b64encode(portrait(3000, 4000, seed=1, zoom=FAR)).decode()
    what = f"the literal pseudocode with {len(large) / 1e6:.1f} MB of base64"
    try:
        async with asyncio.timeout(PATIENCE_S):
            await client.execute_workflow(LiteralWorkflow.run, large, id=str(uuid4()), task_queue=TASK_QUEUE)
        print(f"{what}: works")
    except (RPCError, WorkflowFailureError, TimeoutError) as error:
        why = str(error).splitlines()[0][:160] if str(error) else type(error).__name__
        print(f"{what} fails: {why}")


async def main(rounds: int, workflows: int, concurrent: int, only: list[str], out: Path) -> int:
    """Measure, print the table, draw it, and say by the exit code whether the goal is kept."""
    chosen = [name for name in CONTENDERS if not only or name in only]
    with tempfile.TemporaryDirectory(prefix="bench-", dir=folder_in_memory()) as home:
        options = Options(
            profile="instant", temporal_ui=False, extra={"worker": {"A100_MAX_CONCURRENT": str(concurrent)}}
        )
        async with Stack(home=Path(home), options=options) as stack:
            try:
                measured = await measure(stack, chosen, rounds, workflows, concurrent)
            except ContenderError as error:
                print(f"bench-pipeline: {error}\nnothing was compared: run it again, or name others by --only")
                return 1
    standings = {standing.name: standing for standing in measured}
    (out / "pipeline.json").write_text(json.dumps(figures(standings), indent=1), encoding="utf-8")
    plot(standings).savefig(out / "pipeline.png", dpi=110)
    print(
        f"\n{rounds} rounds of {workflows} workflows, {concurrent} at once: medians (least to most)\n{table(standings)}"
    )
    if PIPELINE in standings:
        await actions.measure()
    kept, said = verdict(standings)
    print(f"plot and figures: {out / 'pipeline.png'}, {out / 'pipeline.json'}\nbench-pipeline: {said}")
    return 0 if kept else 1


def figures(standings: Mapping[str, Standing]) -> list[dict[str, object]]:
    """Return every figure for machines. CPU in seconds a workflow, memory in MiB, `moved` in bytes."""
    return [
        {
            "name": standing.name,
            "rate": vars(standing.rate),
            "own_cpu_s": vars(standing.own_cpu),
            "cpu_s": vars(standing.all_cpu),
            "own_memory_mib": standing.own_memory,
            "moved": standing.moved,
            "cpu_each_s": {name: standing.cpu(name) for name in standing.rounds[0].costs},
        }
        for standing in standings.values()
    ]


def plot(standings: Mapping[str, Standing]) -> Figure:
    """Draw each contender's own CPU by process, its spread, and what the pipeline may take."""
    figure = Figure(figsize=(7.2, 3.2), layout="constrained")
    axes = figure.subplots()
    drawn = list(standings.values())[::-1]
    for place, standing in enumerate(drawn):
        left = 0.0
        for process, color in COLORS.items():
            if process in standing.own:
                width = standing.cpu(process) * 1e3
                label = "gateway or client" if process in ("gateway", "client") else process
                axes.barh(place, width, left=left, color=color, label=label)
                left += width
        spread = standing.own_cpu
        axes.hlines(place, spread.least * 1e3, spread.most * 1e3, color="black", linewidth=1.2)
    if LIMIT in standings and PIPELINE in standings:
        goal = standings[LIMIT].own_cpu.median / GOAL * 1e3
        axes.axvline(goal, color="#c1121f", linestyle="--", label=f"{GOAL:g} of the limit")
    axes.set_yticks(range(len(drawn)), [standing.name for standing in drawn])
    axes.set_xlabel("ms of its own CPU for a workflow; the line is the spread of the rounds")
    shown = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    axes.legend(shown.values(), shown.keys(), fontsize="small")
    return figure


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="make bench-pipeline", description=__doc__)
    parser.add_argument("--rounds", type=int, default=FEWEST_ROUNDS, help=f"at least {FEWEST_ROUNDS}")
    parser.add_argument("--workflows", type=int, default=60, help="of each contender in each round")
    parser.add_argument("--concurrent", type=int, default=30)
    parser.add_argument("--only", action="append", default=[], choices=list(CONTENDERS), help="these contenders alone")
    parser.add_argument("--out", type=Path, default=Path("out/bench"))
    words = parser.parse_args()
    if words.rounds < FEWEST_ROUNDS:
        parser.error(f"--rounds {words.rounds}: a median with a spread needs at least {FEWEST_ROUNDS}")
    if words.concurrent < 1 or words.workflows < words.concurrent:
        parser.error("--workflows must be as many as --concurrent or more, and that at least 1")
    if shutil.which("redis-server") is None and (not words.only or CELERY in words.only):
        print(
            "make bench-pipeline: redis-server is needed: apt-get install redis-server",
            file=sys.stderr,
        )
        sys.exit(2)
    words.out.mkdir(parents=True, exist_ok=True)
    work = main(words.rounds, words.workflows, words.concurrent, words.only, words.out)
    sys.exit(ended_in_order(lambda: asyncio.run(until_signalled(work))))
