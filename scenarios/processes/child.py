"""One child process: started with a log file, watched until it is healthy, stopped with all that it started."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from scenarios.processes.leash import Leash

PROBE_INTERVAL_S = 0.05
TAIL_LINES = 20
TAIL_BYTES = 16_384
LONGEST_LINE = 16 * 1024 * 1024
"""Bytes of one line of a process that talks."""

Probe = Callable[[int], Awaitable[bool]]
"""Asks whether the process with this id does its work yet. Says False, and does not raise, while it does not."""


class StackError(Exception):
    """A process did not start or ended by itself; the message names it and shows the end of its log."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """What to start, in which environment, and how to know that it works. Durations are seconds.

    One that `talks` is heard by `Child.lines`, and told by `Child.tell`; its log then has its errors alone.
    """

    name: str
    words: Sequence[str]
    environment: Mapping[str, str]
    healthy: Probe
    addresses: Mapping[str, str]
    start_limit: float = 120
    stop_grace: float = 10
    talks: bool = False


class Child:
    """A program as a running process, with its own process group and its log file."""

    def __init__(self, program: Program, *, log: Path, leash: Leash) -> None:
        self.program = program
        self.log = log
        self._leash = leash
        self._process: asyncio.subprocess.Process | None = None
        self._ended = asyncio.Event()
        self._watcher: asyncio.Task[None] | None = None
        self._expected = False
        self._healthy = False

    @property
    def name(self) -> str:
        """The program's name."""
        return self.program.name

    @property
    def pid(self) -> int:
        """The id of the process, which is that of its group too.

        Raises:
            StackError: it was never started.
        """
        return self._running_process().pid

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and not self._ended.is_set()

    @property
    def died(self) -> bool:
        """Whether the process ended and nobody here asked it to."""
        return self._ended.is_set() and not self._expected

    async def start(self, on_death: Callable[["Child"], None]) -> None:
        """Start the process; call back if it ends by itself once it was healthy. `wait_until_healthy` comes next."""
        if self.running:
            raise StackError(f"{self.name} is running already")
        self._ended.clear()
        self._expected = self._healthy = False
        spawning = asyncio.ensure_future(self._spawn(on_death))
        try:
            await asyncio.shield(spawning)
        except asyncio.CancelledError:
            await spawning  # whoever cancelled this is to find the process, and stop it
            raise

    async def _spawn(self, on_death: Callable[["Child"], None]) -> None:
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self.program.words,
                env=dict(self.program.environment),
                cwd=self.log.parent,  # not the user's folder: a .env file there speaks of another deployment
                stdin=asyncio.subprocess.PIPE if self.program.talks else asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE if self.program.talks else log,
                stderr=log,
                limit=LONGEST_LINE,
                start_new_session=True,  # Ctrl-C in a terminal then reaches the supervisor only, which keeps the order
            )
        self._leash.add(self.pid)
        self._watcher = asyncio.create_task(self._watch(self._process, on_death), name=f"watch {self.name}")

    async def wait_until_healthy(self) -> None:
        """Wait until the probe says yes.

        Raises:
            StackError: the process ended, or the time limit passed; with the end of its log.
        """
        limit = self.program.start_limit
        deadline = time.monotonic() + limit
        while not await self.program.healthy(self.pid):
            if not self.running:
                raise StackError(self.story("ended before it was healthy"))
            if time.monotonic() > deadline:
                raise StackError(self.story(f"is not healthy after {limit:g} s"))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), PROBE_INTERVAL_S)
        if not self.running or _has_ended(self.pid):  # somebody else's server answered in its place
            await self._ended.wait()
            raise StackError(self.story("ended while it was asked for its health"))
        self._healthy = True

    async def stop(self) -> None:
        """Ask the process to end (SIGTERM), and kill its group when it has not done so within its grace."""
        if self.running:
            self.signal(signal.SIGTERM)
            self.signal(signal.SIGCONT)  # a process that was paused would not hear it
            try:
                await asyncio.wait_for(self._ended.wait(), self.program.stop_grace)
            except TimeoutError:
                self.signal(signal.SIGKILL)
        await self._settle()

    async def kill(self) -> None:
        """End the process group at once, as kill -9 does, and wait until it is gone."""
        self.signal(signal.SIGKILL)
        await self._settle()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process and its group. An end that follows from it counts as asked for."""
        if self.running:
            self._expected = self._expected or number not in {signal.SIGSTOP, signal.SIGCONT}
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    async def ended(self) -> int:
        """Wait until the process has ended and return its exit code; that of a signal is negative."""
        await self._ended.wait()
        return self._running_process().returncode or 0

    async def lines(self) -> AsyncIterator[str]:
        """Yield each line that a process that talks says, without its end, until it says no more."""
        heard = self._running_process().stdout
        assert heard is not None, f"{self.name} does not talk"
        async for line in heard:
            yield line.decode(errors="replace").rstrip("\n")

    def tell(self, line: str) -> None:
        """Write a line to a process that talks."""
        told = self._running_process().stdin
        assert told is not None, f"{self.name} does not talk"
        told.write(f"{line}\n".encode())

    def hang_up(self) -> None:
        """Close what a process that talks reads."""
        told = self._running_process().stdin
        assert told is not None, f"{self.name} does not talk"
        told.close()

    def _running_process(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise StackError(f"{self.name} was not started")
        return self._process

    def story(self, what: str) -> str:
        """Say what happened to this process, with the end of its log."""
        code = None if self._process is None else self._process.returncode
        how = "" if code is None else f" (exit code {code})" if code >= 0 else f" ({signal.Signals(-code).name})"
        lines = "".join(f"\n    {line}" for line in self.tail()) or "\n    (empty)"
        return f"{self.name} {what}{how}. The end of its log, {self.log}:{lines}"

    def tail(self) -> list[str]:
        """Return the last lines of the log."""
        if not self.log.exists():
            return []
        with self.log.open("rb") as log:
            log.seek(max(0, self.log.stat().st_size - TAIL_BYTES))
            return log.read().decode(errors="replace").splitlines()[-TAIL_LINES:]

    async def _watch(self, process: asyncio.subprocess.Process, on_death: Callable[["Child"], None]) -> None:
        await process.wait()
        self._leash.remove(process.pid)
        self._ended.set()
        if self._healthy and not self._expected:
            on_death(self)

    async def _settle(self) -> None:
        if self._watcher is not None:
            await self._watcher


@contextlib.asynccontextmanager
async def talking(program: Program, *, log: Path) -> AsyncIterator[Child]:
    """Run one program that talks, and end it with the context, as a supervisor would. Its health is not asked."""
    leash = Leash()
    child = Child(program, log=log, leash=leash)
    try:
        await child.start(lambda _child: None)
        yield child
    finally:
        await child.stop()
        leash.close()


async def unasked(_pid: int) -> bool:
    """Probe nothing: of a program that says by itself when it is ready."""
    return True


def _has_ended(pid: int) -> bool:
    """Whether a process of ours is over, though its end may not have been collected yet."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
