"""A contender of a benchmark: what it is made of, and how one of its workflows is run; the limit is the first of them.

Each has a worker, and what stands between it and its users: the gateway, or a client process. Both are its own.
"""

import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from loadtests.bench.client import client
from loadtests.bench.noop import TASK_QUEUE
from scenarios.processes.child import Probe, Program
from scenarios.processes.probes import polls
from scenarios.processes.supervisor import Supervisor
from scenarios.stack.programs import NAMESPACE
from scenarios.stack.stack import Stack


@dataclass(frozen=True)
class Contender:
    """One that is up. `run` runs a workflow to its end, `own` are the ids of the processes that it is made of."""

    run: Callable[[], Awaitable[object]]
    own: Mapping[str, int]


@asynccontextmanager
async def noop(stack: Stack) -> AsyncIterator[Contender]:
    """Seven activities that do nothing: what Temporal itself costs here."""
    worker, asking = "loadtests.bench.noop_worker", "loadtests.bench.noop:asking"
    async with on_temporal(stack, worker, asking, TASK_QUEUE) as contender:
        yield contender


@asynccontextmanager
async def on_temporal(stack: Stack, module: str, asking: str, queue: str) -> AsyncIterator[Contender]:
    """A worker on the stack's Temporal, by its module, and what asks for its workflows, as MODULE:FUNCTION."""
    environment = environment_of(stack)
    healthy = polls(stack.ports.temporal, namespace=NAMESPACE, queues=[queue])
    worker = program("contender", [sys.executable, "-m", module], environment, healthy)
    async with Supervisor([[worker]], home=stack.home) as children, client(asking, environment, stack.home) as asks:
        own = {"temporal": stack["temporal"].pid, "worker": children["contender"].pid, "client": asks.pid}
        yield Contender(asks.run, own)


def environment_of(stack: Stack) -> Mapping[str, str]:
    """Return the environment of the stack's worker, which every contender gets."""
    return stack["worker"].program.environment


def program(name: str, words: Sequence[str], environment: Mapping[str, str], healthy: Probe) -> Program:
    """Return a program of a contender."""
    return Program(name=name, words=words, environment=environment, healthy=healthy, addresses={})
