"""The virtual world for code that is not asynchronous: in a thread with an event loop of its own."""

import asyncio
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Self, cast

from temporalio.client import Plugin
from temporalio.worker import Interceptor

from scenarios.processes.collector import collected_seldom
from scenarios.scenario import Scenario
from scenarios.stories.run import Run
from scenarios.stories.runner import AT_ONCE, Runner
from scenarios.virtual import VirtualLoop
from scenarios.world.world import World

STARTING_S = 5.0
"""Wall seconds in which a thread has an event loop."""


class Simulation:
    """A world, and a runner in it, as a context. Scenarios that are submitted run side by side.

    Args:
        seed: part of every key; the fakes' chance.
        at_once: how many scenarios run side by side.
        replays: whether each history is replayed.
        interceptors: more of the worker's, beside those of virtual time.
        plugins: more of the client's, before that of virtual time.
    """

    def __init__(
        self,
        *,
        seed: int = 1,
        at_once: int = AT_ONCE,
        replays: bool = True,
        interceptors: Sequence[Interceptor] = (),
        plugins: Sequence[Plugin] = (),
    ) -> None:
        self.seed = seed
        self._interceptors = interceptors
        self._plugins = plugins
        self._at_once = at_once
        self._replays = replays
        self._numbers: Counter[tuple[str, str]] = Counter()
        self._ready: Future[None] = Future()
        self._living = threading.Event()
        self._running: set[asyncio.Task[Run]] = set()
        self._thread = threading.Thread(target=self._live, name="simulation", daemon=True)
        self._loop: asyncio.AbstractEventLoop
        self._life: asyncio.Task[None]
        self._stop: asyncio.Event
        self._slots: asyncio.Semaphore
        self._world: World
        self._runner: Runner

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            self._ready.result()
        except BaseException:  # a Ctrl-C among them: the world is half built, in another thread
            if self._living.wait(STARTING_S) and self._thread.is_alive():
                self._end(self._life.cancel)
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._end(self._stop.set)

    def _end(self, how: Callable[[], object]) -> None:
        with suppress(RuntimeError):  # its loop is closed: it has ended by itself
            self._loop.call_soon_threadsafe(how)
        try:
            self._thread.join()
        except BaseException:
            self._thread.join()  # somebody asked for the end, which is under way
            raise

    @property
    def thread_id(self) -> int:
        """The thread of its event loop."""
        assert self._thread.ident is not None, "it is begun"
        return self._thread.ident

    def call_soon(self, callback: Callable[[], object]) -> None:
        """Let its event loop call something."""
        self._loop.call_soon_threadsafe(callback)

    def submit(self, scenario: Scenario, test: str = "") -> "Future[Run]":
        """Start a scenario as soon as there is a free slot, and return its run to be.

        The runs of a name are numbered, for each test alone, so that a test has the same workflow ids, and so the same
        chance, whatever ran before it.
        """
        self._numbers[test, scenario.name] += 1
        number = str(self._numbers[test, scenario.name])
        if test:
            number += f":{blake2b(test.encode(), digest_size=4).hexdigest()}"
        done: Future[Run] = Future()
        self._loop.call_soon_threadsafe(self._begin, scenario, number, done)
        return done

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
        late = self.late_calls()
        for run in runs:
            if run.workflow_id in late:
                run.problems.append(late[run.workflow_id])
        return runs

    def late_calls(self) -> dict[str, str]:
        """Return a problem for each workflow so far that a service was called for after its run was judged."""
        return asyncio.run_coroutine_threadsafe(self._runner.late_calls(), self._loop).result()

    @property
    def services(self) -> Mapping[str, str]:
        """The addresses of the fakes, by the names that rules use."""
        return self._world.services

    def _begin(self, scenario: Scenario, number: str, done: "Future[Run]") -> None:
        def end(task: "asyncio.Task[Run]") -> None:
            self._running.discard(task)
            if task.cancelled():
                done.cancel()
            elif error := task.exception():
                done.set_exception(error)
            else:
                done.set_result(task.result())

        task = asyncio.ensure_future(self._one(scenario, number))
        self._running.add(task)
        task.add_done_callback(end)

    async def _one(self, scenario: Scenario, number: str) -> Run:
        async with self._slots:
            return await self._runner.run(scenario, number)

    def _live(self) -> None:
        try:
            with collected_seldom(), asyncio.Runner(loop_factory=VirtualLoop) as runner:
                runner.run(self._world_of_its_own())
        except BaseException as error:
            if not self._ready.done():
                self._ready.set_exception(error)
            elif not isinstance(error, asyncio.CancelledError):
                raise

    async def _world_of_its_own(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._life = cast("asyncio.Task[None]", asyncio.current_task())
        self._stop = asyncio.Event()
        self._living.set()
        self._slots = asyncio.Semaphore(self._at_once)
        with tempfile.TemporaryDirectory(prefix="scenarios-", ignore_cleanup_errors=True) as home:
            async with World(
                Path(home), seed=self.seed, interceptors=self._interceptors, plugins=self._plugins
            ) as self._world:
                self._runner = Runner(self._world, seed=self.seed, replays=self._replays)
                self._ready.set_result(None)
                await self._stop.wait()
                await self._runner.close()
