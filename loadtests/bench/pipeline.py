"""`make bench-pipeline`: this pipeline beside its limit and its alternatives, one after the other in one run.

The fakes answer at once. CPU of what each contender is made of is counted apart from that of Azurite and the fakes,
which do the same work for all and share the cores. The last line is the figure; the exit code is 1 below the goal.
"""

import argparse
import asyncio
import base64
import json
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from temporalio.client import Client, WorkflowFailureError
from temporalio.service import RPCError

from fakes.pictures import portrait
from loadtests.bench.batches import Batch, batch, print_batch
from loadtests.bench.caller import Caller, body
from loadtests.bench.literal import TASK_QUEUE as LITERAL_QUEUE, LiteralWorkflow
from loadtests.bench.noop import TASK_QUEUE as NOOP_QUEUE, NoopWorkflow
from loadtests.processes import MIB
from scenarios.engine.ports import HOST, reserve_port
from scenarios.engine.probes import listens, polls
from scenarios.engine.processes import Probe, Program
from scenarios.engine.programs import FAKES, NAMESPACE, Options
from scenarios.engine.stack import Stack
from scenarios.engine.supervisor import Supervisor
from scenarios.photos import FAR, photo_bytes

GOAL = 0.5
BESIDE = ("azurite", *FAKES)
PATIENCE_S = 45

Measure = Callable[[Stack, int, int], Awaitable[Batch]]


@dataclass(frozen=True)
class Row:
    """One contender's line of the table."""

    name: str
    measured: Batch

    @property
    def own_cpu(self) -> float:
        """CPU seconds a workflow of what the contender is made of."""
        return sum(self.measured.cpu_each(name) for name in self.measured.costs if name not in BESIDE)

    @property
    def own_memory(self) -> float:
        """MiB that it held at its peak."""
        return sum(cost.peak for name, cost in self.measured.costs.items() if name not in BESIDE) / MIB


async def pipeline(stack: Stack, workflows: int, concurrent: int) -> Batch:
    """Run this pipeline, from POST to the fetched result."""
    content = body(photo_bytes("far"))
    caller = Caller(stack.urls["gateway"])
    try:
        await caller.try_on(content)
        return await batch(
            {child.name: child.pid for child in stack}, workflows, concurrent, lambda: caller.try_on(content)
        )
    finally:
        await caller.close()


async def noop(stack: Stack, workflows: int, concurrent: int) -> Batch:
    """Run the seven no-op activities: what Temporal itself costs here."""
    async with _worker(stack, "noop_worker", NOOP_QUEUE) as pid:
        client = await Client.connect(stack.temporal_address)

        async def one() -> None:
            await client.execute_workflow(NoopWorkflow.run, id=str(uuid4()), task_queue=NOOP_QUEUE)

        await one()
        return await batch({"worker": pid, "temporal": stack["temporal"].pid}, workflows, concurrent, one)


async def literal(stack: Stack, workflows: int, concurrent: int) -> Batch:
    """Run the specification's pseudocode with small pictures, and say what it does with a large one."""
    async with _worker(stack, "literal_worker", LITERAL_QUEUE) as pid:
        client = await Client.connect(stack.temporal_address)
        small = base64.b64encode(photo_bytes("far")).decode()

        async def one() -> None:
            await client.execute_workflow(LiteralWorkflow.run, small, id=str(uuid4()), task_queue=LITERAL_QUEUE)

        await one()
        pids = {"worker": pid, "temporal": stack["temporal"].pid, **{name: stack[name].pid for name in BESIDE}}
        measured = await batch(pids, workflows, concurrent, one)
        large = base64.b64encode(portrait(3000, 4000, seed=1, zoom=FAR)).decode()
        try:
            async with asyncio.timeout(PATIENCE_S):
                await client.execute_workflow(LiteralWorkflow.run, large, id=str(uuid4()), task_queue=LITERAL_QUEUE)
            print(f"the literal pseudocode with {len(large) / 1e6:.1f} MB of base64: works")
        except (RPCError, WorkflowFailureError, TimeoutError) as error:
            why = str(error).splitlines()[0][:160] if str(error) else type(error).__name__
            print(f"the literal pseudocode with {len(large) / 1e6:.1f} MB of base64 fails: {why}")
        return measured


async def celery(stack: Stack, workflows: int, concurrent: int) -> Batch:
    """Run the plain steps as a Celery chain over Redis."""
    port = reserve_port()
    environment = {**stack["worker"].program.environment, "REDIS_URL": f"redis://{HOST}:{port}/0"}
    redis = Program(
        name="redis",
        words=["redis-server", "--port", str(port), "--bind", HOST, "--save", "", "--appendonly", "yes"],
        environment=environment,
        healthy=_listens(port),
        addresses={},
    )
    words = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "loadtests.bench.celery_app",
        "worker",
        "--pool=threads",
        "-c",
        "100",
    ]
    ready = stack.home / "celery.log"
    worker = Program(
        name="celery",
        words=[*words, "--without-gossip", "--without-mingle", "-l", "INFO"],
        environment=environment,
        healthy=_says(ready, " ready."),
        addresses={},
    )
    os.environ |= environment
    from loadtests.bench import celery_app, plain_steps  # noqa: PLC0415 - its settings are in the environment now

    async with Supervisor([[redis], [worker]], home=stack.home) as processes:

        def blocking() -> None:
            key = str(uuid4())
            plain_steps.stage(key, photo_bytes("far"))
            celery_app.try_on(key)

        return await _threaded(stack, processes, blocking, workflows, concurrent)


async def dbos(stack: Stack, workflows: int, concurrent: int) -> Batch:
    """Run the plain steps as a DBOS workflow on SQLite."""
    address = f"sqlite:///{stack.home / 'dbos.sqlite'}"
    environment = {**stack["worker"].program.environment, "DBOS_DATABASE_URL": address}
    worker = Program(
        name="dbos",
        words=[sys.executable, "-m", "loadtests.bench.dbos_app"],
        environment=environment,
        healthy=_exists(stack.home / "dbos.sqlite"),
        addresses={},
    )
    os.environ |= environment
    from dbos import DBOSClient  # noqa: PLC0415 - it takes a second, and only this contender needs it

    from loadtests.bench import plain_steps  # noqa: PLC0415 - its settings are in the environment now

    async with Supervisor([[worker]], home=stack.home) as processes:
        await asyncio.sleep(3)  # it makes its tables after the file
        client = DBOSClient(system_database_url=address)

        def blocking() -> None:
            key = str(uuid4())
            plain_steps.stage(key, photo_bytes("far"))
            options = {"workflow_name": "try_on", "queue_name": "bench", "app_version": "1"}
            client.enqueue(options, key).get_result()

        return await _threaded(stack, processes, blocking, workflows, concurrent)


CONTENDERS: dict[str, Measure] = {
    "no-op limit": noop,
    "this pipeline": pipeline,
    "literal pseudocode": literal,
    "Celery and Redis": celery,
    "DBOS on SQLite": dbos,
}


async def _threaded(
    stack: Stack, processes: Supervisor, blocking: Callable[[], None], workflows: int, concurrent: int
) -> Batch:
    """Run a contender whose client blocks; the first one warms it up."""
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - beside its only use

    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(concurrent) as threads:
        await asyncio.wait_for(loop.run_in_executor(threads, blocking), 120)
        pids = {child.name: child.pid for child in processes} | {name: stack[name].pid for name in BESIDE}
        return await batch(pids, workflows, concurrent, lambda: loop.run_in_executor(threads, blocking))


@asynccontextmanager
async def _worker(stack: Stack, module: str, queue: str) -> AsyncIterator[int]:
    program = Program(
        name=module,
        words=[sys.executable, "-m", f"loadtests.bench.{module}"],
        environment=stack["worker"].program.environment,
        healthy=polls(stack.ports.temporal, namespace=NAMESPACE, queues=[queue]),
        addresses={},
    )
    async with Supervisor([[program]], home=stack.home) as workers:
        yield workers[module].pid


def _listens(port: int) -> Probe:
    async def probe(_pid: int) -> bool:
        return await listens(port)

    return probe


def _says(log: Path, words: str) -> Probe:
    async def probe(_pid: int) -> bool:
        return words in await asyncio.to_thread(log.read_text, errors="replace")

    return probe


def _exists(path: Path) -> Probe:
    async def probe(_pid: int) -> bool:
        return await asyncio.to_thread(path.exists)

    return probe


async def main(workflows: int, concurrent: int, only: list[str], out: Path) -> int:
    """Measure, print the table, and say by the exit code whether the goal is kept."""
    chosen = {name: CONTENDERS[name] for name in CONTENDERS if not only or name in only}
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as home:
        options = Options(
            profile="instant", temporal_ui=False, extra={"worker": {"A100_MAX_CONCURRENT": str(concurrent)}}
        )
        async with Stack(home=Path(home), options=options) as stack:
            for name, measure in chosen.items():
                many = workflows if name != "no-op limit" else 3 * workflows
                rows.append(Row(name, await measure(stack, many, concurrent)))
                print_batch(f"{name}, {many} workflows, {concurrent} at once", rows[-1].measured)
    _table(rows, out)
    by_name = {row.name: row for row in rows}
    if not {"no-op limit", "this pipeline"} <= set(by_name):
        return 0
    ratio = by_name["no-op limit"].own_cpu / by_name["this pipeline"].own_cpu
    kept = ratio >= GOAL
    print(
        f"bench-pipeline: {'ok' if kept else 'MISSED'}: {ratio:.2f} of the no-op limit by CPU of gateway, worker and "
        f"Temporal (goal {GOAL:g}); {by_name['this pipeline'].measured.rate:.1f} workflows/s"
    )
    return 0 if kept else 1


def _table(rows: list[Row], out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    found = []
    print(
        f"\n| {'contender':20} | workflows/s | own CPU, ms each | all CPU, ms each | own memory, MiB | moved, KB each |"
    )
    print(f"| {'-' * 20} | ----------- | ---------------- | ---------------- | --------------- | -------------- |")
    for row in rows:
        every = sum(row.measured.cpu_each(name) for name in row.measured.costs)
        moved = row.measured.moved / row.measured.workflows
        print(
            f"| {row.name:20} | {row.measured.rate:11.1f} | {row.own_cpu * 1e3:16.0f} | {every * 1e3:16.0f} "
            f"| {row.own_memory:15.0f} | {moved / 1e3:14.0f} |"
        )
        figures = {
            "rate": row.measured.rate,
            "own_cpu_s": row.own_cpu,
            "cpu_s": every,
            "own_memory_mib": row.own_memory,
        }
        each = {name: row.measured.cpu_each(name) for name in row.measured.costs}
        found.append({"name": row.name, **figures, "moved": moved, "cpu_each_s": each})
    (out / "pipeline.json").write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="This pipeline beside its limit and its alternatives.")
    parser.add_argument("--workflows", type=int, default=60, help="of each contender (three times as many no-op ones)")
    parser.add_argument("--concurrent", type=int, default=30)
    parser.add_argument("--only", action="append", default=[], choices=list(CONTENDERS), help="these contenders alone")
    parser.add_argument("--out", type=Path, default=Path("out/bench"))
    words = parser.parse_args()
    if shutil.which("redis-server") is None and (not words.only or "Celery and Redis" in words.only):
        print("bench-pipeline: redis-server is missing; install your system's package of Redis", file=sys.stderr)
        sys.exit(2)
    sys.exit(asyncio.run(main(words.workflows, words.concurrent, words.only, words.out)))
