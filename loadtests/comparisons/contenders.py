"""The contenders of `make bench-pipeline`: what each is made of, and how one of its workflows is run.

Each has a worker, and what stands between it and its users: the gateway, or a client process. Both are its own.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from fakes.registry import SERVICES
from loadtests.bench.noop import TASK_QUEUE as NOOP_QUEUE
from loadtests.comparisons.client import client
from loadtests.comparisons.literal import TASK_QUEUE as LITERAL_QUEUE
from scenarios.gateway_client import PATIENCE_S, STROKES, GatewayClient, start_body
from scenarios.processes.child import Probe, Program
from scenarios.processes.ports import HOST, reserve_port
from scenarios.processes.probes import listens, polls
from scenarios.processes.supervisor import Supervisor
from scenarios.stack.programs import NAMESPACE
from scenarios.stack.stack import Stack
from scenarios.stories.drawn import photo_bytes

BESIDE = ("azurite", *SERVICES)
"""What does the same work for all contenders."""

LIMIT = "no-op limit"
PIPELINE = "this pipeline"
LITERAL = "literal pseudocode"
CELERY = "Celery and Redis"
ON_TEMPORAL = frozenset({LIMIT, PIPELINE, LITERAL})
"""Those that the limit is one for."""


@dataclass(frozen=True)
class Contender:
    """One that is up. `run` runs a workflow to its end, `own` are the ids of the processes that it is made of."""

    run: Callable[[], Awaitable[object]]
    own: Mapping[str, int]


@asynccontextmanager
async def noop(stack: Stack) -> AsyncIterator[Contender]:
    """Seven activities that do nothing: what Temporal itself costs here."""
    async with _temporal_contender(stack, "no-op", "noop_worker", NOOP_QUEUE) as contender:
        yield contender


@asynccontextmanager
async def literal(stack: Stack) -> AsyncIterator[Contender]:
    """The specification's pseudocode with small pictures."""
    async with _temporal_contender(stack, "literal", "literal_worker", LITERAL_QUEUE) as contender:
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
    environment = {**_environment(stack), "REDIS_URL": f"redis://{HOST}:{port}/0"}
    redis = ["redis-server", "--port", str(port), "--bind", HOST, "--save", "", "--appendonly", "yes"]
    words = ["-m", "celery", "-A", "loadtests.comparisons.celery_app", "worker", "--pool=threads", "-c", "100"]
    stages = [
        [_program("redis", [*redis, "--dir", str(stack.home)], environment, _listens(port))],
        [
            _program(
                "celery",
                [sys.executable, *words, "--without-gossip", "--without-mingle", "-l", "INFO"],
                environment,
                _says(stack.home / "celery.log", " ready."),
            )
        ],
    ]
    async with Supervisor(stages, home=stack.home) as children, client("celery", environment) as asks:
        own = {"redis": children["redis"].pid, "worker": children["celery"].pid, "client": asks.pid}
        yield Contender(asks.run, own)


@asynccontextmanager
async def dbos(stack: Stack) -> AsyncIterator[Contender]:
    """The plain steps as a DBOS workflow on SQLite."""
    environment = {**_environment(stack), "DBOS_DATABASE_URL": f"sqlite:///{stack.home / 'dbos.sqlite'}"}
    words = [sys.executable, "-m", "loadtests.comparisons.dbos_app"]
    worker = _program("dbos", words, environment, _says(stack.home / "dbos.log", "ready"))
    async with Supervisor([[worker]], home=stack.home) as children, client("dbos", environment) as asks:
        yield Contender(asks.run, {"worker": children["dbos"].pid, "client": asks.pid})


CONTENDERS: dict[str, Callable[[Stack], AbstractAsyncContextManager[Contender]]] = {
    LIMIT: noop,
    PIPELINE: pipeline,
    LITERAL: literal,
    CELERY: celery,
    "DBOS on SQLite": dbos,
}

_OWN = ("temporal", "worker", "gateway")


@asynccontextmanager
async def _temporal_contender(stack: Stack, kind: str, module: str, queue: str) -> AsyncIterator[Contender]:
    worker = _program(
        module,
        [sys.executable, "-m", f"loadtests.bench.{module}"],
        _environment(stack),
        polls(stack.ports.temporal, namespace=NAMESPACE, queues=[queue]),
    )
    async with Supervisor([[worker]], home=stack.home) as children, client(kind, _environment(stack)) as asks:
        own = {"temporal": stack["temporal"].pid, "worker": children[module].pid, "client": asks.pid}
        yield Contender(asks.run, own)


def _environment(stack: Stack) -> Mapping[str, str]:
    return stack["worker"].program.environment


def _program(name: str, words: Sequence[str], environment: Mapping[str, str], healthy: Probe) -> Program:
    return Program(name=name, words=words, environment=environment, healthy=healthy, addresses={})


def _listens(port: int) -> Probe:
    async def probe(_pid: int) -> bool:
        return await listens(port)

    return probe


def _says(log: Path, words: str) -> Probe:
    async def probe(_pid: int) -> bool:
        return words in await asyncio.to_thread(log.read_text, errors="replace")

    return probe
