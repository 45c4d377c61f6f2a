"""The virtual world for code that is not asynchronous: in a thread with an event loop of its own."""

import asyncio
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from hashlib import blake2b
from pathlib import Path
from typing import Self

import uvloop

from scenarios.engine.running import AT_ONCE, Runner, late_calls
from scenarios.engine.runs import Run
from scenarios.engine.world import World
from scenarios.scenario import Scenario


class Simulation:
    """A world, and a runner in it, as a context. Scenarios that are submitted run side by side.

    Args:
        seed: part of every key; the fakes' chance.
        at_once: how many scenarios run side by side.
        replays: whether each history is replayed.
    """

    def __init__(self, *, seed: int = 1, at_once: int = AT_ONCE, replays: bool = True) -> None:
        self.runs: list[Run] = []
        self.seed = seed
        self._at_once = at_once
        self._replays = replays
        self._numbers: Counter[tuple[str, str]] = Counter()
        self._ready: Future[None] = Future()
        self._thread = threading.Thread(target=self._live, name="simulation", daemon=True)
        self._loop: asyncio.AbstractEventLoop
        self._stop: asyncio.Event
        self._slots: asyncio.Semaphore
        self._world: World
        self._runner: Runner

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.result()
        return self

    def __exit__(self, *error: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def submit(self, scenario: Scenario, test: str = "") -> "Future[Run]":
        """Start a scenario as soon as there is a free slot, and return its run to be.

        The runs of a name are numbered, for each test alone, so that a test has the same workflow ids, and so the same
        chance, whatever ran before it.
        """
        self._numbers[test, scenario.name] += 1
        number = str(self._numbers[test, scenario.name])
        if test:
            number += f":{blake2b(test.encode(), digest_size=4).hexdigest()}"
        return asyncio.run_coroutine_threadsafe(self._one(scenario, number), self._loop)

    def run(self, scenario: Scenario) -> Run:
        """Run one scenario."""
        return self.submit(scenario).result()

    def run_all(self, scenarios: Iterable[Scenario], done: Callable[[Run], None] = lambda _run: None) -> list[Run]:
        """Run scenarios side by side and return their runs in the given order. A call after the end is a problem."""
        pending = [self.submit(scenario) for scenario in scenarios]
        runs = []
        for each in pending:
            runs.append(each.result())
            done(runs[-1])
        late = asyncio.run_coroutine_threadsafe(late_calls(self._world, runs), self._loop).result()
        for run in runs:
            if late.get(run.workflow_id):
                run.problems.append(f"no call after the end: {late[run.workflow_id]} came later")
        return runs

    async def _one(self, scenario: Scenario, number: str) -> Run:
        async with self._slots:
            run = await self._runner.run(scenario, number)
        self.runs.append(run)
        return run

    def _live(self) -> None:
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(self._world_of_its_own())
        except BaseException as error:
            if self._ready.done():
                raise
            self._ready.set_exception(error)

    async def _world_of_its_own(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self._slots = asyncio.Semaphore(self._at_once)
        with tempfile.TemporaryDirectory(prefix="scenarios-", ignore_cleanup_errors=True) as home:
            async with World(Path(home), seed=self.seed) as self._world:
                self._runner = Runner(self._world, seed=self.seed, replays=self._replays)
                self._ready.set_result(None)
                await self._stop.wait()
                await self._runner.close()
