"""The clock inside one activity attempt: it never waits, it is moved.

Nothing sleeps in simulation. A poll, a claimed latency or a deadline moves the clock of the attempt that it happens
in. Instants are Unix seconds, on a grid of 2**-20 s (about a microsecond), so that differences are exact and two runs
of the same story give the same numbers whatever the time of day.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from math import inf, isfinite
from typing import Any

from app.attempts.clock import WallClock

GRID = 2.0**20
# Wall seconds in which something that was cancelled must have ended. Only a broken worker or server reaches it.
PATIENCE_S = 30.0
# Wall seconds between heartbeats of an attempt that waits for the cancellation which an event caused.
BEAT_S = 0.02


class SimulationError(Exception):
    """The simulation cannot go on truthfully: it says what happened, and the run fails whatever else it shows."""


def on_grid(instant: float) -> float:
    """Round an instant to the grid on which virtual time is exact. Infinity stays itself."""
    return round(instant * GRID) / GRID if isfinite(instant) else instant


@dataclass
class Event:
    """Something that happens from outside at a virtual instant, after which the attempt waits to be cancelled."""

    at: float
    happen: Callable[[], Awaitable[None]]
    begun: bool = False

    async def let_happen(self) -> None:
        """Let it happen, once however many ask."""
        if not self.begun:
            self.begun = True
            await self.happen()


@dataclass(eq=False)
class _Deadline:
    """A `timeout()` context that is open: when it ends, and what ends it."""

    at: float
    context: asyncio.Timeout
    open: bool = True

    def expire(self) -> None:
        # A deadline in the past makes asyncio cancel the owner at its next turn, and turn that into TimeoutError.
        if not self.context.expired():
            self.context.reschedule(asyncio.get_running_loop().time() - 1)


@dataclass(eq=False)
class _Branch:
    """The time line of one asyncio task within an attempt."""

    task: "asyncio.Task[object] | None"
    now: float
    children: "list[_Branch]" = field(default_factory=list)

    def end(self) -> float:
        # What was cancelled took no longer than its canceller waited for it.
        ended = [child.end() for child in self.children if _over(child.task)]
        return max(self.now, *ended) if ended else self.now


@dataclass(frozen=True)
class _Frame:
    """What a task sees of the clock. It is copied into a new task at the moment of its creation, as contexts are."""

    clock: "AttemptClock"
    branch: _Branch
    now: float
    deadlines: tuple[_Deadline, ...] = ()


_frame: ContextVar[_Frame | None] = ContextVar("virtual clock", default=None)


def _over(task: "asyncio.Task[object] | None") -> bool:
    return task is not None and task.done() and not task.cancelled()


def _current_task() -> "asyncio.Task[object] | None":
    try:
        return asyncio.current_task()
    except RuntimeError:  # a thread: it reads the time of the task that started it
        return None


class _Merging:
    """A task factory that lets each task begin at the time that its maker has by now: it copies what its maker saw."""

    def __init__(self, usual: Callable[..., Any] | None) -> None:
        self._usual = usual or _new_task

    def __call__(self, loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> Any:
        clock = attempt_clock()
        if clock is not None:
            clock.now()
        return self._usual(loop, work, **options)


def _new_task(loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> "asyncio.Task[Any]":
    return asyncio.Task(work, loop=loop, **options)


async def wait_to_be_cancelled(why: str, beat: Callable[[], object] | None = None) -> None:
    """Wait for the cancellation that is on its way, and beat meanwhile: from the server it comes with heartbeats.

    Raises:
        SimulationError: it did not come.
    """
    begun = asyncio.get_running_loop().time()
    while asyncio.get_running_loop().time() - begun < PATIENCE_S:
        if beat:
            beat()
        await asyncio.sleep(BEAT_S)
    raise SimulationError(f"not cancelled within {PATIENCE_S:g} s of wall time after {why}")


class AttemptClock:
    """The virtual time of one attempt, for the tasks that run in it.

    Each asyncio task has a branch of its own, which begins at its creation. A branch that has ended is merged when its
    parent next looks at the clock or makes another task: calls side by side take the longest of them, not the sum.

    Args:
        start: the attempt's beginning in Unix seconds.
        limit: the attempt's longest duration in seconds (its start_to_close).
        events: what happens from outside, and when.
        beat: sends a heartbeat, while an event's cancellation is on its way.
        passing: called in the waiting task with the instants between which time passes for it.
    """

    def __init__(
        self,
        start: float,
        *,
        limit: float = inf,
        events: tuple[Event, ...] = (),
        beat: Callable[[], object] | None = None,
        passing: Callable[[float, float], object] | None = None,
    ) -> None:
        self.start = on_grid(start)
        self.limit = limit
        self.events = events
        self._beat = beat
        self._passing = passing
        self.stopped_at: float | None = None
        # What went wrong with the simulation itself: kept here too, since the code in between may swallow the error.
        self.problems: list[str] = []

    def enter(self) -> None:
        """Make this the clock of the current task and of all that it starts."""
        loop = asyncio.get_running_loop()
        factory = loop.get_task_factory()
        if not isinstance(factory, _Merging):
            loop.set_task_factory(_Merging(factory))
        _frame.set(_Frame(self, _Branch(_current_task(), self.start), self.start))

    def now(self) -> float:
        """Return the virtual time of the current task in Unix seconds."""
        return self._here().now

    def untrue(self, problem: str) -> SimulationError:
        """Write down why this run proves nothing, and return the error to raise."""
        self.problems.append(problem)
        return SimulationError(problem)

    def elapsed(self) -> float:
        """Return the virtual seconds since the attempt began."""
        return (self.stopped_at if self.stopped_at is not None else self.now()) - self.start

    async def advance(self, seconds: float) -> None:
        """Let so many virtual seconds pass, `inf` included, up to the first event or deadline.

        Raises:
            SimulationError: nothing would end this wait before the attempt's limit.
        """
        frame = self._here()
        target = on_grid(frame.now + seconds)
        deadline = min((each for each in frame.deadlines if each.open), key=lambda each: each.at, default=None)
        first_end = deadline.at if deadline else inf
        event = min(self.events, key=lambda each: each.at, default=None)
        if event and event.at <= min(target, first_end):
            self._pass(frame, max(frame.now, event.at))
            await self.stop_at(event)
        if deadline and first_end < target:
            self._pass(frame, max(frame.now, first_end))
            deadline.expire()
            await wait_to_be_cancelled("a deadline")
        if target - self.start > self.limit:
            raise self.untrue(
                f"{seconds:g} s more, after {frame.now - self.start:g} s, would outlast the limit of {self.limit:g} s: "
                "the call needs a deadline of its own below its start_to_close"
            )
        self._pass(frame, target)
        await asyncio.sleep(0)  # others go on, and a cancellation arrives here, as in a real wait

    async def stop_at(self, event: Event) -> None:
        """Let an event happen now, and wait to be cancelled for it.

        Raises:
            SimulationError: the cancellation did not come.
        """
        self.stopped_at = self.now()
        await event.let_happen()
        try:
            await wait_to_be_cancelled("the event", self._beat)
        except SimulationError as error:
            raise self.untrue(str(error)) from None

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        """Return a context that raises TimeoutError once so many virtual seconds have passed inside it."""
        return self._timeout(seconds)

    @asynccontextmanager
    async def _timeout(self, seconds: float) -> AsyncIterator[object]:
        outer = self._here()
        async with asyncio.timeout(None) as context:
            deadline = _Deadline(on_grid(outer.now + seconds), context)
            _frame.set(replace(outer, deadlines=(*outer.deadlines, deadline)))
            if deadline.at <= outer.now:
                deadline.expire()  # as asyncio does: no time left ends it at its first wait
            try:
                yield context
            finally:
                deadline.open = False
                inner = self._here()
                now = max(inner.now, deadline.at) if context.expired() else inner.now
                self._move(replace(inner, deadlines=outer.deadlines), now)

    def _here(self) -> _Frame:
        frame, task = _frame.get(), _current_task()
        if frame is None or frame.clock is not self:
            raise SimulationError("the clock of an attempt was asked from outside it")
        if task is None:
            return frame
        if frame.branch.task is not task:
            branch = _Branch(task, frame.now)
            frame.branch.children.append(branch)
            frame = replace(frame, branch=branch)
            _frame.set(frame)
        return self._move(frame, frame.branch.end())

    def _pass(self, frame: _Frame, now: float) -> None:
        if self._passing and isfinite(now):
            self._passing(frame.now, now)
        self._move(frame, now)

    @staticmethod
    def _move(frame: _Frame, now: float) -> _Frame:
        branch = frame.branch
        branch.now = now
        branch.children = [child for child in branch.children if child.task is None or not child.task.done()]
        moved = replace(frame, now=now)
        _frame.set(moved)
        return moved


def attempt_clock() -> AttemptClock | None:
    """Return the clock of the attempt that the current task belongs to, or None outside all attempts."""
    frame = _frame.get()
    return frame.clock if frame else None


class SimulatedClock(WallClock):
    """The clock handed to production code in simulation: the attempt's own, and the machine's outside all attempts."""

    def now(self) -> float:
        """Return the current time in Unix seconds, virtual within an attempt."""
        clock = attempt_clock()
        return clock.now() if clock else super().now()

    async def sleep(self, seconds: float) -> None:
        """Let so many seconds pass: within an attempt at once."""
        clock = attempt_clock()
        await (clock.advance(seconds) if clock else super().sleep(seconds))

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        """Return a context that raises TimeoutError once so many seconds have passed inside it."""
        clock = attempt_clock()
        return clock.timeout(seconds) if clock else super().timeout(seconds)
