"""Attempts in virtual time against the real server: what they used is in the history, the backoffs are the policy's."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from pydantic import BaseModel
from temporalio import activity, workflow
from temporalio.client import Client, WorkflowFailureError
from temporalio.common import RetryPolicy
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ActivityError, ApplicationError, CancelledError
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, Worker

from app.attempts.heartbeat import heartbeats
from scenarios.world.timelines import Timeline
from scenarios.world.virtual_clock import Event, SimulatedClock
from scenarios.world.virtual_time import VirtualTime
from scenarios.world.virtual_workflow import USED

pytestmark = pytest.mark.asyncio(loop_scope="session")
CLOCK = SimulatedClock()
FOR_EVER = 1e9  # as JSON, which has no infinity


class Try(BaseModel):
    """What one attempt does: pass time, beat, and end well or with an error. With `beside`, beats beside `seconds`."""

    seconds: float = 0
    beside: bool = False
    beat_every: float = 0
    error: str = ""
    details: list[Any] = []
    non_retryable: bool = False
    retry_after: float | None = None
    deadline: float = FOR_EVER


class Step(BaseModel):
    """One activity of the toy workflow."""

    tries: list[Try]
    start_to_close: float = 130
    heartbeat_timeout: float = 0


class Outcome(BaseModel):
    """What an activity returned: a model, so that types survive the way."""

    attempt: int


class Seen(BaseModel):
    """What the workflow saw of each step."""

    at: list[float] = []
    outcomes: list[Outcome] = []
    error_type: str | None = None
    error_details: list[Any] = []
    error_cause: str | None = None
    retry_state: str | None = None


class HiddenError(Exception):
    """An error that is no error of Temporal's."""


@activity.defn
async def one_step(step: Step) -> Outcome:
    number = activity.info().attempt
    plan = step.tries[min(number, len(step.tries)) - 1]
    async with CLOCK.timeout(plan.deadline), heartbeats() if plan.beside else nullcontext():
        if plan.beside:
            await asyncio.gather(CLOCK.sleep(plan.seconds), CLOCK.sleep(1))
            return Outcome(attempt=number)
        passed = 0.0
        while passed < plan.seconds:
            interval = plan.beat_every or plan.seconds
            if plan.beat_every:
                activity.heartbeat("job", number)
            await CLOCK.sleep(interval)
            passed += interval
    if plan.error == "HiddenError":
        raise HiddenError("plain") from ValueError("the reason")
    if plan.error:
        raise ApplicationError(
            "said so",
            *plan.details,
            type=plan.error,
            non_retryable=plan.non_retryable,
            next_retry_delay=None if plan.retry_after is None else timedelta(seconds=plan.retry_after),
        ) from ValueError("the reason")
    return Outcome(attempt=number)


@workflow.defn
class Toy:
    @workflow.run
    async def run(self, steps: list[Step]) -> Seen:
        begin, seen = workflow.now(), Seen()
        for step in steps:
            try:
                outcome = await workflow.execute_activity(
                    one_step,
                    step,
                    start_to_close_timeout=timedelta(seconds=step.start_to_close),
                    heartbeat_timeout=timedelta(seconds=step.heartbeat_timeout) if step.heartbeat_timeout else None,
                    retry_policy=RetryPolicy(
                        initial_interval=timedelta(seconds=2),
                        backoff_coefficient=2,
                        maximum_interval=timedelta(seconds=5),
                        maximum_attempts=4,
                        non_retryable_error_types=["FinalError"],
                    ),
                )
            except ActivityError as error:
                if isinstance(error.cause, ApplicationError):
                    seen.error_type, seen.error_details = error.cause.type, list(error.cause.details)
                    seen.error_cause = repr(error.cause.cause)
                    seen.retry_state = error.retry_state.name if error.retry_state else None
                elif isinstance(error.cause, CancelledError):
                    raise
            else:
                assert isinstance(outcome, Outcome)
                seen.outcomes.append(outcome)
            seen.at.append((workflow.now() - begin).total_seconds())
        return seen


@workflow.defn
class Branches:
    """Branches side by side, each of which waits (less than 0) or works for so many seconds, one after the other."""

    @workflow.run
    async def run(self, branches: list[list[float]], then: list[list[float]]) -> float:
        begin = workflow.now()
        await asyncio.gather(*(self.branch(seconds) for seconds in branches))
        if then:
            workflow.continue_as_new(args=[then, []])
        return (workflow.now() - begin).total_seconds()

    async def branch(self, parts: list[float]) -> None:
        for seconds in parts:
            if seconds < 0:
                await workflow.sleep(-seconds)
            else:
                step = Step(tries=[Try(seconds=seconds)])
                await workflow.execute_activity(one_step, step, start_to_close_timeout=timedelta(seconds=100))


class Bench:
    """A worker with the toy in virtual time."""

    def __init__(self, client: Client, queue: str) -> None:
        self.client = client
        self.queue = queue
        self.virtual_time = VirtualTime()

    def worker(self) -> Worker:
        return Worker(
            self.client,
            task_queue=self.queue,
            workflows=[Toy, Branches],
            activities=[one_step],
            interceptors=[self.virtual_time],
            workflow_runner=UnsandboxedWorkflowRunner(),
            max_heartbeat_throttle_interval=timedelta(milliseconds=20),
            default_heartbeat_throttle_interval=timedelta(milliseconds=20),
        )

    async def run(self, *steps: Step, workflow_id: str = "") -> tuple[Seen, Timeline]:
        workflow_id = workflow_id or str(uuid.uuid4())
        seen = await self.client.execute_workflow(
            Toy.run, list(steps), id=workflow_id, task_queue=self.queue, execution_timeout=timedelta(hours=5)
        )
        return seen, self.virtual_time.timelines.of(workflow_id)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def bench(temporal: Client) -> AsyncIterator[Bench]:
    made = Bench(temporal, f"toy-{uuid.uuid4()}")
    async with made.worker():
        yield made


def begun(timeline: Timeline) -> list[float]:
    return [attempt.began for attempt in timeline.attempts]


async def test_what_an_attempt_used_passes_in_the_workflow(bench: Bench) -> None:
    wall = time.monotonic()
    seen, timeline = await bench.run(Step(tries=[Try(seconds=37)]), Step(tries=[Try(seconds=60)]))
    assert time.monotonic() - wall < 5
    assert seen.at == pytest.approx([37, 97], abs=1)
    assert seen.outcomes == [Outcome(attempt=1), Outcome(attempt=1)]
    assert begun(timeline) == [0, 37]
    assert timeline.length == 97
    assert timeline.problems == []


async def test_backoffs_are_the_policys_to_the_digit(bench: Bench) -> None:
    failing = Try(seconds=10, error="SomeError", details=["kept", 7])
    seen, timeline = await bench.run(Step(tries=[failing]), Step(tries=[Try(seconds=1)]))
    assert begun(timeline) == [0, 12, 26, 41, 51]  # 10 s each, then 2, 4, 5 s (not 8: the maximum), and none
    assert [attempt.backoff for attempt in timeline.attempts] == [2, 4, 5, None, None]
    assert seen.at == pytest.approx([51, 52], abs=1)
    assert (seen.error_type, seen.error_details) == ("SomeError", ["kept", 7])
    assert "the reason" in str(seen.error_cause)
    assert seen.retry_state == "MAXIMUM_ATTEMPTS_REACHED"


@pytest.mark.parametrize("final", [Try(seconds=9, error="E", non_retryable=True), Try(seconds=9, error="FinalError")])
async def test_a_final_error_is_not_retried_and_its_time_passes(bench: Bench, final: Try) -> None:
    seen, timeline = await bench.run(Step(tries=[final]))
    assert len(timeline.attempts) == 1
    assert seen.at == pytest.approx([9], abs=1)
    assert seen.error_details == []
    assert seen.retry_state == "NON_RETRYABLE_FAILURE"


async def test_an_errors_own_delay_is_honoured_but_not_after_the_last_attempt(bench: Bench) -> None:
    busy = Try(seconds=1, error="BusyError", retry_after=30)
    seen, timeline = await bench.run(Step(tries=[busy]))
    assert begun(timeline) == [0, 31, 62, 93]
    assert seen.at == pytest.approx([94], abs=1)


async def test_an_exception_of_any_other_kind_keeps_its_name_and_cause(bench: Bench) -> None:
    seen, timeline = await bench.run(Step(tries=[Try(seconds=3, error="HiddenError")]))
    assert (seen.error_type, len(timeline.attempts)) == ("HiddenError", 4)
    assert "the reason" in str(seen.error_cause)


async def test_a_hang_ends_in_the_callers_deadline(bench: Bench) -> None:
    seen, timeline = await bench.run(Step(tries=[Try(seconds=FOR_EVER, deadline=120), Try(seconds=2)]))
    assert [attempt.outcome for attempt in timeline.attempts] == ["TimeoutError", "completed"]
    assert begun(timeline) == [0, 122]
    assert seen.outcomes == [Outcome(attempt=2)]


async def test_a_hang_without_a_deadline_is_told_and_ends(bench: Bench) -> None:
    seen, timeline = await bench.run(Step(tries=[Try(seconds=FOR_EVER)], start_to_close=30))
    assert seen.error_type == "SimulationError"
    assert "would outlast the limit of 30 s" in timeline.problems[0]


async def test_an_attempt_as_long_as_its_start_to_close_is_told(bench: Bench) -> None:
    _, timeline = await bench.run(Step(tries=[Try(seconds=30)], start_to_close=30))
    assert timeline.problems == ["attempt 1 of one_step took 30 s; its start_to_close is 30 s"]


@pytest.mark.parametrize(("every", "told"), [(2.0, False), (10.0, True), (0.0, True)])
async def test_silence_is_told(bench: Bench, every: float, told: bool) -> None:
    _, timeline = await bench.run(Step(tries=[Try(seconds=40, beat_every=every)], heartbeat_timeout=10))
    silence = every or 40
    assert timeline.problems == (
        [f"attempt 1 of one_step was silent for {silence:g} s; its heartbeat_timeout is 10 s"] if told else []
    )


@pytest.mark.parametrize(("interval", "silence"), [(0.5, None), (9.0, None), (10.0, 10), (50.0, 40)])
async def test_heartbeats_beside_the_work_come_as_often_as_they_say(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, interval: float, silence: float | None
) -> None:
    monkeypatch.setattr("app.pipeline.policies.HEARTBEAT_INTERVAL", interval)
    _, timeline = await bench.run(Step(tries=[Try(seconds=40, beside=True)], heartbeat_timeout=10))
    told = f"attempt 1 of one_step was silent for {silence} s; its heartbeat_timeout is 10 s"
    assert timeline.problems == ([] if silence is None else [told])


async def test_stories_side_by_side_each_have_their_own_time(bench: Bench) -> None:
    stories = [[Step(tries=[Try(seconds=seconds, error="E"), Try(seconds=1)])] for seconds in range(1, 31)]
    runs = await asyncio.gather(*(bench.run(*story) for story in stories))
    assert [begun(timeline) for _, timeline in runs] == [[0, seconds + 2] for seconds in range(1, 31)]
    assert [timeline.problems for _, timeline in runs] == [[]] * 30


@pytest.mark.parametrize(
    ("branches", "then", "began", "length"),
    [
        ([[5, -60, 5]], [], {0, 65}, 70),
        ([[-30, 5, -0.5, 1]], [], {0, 5.5}, 6.5),  # the first activity is the beginning
        ([[10], [3], [0]], [], {0}, 10),
        ([[10, 5], [3, 4, 1]], [], {0, 3, 7, 10}, 15),
        ([[10], [-5, 1, 1], [2]], [], {0, 5, 6}, 10),
        ([[10], [3]], [[5], [2]], {0, 10}, 15),  # continued as new
    ],
)
async def test_another_workflow_waits_and_works_side_by_side(
    bench: Bench, branches: list[list[float]], then: list[list[float]], began: set[float], length: float
) -> None:
    workflow_id = str(uuid.uuid4())
    await bench.client.execute_workflow(Branches.run, args=[branches, then], id=workflow_id, task_queue=bench.queue)
    timeline = bench.virtual_time.timelines.of(workflow_id)
    assert timeline.problems == []
    # The workflow's own waits are the server's, to a tenth of a second.
    assert sorted({round(attempt.began, 1) for attempt in timeline.attempts}) == pytest.approx(sorted(began), abs=0.25)
    assert timeline.length == pytest.approx(length, abs=0.25)
    if all(part >= 0 for branch in branches for part in branch):
        assert ({attempt.began for attempt in timeline.attempts}, timeline.length) == (began, length)


async def test_a_simulated_history_replays_in_a_fresh_process_state(bench: Bench) -> None:
    workflow_id = str(uuid.uuid4())
    steps = Step(tries=[Try(seconds=5, error="E"), Try(seconds=5)]), Step(tries=[Try(seconds=9, error="FinalError")])
    await bench.run(*steps, workflow_id=workflow_id)
    history = await bench.client.get_workflow_handle(workflow_id).fetch_history()
    assert any(USED.encode() in event.SerializeToString() for event in history.events)
    replayer = Replayer(
        workflows=[Toy],
        interceptors=[VirtualTime()],
        data_converter=pydantic_data_converter,
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    await replayer.replay_workflow(history)


async def cancelled(bench: Bench, at: float, *steps: Step) -> Timeline:
    workflow_id = str(uuid.uuid4())

    async def cancel() -> None:
        await bench.client.get_workflow_handle(workflow_id).cancel()

    timeline = bench.virtual_time.timelines.of(workflow_id)
    timeline.plan(Event(at, cancel))
    with pytest.raises(WorkflowFailureError) as caught:
        await bench.run(*steps, workflow_id=workflow_id)
    assert isinstance(caught.value.cause, CancelledError)
    async with asyncio.timeout(10):
        # The workflow is cancelled a moment before its attempt has noticed.
        while not timeline.happenings:  # noqa: ASYNC110 - a timeline is a record and knows of no waiters
            await asyncio.sleep(0.01)
    return timeline


POLLS = Try(seconds=120, beat_every=2)


async def test_a_cancel_while_polling_stops_at_its_instant(bench: Bench) -> None:
    timeline = await cancelled(bench, 45, Step(tries=[POLLS], heartbeat_timeout=10))
    assert timeline.length == 45
    assert [attempt.outcome for attempt in timeline.attempts] == ["cancelled"]
    assert timeline.attempts[0].heartbeats == [2 * count for count in range(23)]
    assert timeline.problems == []


async def test_a_cancel_in_a_hang_stops_at_its_instant(bench: Bench) -> None:
    timeline = await cancelled(
        bench,
        45,
        Step(tries=[Try(seconds=1)]),
        Step(tries=[Try(seconds=FOR_EVER, deadline=120)], heartbeat_timeout=100),
    )
    assert timeline.length == 45
    assert [attempt.outcome for attempt in timeline.attempts] == ["completed", "cancelled"]


async def test_a_cancel_in_a_backoff_stops_at_its_instant_before_the_next_attempt(bench: Bench) -> None:
    step = Step(tries=[Try(seconds=10, error="Busy", retry_after=60)], heartbeat_timeout=30)
    timeline = await cancelled(bench, 45, step)
    assert timeline.length == 45
    assert [(attempt.began, attempt.outcome) for attempt in timeline.attempts] == [(0, "Busy")]
    assert [happening.at for happening in timeline.happenings] == [45]


async def test_a_cancel_at_once_lets_nothing_begin(bench: Bench) -> None:
    timeline = await cancelled(bench, 0, Step(tries=[POLLS], heartbeat_timeout=10))
    assert (timeline.length, timeline.attempts) == (0, [])
