"""What virtual time cannot show, in real time; and that both times agree on everything else."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from random import Random

import pytest
import pytest_asyncio
from temporalio.api.enums.v1 import EventType

from app.attempts.deadline import Deadline
from app.services.assembly import Assembly
from app.settings import Settings
from app.worker import working
from fakes.kit.client import AsyncControl
from fakes.registry import BLOB, SERVICES
from scenarios.catalogue import CATALOGUE
from scenarios.explore.tryon.drawn import drawn
from scenarios.explore.tryon.plans import allowed
from scenarios.plans import Plan, scenario_of
from scenarios.scenario import Expect, Scenario, rule
from scenarios.stack.live import LivePlace, live_stack
from scenarios.stack.programs import ALL_PARTS, Options
from scenarios.stack.stack import Stack
from scenarios.stories.run import Run
from scenarios.stories.runner import Runner
from scenarios.world.simulation import Simulation

pytestmark = pytest.mark.long("real time: what it waits for has to pass")

AGREEING = (
    "near",
    "far",
    "strokes-that-add",
    "no-gemini",
    "image-manipulator-status-recovers",
    "birefnet-reset-recovers",
    "sam3-job-failed-once",
    "sam3-job-fails-every-time",
    "bad-cut-out-once",
    "a100-garbage-recovers",
)


def outcome(run: Run) -> dict[str, object]:
    """What must not depend on whose time it was: the outcome, the code, the calls of the services."""
    calls = Counter((call.name, call.attempt, call.fault) for call in run.calls if call.service != "blob")
    return {"status": run.status, "code": run.error.get("code"), "step": run.error.get("failedStep"), "calls": calls}


async def test_virtual_and_real_time_agree(simulation: Simulation, tmp_path: Path) -> None:
    chosen = [scenario for scenario in CATALOGUE if scenario.name in AGREEING]
    assert len(chosen) == 10
    virtual = await asyncio.to_thread(simulation.run_all, chosen)
    async with live_stack(tmp_path) as place:
        runner = Runner(place)
        live = await runner.run_all(chosen)
        await runner.close()
    assert [(run.scenario.name, run.problems) for run in live if run.problems] == []
    assert {run.scenario.name: outcome(run) for run in live} == {run.scenario.name: outcome(run) for run in virtual}


EXPLORED = 20
FAILING = 2
"""So many of them fail at least, whatever the draw."""
LONGEST_S = 60.0
SIDE_BY_SIDE = 6


NO_CALL = {"refuse", "dns", "unreachable"}


def explored_plans(seed: int) -> list[Plan]:
    """Draw plans that take less than a minute, of which the model allows one story, and which need no instant.

    A fault of so many seconds is put beside a deadline, and a cancel beside a boundary: on which side a real clock is,
    the machine decides. What keeps a call from coming is counted as one in virtual time alone, if it is there at all in
    real time. The stack has one A100, and no rules for its store.
    """
    chosen: list[Plan] = []
    completed = 0
    for number in count(seed * 1_000_003):
        plan = drawn(Random(number))
        timed = any("seconds" in rule.fault or rule.fault["kind"] in NO_CALL for rule in plan.rules)
        if (
            timed
            or scenario_of(plan).virtual_alone
            or plan.around
            or plan.beside
            or not all(isinstance(act.at, str) for act in plan.acts)
        ):
            continue
        told = allowed(plan) or []
        short = len(told) == 1 and told[0].length < LONGEST_S
        called = {call.service for story in told for call in story.calls} - {BLOB.name}
        enough = told and told[0].status == "COMPLETED" and completed == EXPLORED - FAILING
        if short and not enough and plan.rules and called | {rule.service for rule in plan.rules} <= set(SERVICES):
            chosen.append(plan)
            completed += told[0].status == "COMPLETED"
        if len(chosen) == EXPLORED:
            break
    return chosen


async def test_explored_plans_come_to_the_same_in_real_time(simulation: Simulation, tmp_path: Path) -> None:
    plans = explored_plans(seed=1)
    scenarios = [scenario_of(plan) for plan in plans]
    virtual = await asyncio.to_thread(simulation.run_all, scenarios)
    async with live_stack(tmp_path, time_scale=1) as place:
        runner = Runner(place)
        live = await runner.run_all(scenarios, at_once=SIDE_BY_SIDE)
        await runner.close()
    assert [(plan.name, run.problems) for plan, run in zip(plans, live, strict=True) if run.problems] == []
    differing = {
        plan.name: (outcome(one), outcome(other))
        for plan, one, other in zip(plans, live, virtual, strict=True)
        if outcome(one) != outcome(other)
    }
    assert differing == {}
    assert sum(run.status == "COMPLETED" for run in live) >= EXPLORED // 4
    assert sum(run.status == "FAILED" for run in live) >= FAILING


# ---------------------------------------------------------------- the server's own timeouts
@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no deadline come: what production would be without deadlines of its own."""
    monkeypatch.setattr(Deadline, "limit", _no_limit)


@asynccontextmanager
async def _no_limit(_deadline: Deadline, _error: Callable[[], Exception]) -> AsyncIterator[None]:
    yield


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    options = Options(parts=ALL_PARTS - {"worker"}, profile="instant", temporal_ui=False)
    async with Stack(home=tmp_path_factory.mktemp("stack"), options=options) as running:
        yield running


HANGS_ONCE = Scenario(
    name="hangs-once",
    story="The image manipulator hangs once, and nothing in the worker notices.",
    theme="the server's timeouts",
    rules=(rule("image_manipulator", "resize", "hang", calls="1"),),
    expect=Expect(calls={"image_manipulator.resize": 2}),
)


async def run_on(stack: Stack, key: str) -> Run:
    """Run the hang with a worker of this process."""
    names = Settings.model_fields
    given = {name.lower(): value for name, value in stack.environment.items() if name.lower() in names}
    settings = Settings.model_validate(given | {"worker_drain_s": 0})
    client = await stack.temporal()
    controls = {name: AsyncControl(stack.urls[name]) for name in SERVICES}
    place = LivePlace(stack.urls["gateway"], client, controls)
    assembly = Assembly(settings)
    runner = Runner(place, seed=key)
    try:
        async with working(client, settings, assembly.activities):
            return await runner.run(HANGS_ONCE)
    finally:
        await runner.close()
        await assembly.close()
        for control in controls.values():
            await control.close()


def timed_out_after(run: Run) -> float:
    """Return the seconds between the first resize call and the second."""
    first, second = sorted(call.at for call in run.calls if call.name == "image_manipulator.resize")
    return second - first


def last_failure(run: Run) -> str:
    """Return the message of the failure that the second attempt's start carries in the history."""
    assert run.history is not None
    failures = [
        event.activity_task_started_event_attributes.last_failure.message
        for event in run.history.events
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED
        and event.activity_task_started_event_attributes.attempt == 2
    ]
    assert len(failures) == 1
    return failures[0]


@pytest.mark.usefixtures("endless")
@pytest.mark.asyncio(loop_scope="module")
async def test_start_to_close_ends_an_attempt_that_has_no_deadline(stack: Stack) -> None:
    run = await run_on(stack, "without a deadline")
    assert run.problems == []
    assert "StartToClose" in last_failure(run)
    assert timed_out_after(run) >= 30  # the policy's 30 s, then a backoff of 1 s


@pytest.mark.usefixtures("endless")
@pytest.mark.asyncio(loop_scope="module")
async def test_heartbeat_timeout_ends_an_attempt_that_does_not_beat(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.attempts.heartbeat.HEARTBEAT_INTERVAL", 3600)  # beats once, as a worker that stands still
    run = await run_on(stack, "without a beat")
    assert run.problems == []
    assert "Heartbeat" in last_failure(run)
    # HEARTBEAT_TIMEOUT, then a backoff of 1 s; the end of an attempt, at 30 s, did not do it.
    assert 10 <= timed_out_after(run) < 30
