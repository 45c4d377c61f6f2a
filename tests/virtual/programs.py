"""Random workflows, and an oracle that says when each of their steps ends: plain asyncio on a clock that jumps.

A program is a list of branches that run side by side; a branch is a list of steps: a timer, an activity (with naps,
failures, a timeout, heartbeats), one under a time limit, a child that runs branches of its own, or the cancellation of
another branch. No two instants coincide: all durations are different multiples of a 64th of a second.
"""

import asyncio
import contextlib
import heapq
import random
from datetime import timedelta
from typing import Any

from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, CancelledError, ChildWorkflowError
from temporalio.workflow import ActivityCancellationType, ParentClosePolicy

Step = list[Any]
Branches = list[list[Step]]
LIMIT_S = 100_000.0


@activity.defn
async def step(naps: list[float], failures: int, beats: bool) -> None:
    for nap in naps:
        await asyncio.sleep(nap)
        if beats:
            activity.heartbeat()
    if activity.info().attempt <= failures:
        raise ApplicationError("again")


@workflow.defn
class Program:
    """Returns when each step ended, in seconds since the first workflow began."""

    @workflow.run
    async def run(self, branches: Branches, prefix: str, begin: float | None) -> dict[str, float]:
        self._begin = workflow.time() if begin is None else begin
        self._marks: dict[str, float] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._tasks += [
            asyncio.create_task(self._branch(steps, f"{prefix}{number}")) for number, steps in enumerate(branches)
        ]
        await asyncio.gather(*self._tasks, return_exceptions=True)
        return self._marks

    async def _branch(self, steps: list[Step], name: str) -> None:
        for number, (kind, *args) in enumerate(steps):
            mark = f"{name}.{number}"
            if kind == "timer":
                await asyncio.sleep(args[0])
            elif kind == "activity":
                await self._activity(*args)
            elif kind == "limited":
                with contextlib.suppress(ActivityError, TimeoutError):
                    await asyncio.wait_for(self._activity(*args[1:]), args[0])
            elif kind == "child":
                name_of_child = f"{workflow.info().workflow_id}/{mark}"
                try:
                    marks = await workflow.execute_child_workflow(
                        Program.run,
                        args=[args[0], f"{mark}/", self._begin],
                        id=name_of_child,
                        parent_close_policy=ParentClosePolicy.TERMINATE,
                    )
                    self._marks.update(marks)
                except ChildWorkflowError as error:
                    if isinstance(error.cause, CancelledError):
                        raise
            elif not self._tasks[args[0]].done():
                self._tasks[args[0]].cancel()
            self._marks[mark] = round(workflow.time() - self._begin, 6)

    async def _activity(self, naps: list[float], failures: int, beats: bool, limit: float, waits: bool) -> None:
        kind = ActivityCancellationType.WAIT_CANCELLATION_COMPLETED if waits else ActivityCancellationType.TRY_CANCEL
        try:
            await workflow.execute_activity(
                step,
                args=[naps, failures, beats],
                start_to_close_timeout=timedelta(seconds=limit),
                retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_attempts=failures + 2),
                cancellation_type=kind,
            )
        except ActivityError as error:
            if isinstance(error.cause, CancelledError):
                raise


def program(chance: random.Random, *, depth: int = 1) -> Branches:
    """Return a random program."""
    unique = iter(chance.sample(range(1, 4000), 400))

    def nap() -> float:
        return (2 * next(unique) + 1) / 64

    def activity_args() -> list[Any]:
        naps = [nap() for _ in range(chance.randint(1, 3))]
        times_out = chance.random() < 0.25
        limit = sum(naps) * chance.uniform(0.2, 0.9) if times_out else LIMIT_S
        limit = round(limit * 32) / 32 + 0.003 if times_out else limit
        return [naps, chance.choice([0, 0, 1, 2]), chance.random() < 0.5, limit, False]

    def branches(width: int, depth: int) -> Branches:
        made: Branches = []
        for own in range(width):
            steps: list[Step] = [["timer", nap()]]  # else two branches could meet at the instant 0
            for _ in range(chance.randint(1, 3)):
                kind = chance.choice(["timer", "activity", "activity", "limited", "cancel", "child"])
                if kind == "timer":
                    steps.append(["timer", nap()])
                elif kind == "activity":
                    steps.append(["activity", *activity_args()])
                elif kind == "limited":
                    steps.append(["limited", nap(), *activity_args()])
                elif kind == "child" and depth:
                    steps.append(["child", branches(chance.randint(1, 2), depth - 1)])
                else:
                    steps.append(["cancel", chance.randrange(width)])
            made.append([each for each in steps if each != ["cancel", own]])
        return made

    return branches(chance.randint(2, 4), depth)


class JumpingLoop(asyncio.SelectorEventLoop):
    """A loop without I/O whose clock jumps to its next timer."""

    _now = 0.0

    def time(self) -> float:
        return self._now

    def _run_once(self) -> None:
        scheduled = self._scheduled  # type: ignore[attr-defined]
        while scheduled and scheduled[0]._cancelled:
            heapq.heappop(scheduled)._scheduled = False
            self._timer_cancelled_count -= 1  # type: ignore[attr-defined]
        if not self._ready and scheduled:  # type: ignore[attr-defined]
            self._now = max(self._now, scheduled[0]._when)
        super()._run_once()  # type: ignore[misc]


def expected(branches: Branches) -> dict[str, float]:
    """Return when each step ends by the rules of Temporal, on a clock without friction."""
    loop = JumpingLoop()
    marks: dict[str, float] = {}
    try:
        loop.run_until_complete(_run(branches, "", marks))
    finally:
        loop.close()
    return marks


async def _run(branches: Branches, prefix: str, marks: dict[str, float]) -> None:
    tasks: list[asyncio.Task[None]] = []
    for number, steps in enumerate(branches):
        tasks.append(asyncio.create_task(_branch(steps, f"{prefix}{number}", marks, tasks)))
    try:
        await asyncio.gather(*tasks, return_exceptions=True)
    except asyncio.CancelledError:
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


async def _branch(steps: list[Step], name: str, marks: dict[str, float], others: list[asyncio.Task[None]]) -> None:
    for number, (kind, *args) in enumerate(steps):
        mark = f"{name}.{number}"
        if kind == "timer":
            await asyncio.sleep(args[0])
        elif kind == "activity":
            await _attempts(*args)
        elif kind == "limited":
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(_attempts(*args[1:]), args[0])
        elif kind == "child":
            inner: dict[str, float] = {}
            await _run(args[0], f"{mark}/", inner)
            marks.update(inner)
        elif not others[args[0]].done():
            others[args[0]].cancel()
        marks[mark] = round(asyncio.get_running_loop().time(), 6)


async def _attempts(naps: list[float], failures: int, _beats: bool, limit: float, _waits: bool) -> None:
    for attempt in range(1, failures + 3):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit):
                for nap in naps:
                    await asyncio.sleep(nap)
            if attempt > failures:
                return
        if attempt < failures + 2:
            await asyncio.sleep(min(2 ** (attempt - 1), 100))
