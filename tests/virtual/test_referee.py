"""Workflow timers, backoffs and timeouts of runs: Temporal's own time-skipping environment says the same."""

import asyncio
import time
import uuid
from datetime import timedelta
from typing import Any

from temporalio.client import WorkflowFailureError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from scenarios.histories import length
from scenarios.stack.programs import TEMPORAL
from scenarios.virtual import server_words
from scenarios.world.referee import SKIPPING
from tests.virtual import activities, workflows
from tests.virtual.session import Session

Story = tuple[Any, list[Any], dict[str, Any], float]
STORIES: list[Story] = [
    (workflows.Timers.run, [], {}, 757),
    (workflows.One.run, ["fails", [4, 0], {"attempts": 5}], {}, 15),
    (workflows.One.run, ["fails", [99, 0], {"schedule_to_close_timeout": 20, "attempts": 9}], {}, 15),
    (workflows.One.run, ["fails_for_good", [], {"attempts": 5}], {}, 0),
    (workflows.Fails.run, [0, 100], {}, 100),
    (workflows.Fails.run, [1, 100], {}, 100),
    (workflows.Fails.run, [0, 100], {"run_timeout": timedelta(seconds=30)}, 30),
    (workflows.Fails.run, [0, 100], {"execution_timeout": timedelta(seconds=40)}, 40),
]
"""With the seconds that each takes."""


def copied(args: list[Any]) -> list[Any]:
    return [dict(each) if isinstance(each, dict) else each for each in args]


async def by_temporals_clock() -> list[tuple[Any, float, float]]:
    """Tell all stories at once on Temporal's time-skipping server, with a worker that knows of no plugin.

    Returns:
        For each what it told, how long it took, and its real seconds: while tasks and attempts run nothing is skipped.
    """
    environment = await WorkflowEnvironment.start_time_skipping_v2(
        dev_server_existing_path=str(TEMPORAL),
        dev_server_extra_args=[*server_words(), *SKIPPING],
        dev_server_log_level="error",
    )

    async def tell(workflow: Any, args: list[Any], options: dict[str, Any]) -> tuple[Any, float, float]:
        began = time.perf_counter()
        handle = await environment.client.start_workflow(
            workflow, args=copied(args), id=str(uuid.uuid4()), task_queue="skips", **options
        )
        try:
            result = await handle.result()
        except WorkflowFailureError as error:
            result = error.cause
        real = time.perf_counter() - began
        return result, length(await handle.fetch_history()), real

    async with (
        environment,
        Worker(
            environment.client,
            task_queue="skips",
            workflows=workflows.ALL,
            activities=[activities.fails, activities.fails_for_good],
            workflow_runner=UnsandboxedWorkflowRunner(),
        ),
    ):
        return list(await asyncio.gather(*(tell(*story[:3]) for story in STORIES)))


def agree(one: Any, other: Any, slack: float) -> bool:
    """Say whether two results are the same, but for seconds."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(agree(*pair, slack) for pair in zip(one, other, strict=True))
    if isinstance(one, int | float) and isinstance(other, int | float):
        return abs(one - other) <= slack
    if isinstance(one, BaseException):
        return type(one) is type(other) and str(one) == str(other)
    return bool(one == other)


def test_temporals_own_clock_tells_the_same(session: Session) -> None:
    for (workflow, args, options, seconds), (theirs, took, slack) in zip(
        STORIES, asyncio.run(by_temporals_clock()), strict=True
    ):
        ours, story = session.run(workflow, *copied(args), **options)
        assert story.now == seconds, (args, ours)
        assert agree(ours, theirs, slack), (args, ours, theirs)
        assert abs(took - seconds) <= slack, (args, took)
