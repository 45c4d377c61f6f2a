"""Starts programs in stages, each stage side by side, and stops them in reverse order, whatever happens."""

import asyncio
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

from scenarios.processes.child import Child, Program, StackError
from scenarios.processes.leash import Leash


class Supervisor:
    """An async context: inside it every program is healthy; after it none is left.

    Args:
        stages: the programs; those of one stage start side by side, once the stage before is healthy.
        home: the folder of the log files, `NAME.log`; made if it is not there.
        announce: called for each process as soon as it is healthy.
    """

    def __init__(
        self,
        stages: Sequence[Sequence[Program]],
        *,
        home: Path,
        announce: Callable[[Child], None] = lambda _child: None,
    ) -> None:
        self.home = home
        self._stages = [list(stage) for stage in stages]
        self._announce = announce
        self._children: dict[str, Child] = {}
        self._deaths: asyncio.Queue[Child] = asyncio.Queue()
        self._leash: Leash | None = None

    async def __aenter__(self) -> Self:
        self._prepare()
        self._leash = leash = Leash()
        self._children = {
            program.name: Child(program, log=self.home / f"{program.name}.log", leash=leash)
            for stage in self._stages
            for program in stage
        }
        try:
            for stage in self._stages:
                await self._bring_up_together(stage)
        except BaseException:
            await self._stop_all()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._stop_all()

    def __getitem__(self, name: str) -> Child:
        if name not in self._children:
            raise KeyError(f"no process is named {name!r}; there are {', '.join(self._children)}")
        return self._children[name]

    def __iter__(self) -> Iterator[Child]:
        return iter(self._children.values())

    async def start(self, name: str) -> None:
        """Start one process again, after `stop` or `kill`, and wait until it is healthy."""
        await self._bring_up(self[name])

    async def add(self, program: Program) -> None:
        """Start one program more and wait until it is healthy. At the end it is stopped before the others.

        Raises:
            ValueError: there is one of this name.
            StackError: it does not become healthy.
        """
        if program.name in self._children or self._leash is None:
            raise ValueError(f"{program.name} cannot be added: there is one, or nothing runs yet")
        self._children[program.name] = Child(program, log=self.home / f"{program.name}.log", leash=self._leash)
        self._stages.append([program])
        await self._bring_up(self[program.name])

    async def remove(self, name: str) -> None:
        """Stop a program that was added, and forget it."""
        await self.stop(name)
        del self._children[name]
        self._stages = [stage for stage in self._stages if [program.name for program in stage] != [name]]

    async def stop(self, name: str) -> None:
        """Ask one process to end, by SIGTERM and, after its grace, SIGKILL."""
        await self[name].stop()

    async def kill(self, name: str) -> None:
        """End one process as kill -9 does."""
        await self[name].kill()

    async def first_death(self) -> StackError:
        """Wait until a process ends that nobody here asked to, and return what to say about it."""
        return StackError((await self._deaths.get()).story("ended by itself"))

    def kill_all(self) -> None:
        """Kill every process at once, without waiting: for a second Ctrl-C. `stop` then has nothing to wait for."""
        for child in self:
            child.signal(signal.SIGKILL)

    def _prepare(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)

    async def _bring_up(self, child: Child) -> None:
        await child.start(self._deaths.put_nowait)
        await child.wait_until_healthy()
        self._announce(child)

    async def _bring_up_together(self, stage: Sequence[Program]) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                # One that dies meanwhile, of this stage or of an earlier one, ends the start: others may need it.
                deaths = group.create_task(self._raise_first_death(), name="watch for deaths")
                async with asyncio.TaskGroup() as starting:
                    for program in stage:
                        starting.create_task(self._bring_up(self[program.name]), name=f"start {program.name}")
                deaths.cancel()
        except ExceptionGroup as errors:  # the first is the cause; the others were cancelled or failed beside it
            raise _first(errors) from None

    async def _raise_first_death(self) -> NoReturn:
        raise await self.first_death()

    async def _stop_all(self) -> None:
        # A task of its own: it ends its work even if the caller is cancelled once more meanwhile, which kills instead.
        stopping = asyncio.create_task(self._stop_in_reverse(), name="stop the stack")
        cancelled: asyncio.CancelledError | None = None
        while not stopping.done():
            try:
                await asyncio.shield(stopping)
            except asyncio.CancelledError as error:
                cancelled = error
                self.kill_all()
        stopping.result()
        if cancelled is not None:
            raise cancelled

    async def _stop_in_reverse(self) -> None:
        for stage in reversed(self._stages):
            await asyncio.gather(*(self[program.name].stop() for program in stage))
        if self._leash is not None:
            self._leash.close()


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    first = errors.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
