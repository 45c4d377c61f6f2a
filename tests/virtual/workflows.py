"""Workflows as people write them."""

import asyncio
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, ChildWorkflowError
from temporalio.workflow import ActivityCancellationType

with workflow.unsafe.imports_passed_through():
    from tests.virtual import activities

LONG = timedelta(seconds=600)


def policy(attempts: int = 1, initial: float = 1) -> RetryPolicy:
    return RetryPolicy(maximum_attempts=attempts, initial_interval=timedelta(seconds=initial))


class Watch:
    """A workflow's own stopwatch."""

    def __init__(self) -> None:
        self._begin = workflow.now()

    def __call__(self) -> float:
        return round((workflow.now() - self._begin).total_seconds(), 6)


def told(error: BaseException) -> list[Any]:
    """What a workflow can see of an error."""
    if not isinstance(error, (ActivityError, ChildWorkflowError)):
        return [type(error).__name__, getattr(error, "type", None)]
    cause = error.cause
    kind = getattr(cause, "type", "")
    state = error.retry_state.name if error.retry_state else None
    details = list(getattr(cause, "last_heartbeat_details", ()) or getattr(cause, "details", ()) or ())
    return [type(cause).__name__, getattr(kind, "name", kind), state, error.message, str(cause), details]


def limits(options: dict[str, Any]) -> dict[str, Any]:
    """The timeouts among an activity's options, in seconds there; there is at least one."""
    return {"start_to_close_timeout": LONG} | {key: timedelta(seconds=value) for key, value in options.items()}


@workflow.defn
class One:
    """One activity: its outcome, and the seconds that it took by the workflow's clock."""

    @workflow.run
    async def run(self, name: str, args: list[Any], options: dict[str, Any]) -> list[Any]:
        watch = Watch()
        local = options.pop("local", False)
        waits = options.pop("wait", False)
        retry = policy(options.pop("attempts", 1), options.pop("backoff", 1))
        how = limits(options)
        if waits:
            how["cancellation_type"] = ActivityCancellationType.WAIT_CANCELLATION_COMPLETED
        run = workflow.execute_local_activity if local else workflow.execute_activity
        try:
            result = await run(name, args=args, retry_policy=retry, **how)
        except (ActivityError, ApplicationError) as error:
            result = told(error)
        return [result, watch()]


@workflow.defn
class FirstWins:
    @workflow.run
    async def run(self, wait: bool) -> list[Any]:
        watch = Watch()
        kind = ActivityCancellationType.WAIT_CANCELLATION_COMPLETED if wait else ActivityCancellationType.TRY_CANCEL
        started = [
            workflow.start_activity(
                activities.beats,
                seconds,
                start_to_close_timeout=LONG,
                heartbeat_timeout=timedelta(seconds=30),
                cancellation_type=kind,
            )
            for seconds in (10, 100)
        ]
        await workflow.wait(started, return_when=asyncio.FIRST_COMPLETED)
        first = watch()
        started[1].cancel()
        try:
            await started[1]
        except ActivityError as error:
            return [type(error.cause).__name__, first, watch()]
        return ["not cancelled"]


@workflow.defn
class FailsAlthough:
    """An activity that is wanted no more, and fails all the same: what becomes of it."""

    @workflow.run
    async def run(self, name: str, args: list[Any], after: float) -> list[Any]:
        watch = Watch()
        started = workflow.start_activity(
            name,
            args=args,
            start_to_close_timeout=LONG,
            heartbeat_timeout=timedelta(seconds=30),
            retry_policy=policy(9),
            cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )
        await workflow.sleep(after)
        started.cancel()
        try:
            return [await started, watch()]
        except ActivityError as error:
            return [told(error), watch()]


@workflow.defn
class Abandons:
    """An activity that is wanted no more, and that nobody tells so: it goes on beside a timer of a minute."""

    @workflow.run
    async def run(self) -> list[Any]:
        watch = Watch()
        started = workflow.start_activity(
            activities.fails,
            args=[2, 3],
            start_to_close_timeout=LONG,
            heartbeat_timeout=timedelta(seconds=30),
            retry_policy=policy(9),
            cancellation_type=ActivityCancellationType.ABANDON,
        )
        await workflow.sleep(1)
        started.cancel()
        try:
            await started
        except ActivityError as error:
            heard = [type(error.cause).__name__, watch()]
        await workflow.sleep(60)
        return [*heard, watch()]


@workflow.defn
class Outlives:
    """An activity that is given up while its code goes on: what that hears of it."""

    @workflow.run
    async def run(self, name: str, args: list[Any], options: dict[str, float]) -> list[Any]:
        run = workflow.execute_local_activity if options.pop("local", False) else workflow.execute_activity
        retry = policy(int(options.pop("attempts", 1)))
        try:
            await run(name, args=args, retry_policy=retry, **limits(options))
        except ActivityError:
            await workflow.sleep(20)
        return await workflow.execute_activity(activities.what_outlived, start_to_close_timeout=LONG)


@workflow.defn
class WaitsTooLong:
    """Three that want the one place of their worker; the second does not wait for it until it is free."""

    @workflow.run
    async def run(self) -> list[Any]:
        watch = Watch()
        first = workflow.start_activity(activities.sleeps, 10, start_to_close_timeout=LONG)
        try:
            await workflow.execute_activity(
                activities.sleeps,
                1,
                start_to_close_timeout=LONG,
                schedule_to_start_timeout=timedelta(seconds=5),
                retry_policy=policy(),
            )
        except ActivityError as error:
            late = told(error)[1]
        await workflow.execute_activity(activities.sleeps, 3, start_to_close_timeout=LONG)
        return [late, await first, watch()]


@workflow.defn
class Chain:
    """A of 10 s and B of 100 s side by side; C follows A, and then a timer, while B runs."""

    @workflow.run
    async def run(self) -> list[float]:
        watch = Watch()
        b = workflow.start_activity(activities.sleeps, 100, start_to_close_timeout=LONG)
        await workflow.execute_activity(activities.sleeps, 10, start_to_close_timeout=LONG)
        marks = [watch()]
        await workflow.execute_activity(activities.sleeps, 5, start_to_close_timeout=LONG)
        marks.append(watch())
        await workflow.sleep(7)
        marks.append(watch())
        await b
        return [*marks, watch()]


@workflow.defn
class TimerBeside:
    @workflow.run
    async def run(self, how: str) -> list[Any]:
        watch = Watch()

        async def sleeps(seconds: float) -> str:
            return await workflow.execute_activity(activities.sleeps, seconds, start_to_close_timeout=LONG)

        outcome: Any = "?"
        if how == "too late":
            try:
                outcome = await asyncio.wait_for(sleeps(100), 30)
            except (TimeoutError, ActivityError) as error:  # in CPython 3.11 what the cancelled activity raised
                outcome = type(error).__name__
        elif how == "in time":
            outcome = await asyncio.wait_for(sleeps(20), 30)
        elif how == "condition":
            running = workflow.start_activity(activities.sleeps, 100, start_to_close_timeout=LONG)
            try:
                await workflow.wait_condition(running.done, timeout=33)
            except TimeoutError:
                outcome = "TimeoutError"
        else:
            await sleeps(3)
            await workflow.sleep(3600)
            await sleeps(4)
            await workflow.sleep(timedelta(days=30))
            outcome = "slept"
        return [outcome, watch()]


@workflow.defn
class CleansUpBeside:
    """An attempt of 100 s that cleans up for 2 s once it is cancelled; a timer of 11 s beside it."""

    @workflow.run
    async def run(self) -> None:
        working = workflow.start_activity(
            activities.beats, 100, start_to_close_timeout=LONG, heartbeat_timeout=timedelta(seconds=30)
        )
        await workflow.sleep(11)
        await working


@workflow.defn
class RetriesBeside:
    @workflow.run
    async def run(self) -> list[float]:
        watch = Watch()
        short = workflow.start_activity(
            activities.fails, args=[3, 0.5], start_to_close_timeout=LONG, retry_policy=policy(4)
        )
        long = workflow.start_activity(activities.sleeps, 100, start_to_close_timeout=LONG)
        await short
        first = watch()
        await long
        return [first, watch()]


@workflow.defn
class FanOut:
    @workflow.run
    async def run(self, name: str, args: list[Any], width: int) -> float:
        watch = Watch()
        await asyncio.gather(
            *(workflow.execute_activity(name, args=args, start_to_close_timeout=LONG) for _ in range(width))
        )
        return watch()


@workflow.defn
class Locals:
    """Local activities side by side, beside a timer of the workflow."""

    @workflow.run
    async def run(self) -> list[float]:
        watch, marks = Watch(), list[float]()

        async def local(seconds: float) -> None:
            await workflow.execute_local_activity(activities.sleeps, seconds, start_to_close_timeout=LONG)
            marks.append(watch())

        await asyncio.gather(local(20), local(7))
        await workflow.sleep(10)
        return [*marks, watch()]


@workflow.defn
class Parent:
    @workflow.run
    async def run(self) -> list[Any]:
        watch = Watch()
        own = workflow.start_activity(activities.sleeps, 50, start_to_close_timeout=LONG)
        name = workflow.info().workflow_id + "/child"
        child = await workflow.execute_child_workflow(TimerBeside.run, "in time", id=name)
        marks = [watch()]
        await workflow.sleep(5)
        marks.append(watch())
        await own
        return [child, *marks, watch()]


@workflow.defn
class Fails:
    """Fails some runs after some seconds."""

    @workflow.run
    async def run(self, times: int, seconds: float) -> list[Any]:
        await workflow.sleep(seconds)
        attempt = workflow.info().attempt
        if attempt <= times:
            raise ApplicationError(f"run {attempt}", type="Nope")
        last = workflow.get_last_failure()
        return [attempt, str(last), (workflow.now() - workflow.info().workflow_start_time).total_seconds()]


@workflow.defn
class ParentOf:
    """A child with limits: its outcome, and when it came."""

    @workflow.run
    async def run(self, child: str, args: list[Any], options: dict[str, Any]) -> list[Any]:
        watch = Watch()
        retry = policy(options.pop("attempts")) if "attempts" in options else None
        limits: dict[str, Any] = {key: timedelta(seconds=value) for key, value in options.items()}
        name = workflow.info().workflow_id + "/child"
        try:
            result = await workflow.execute_child_workflow(child, args=args, id=name, retry_policy=retry, **limits)
        except ChildWorkflowError as error:
            result = told(error)
        return [result, watch()]


@workflow.defn
class Continued:
    @workflow.run
    async def run(self, left: int, begin: float) -> float:
        begin = begin or workflow.time()
        await workflow.execute_activity(activities.sleeps, 60, start_to_close_timeout=LONG)
        await workflow.sleep(40)
        if left:
            workflow.continue_as_new(args=[left - 1, begin])
        return round(workflow.time() - begin, 3)


@workflow.defn
class Approval:
    """Waits for a person, with reminders."""

    def __init__(self) -> None:
        self.approved: float | None = None
        self.reminders: list[float] = []

    @workflow.run
    async def run(self, remind_after: float | None) -> list[Any]:
        watch = Watch()
        self._watch = watch
        while self.approved is None:
            try:
                await workflow.wait_condition(lambda: self.approved is not None, timeout=remind_after)
            except TimeoutError:
                self.reminders.append(watch())
        return [self.approved, self.reminders, watch()]

    @workflow.signal
    def approve(self) -> None:
        self.approved = self._watch() if hasattr(self, "_watch") else 0.0

    @workflow.update
    async def approve_later(self, seconds: float) -> float:
        await workflow.sleep(seconds)
        self.approve()
        return self.approved or 0.0

    @workflow.query
    def reminded(self) -> list[float]:
        return self.reminders


@workflow.defn
class Timers:
    """Timers alone: one after the other, side by side, as a limit, and one that is cancelled."""

    @workflow.run
    async def run(self) -> list[float]:
        watch = Watch()
        await workflow.sleep(60)
        marks = [watch()]
        await asyncio.gather(workflow.sleep(5), workflow.sleep(90))
        marks.append(watch())
        try:
            await workflow.wait_condition(lambda: False, timeout=600)
        except TimeoutError:
            marks.append(watch())
        slow = asyncio.create_task(workflow.sleep(86_400))
        await workflow.sleep(7)
        slow.cancel()
        await asyncio.gather(slow, return_exceptions=True)
        return [*marks, watch()]


@workflow.defn
class OnQueue:
    """An activity that workers of another task queue have to take."""

    @workflow.run
    async def run(self, queue: str) -> list[Any]:
        try:
            await workflow.execute_activity(
                activities.fails, args=[99, 3], task_queue=queue, start_to_close_timeout=LONG, retry_policy=policy(2)
            )
        except ActivityError as error:
            return told(error)
        return []


ALL = [
    One, FirstWins, FailsAlthough, Abandons, CleansUpBeside, Chain, TimerBeside, RetriesBeside, FanOut, Locals, Parent,
    Fails, ParentOf, Continued, Approval, Timers, OnQueue, Outlives, WaitsTooLong,
]  # fmt: skip
