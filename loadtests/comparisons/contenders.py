"""The contenders of `make bench-pipeline` beside the limit."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from fakes.registry import SERVICES
from loadtests.bench.client import client
from loadtests.bench.contender import Contender, environment_of, noop, on_temporal, program
from loadtests.comparisons.literal import TASK_QUEUE as LITERAL_QUEUE
from scenarios.gateway_client import PATIENCE_S, STROKES, GatewayClient, start_body
from scenarios.processes.child import Probe
from scenarios.processes.ports import HOST, reserve_port
from scenarios.processes.probes import listens
from scenarios.processes.supervisor import Supervisor
from scenarios.stack.stack import Stack
from scenarios.stories.drawn import photo_bytes

BESIDE = ("azurite", *SERVICES)
"""What does the same work for all contenders."""
ASKING = "loadtests.comparisons.asking:{}"

LIMIT = "no-op limit"
PIPELINE = "this pipeline"
LITERAL = "literal pseudocode"
CELERY = "Celery and Redis"
ON_TEMPORAL = frozenset({LIMIT, PIPELINE, LITERAL})
"""Those that the limit is one for."""


@asynccontextmanager
async def literal(stack: Stack) -> AsyncIterator[Contender]:
    """The specification's pseudocode with small pictures."""
    worker = "loadtests.comparisons.literal_worker"
    async with on_temporal(stack, worker, ASKING.format("literal"), LITERAL_QUEUE) as contender:
        yield contender


@asynccontextmanager
async def pipeline(stack: Stack) -> AsyncIterator[Contender]:
    """This pipeline, from POST to the fetched result. Who calls it stands for a user, and is nobody's."""
    content = json.dumps(start_body(photo_bytes("far"), strokes=STROKES)).encode()
    gateway = GatewayClient(stack.urls["gateway"], timeout=PATIENCE_S)
    try:
        yield Contender(lambda: gateway.try_on(content), {name: stack[name].pid for name in _OWN})
    finally:
        await gateway.close()


@asynccontextmanager
async def celery(stack: Stack) -> AsyncIterator[Contender]:
    """The plain steps as a Celery chain over Redis."""
    port = reserve_port()
    environment = {**environment_of(stack), "REDIS_URL": f"redis://{HOST}:{port}/0"}
    redis = ["redis-server", "--port", str(port), "--bind", HOST, "--save", "", "--appendonly", "yes"]
    words = ["-m", "celery", "-A", "loadtests.comparisons.celery_app", "worker", "--pool=threads", "-c", "100"]
    stages = [
        [program("redis", [*redis, "--dir", str(stack.home)], environment, _listens(port))],
        [
            program(
                "celery",
                [sys.executable, *words, "--without-gossip", "--without-mingle", "-l", "INFO"],
                environment,
                _says(stack.home / "celery.log", " ready."),
            )
        ],
    ]
    async with (
        Supervisor(stages, home=stack.home) as children,
        client(ASKING.format("celery"), environment, stack.home) as asks,
    ):
        own = {"redis": children["redis"].pid, "worker": children["celery"].pid, "client": asks.pid}
        yield Contender(asks.run, own)


@asynccontextmanager
async def dbos(stack: Stack) -> AsyncIterator[Contender]:
    """The plain steps as a DBOS workflow on SQLite."""
    environment = {**environment_of(stack), "DBOS_DATABASE_URL": f"sqlite:///{stack.home / 'dbos.sqlite'}"}
    words = [sys.executable, "-m", "loadtests.comparisons.dbos_app"]
    worker = program("dbos", words, environment, _says(stack.home / "dbos.log", "ready"))
    async with (
        Supervisor([[worker]], home=stack.home) as children,
        client(ASKING.format("dbos"), environment, stack.home) as asks,
    ):
        yield Contender(asks.run, {"worker": children["dbos"].pid, "client": asks.pid})


CONTENDERS: dict[str, Callable[[Stack], AbstractAsyncContextManager[Contender]]] = {
    LIMIT: noop,
    PIPELINE: pipeline,
    LITERAL: literal,
    CELERY: celery,
    "DBOS on SQLite": dbos,
}

_OWN = ("temporal", "worker", "gateway")


def _listens(port: int) -> Probe:
    async def probe(_pid: int) -> bool:
        return await listens(port)

    return probe


def _says(log: Path, words: str) -> Probe:
    async def probe(_pid: int) -> bool:
        return words in await asyncio.to_thread(log.read_text, errors="replace")

    return probe
