"""The worker that comes after one has left a story has a memory of its own."""

from collections.abc import Callable
from typing import Any

import pytest

from app.services.remote_job import RemoteJobs
from scenarios.scenario import Departure, Expect, Scenario, rule
from scenarios.stories.run import Run

LEFT = Scenario(
    name="worker-left-while-sam3-works",
    story="The worker is ended in the middle of SAM3's job, and the next one goes on with it.",
    theme="tests",
    rules=(rule("sam3", "submit", "job_slow", seconds=10),),
    departures=(Departure(at=5, back_at=6, drain_s=0),),
    expect=Expect(calls={"sam3.submit": 1}, attempts={"generate_mask": (0, 7)}),
)


def test_the_next_worker_shares_nothing_with_the_one_that_left(
    run_scenario: Callable[[Scenario], Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    polls: list[tuple[str, int, RemoteJobs]] = []
    poll = RemoteJobs._poll

    async def noted(jobs: RemoteJobs, attempt: Any, ticket: Any) -> Any:
        polls.append((attempt.workflow_id, attempt.number, jobs))
        return await poll(jobs, attempt, ticket)

    monkeypatch.setattr(RemoteJobs, "_poll", noted)
    run = run_scenario(LEFT)
    mine = {number: jobs for workflow_id, number, jobs in polls if workflow_id == run.workflow_id}
    assert sorted(mine) == [1, 2]
    assert mine[1] is not mine[2]
