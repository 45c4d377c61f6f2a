"""Temporal does what the gateway asks, and its answer is lost: the user asks again, and there is one try-on."""

from collections.abc import Callable

import pytest

from scenarios.scenario import Expect, Lost, Scenario, cancelled, rule
from scenarios.stories.run import Run


@pytest.mark.parametrize(("lost", "refused"), [(1, 0), (2, 1), (3, 1), (4, 2)])
def test_a_start_whose_answer_is_lost_is_one_try_on(
    run_scenario: Callable[[Scenario], Run], lost: int, refused: int
) -> None:
    run = run_scenario(
        Scenario(
            name=f"start-lost-{lost}",
            story="Temporal's answers to the start are lost.",
            theme="tests",
            lost=Lost(start=lost),
            expect=Expect(calls={"a100.generate": 1}),
        )
    )
    assert [what for what, *_ in run.repeated] == ["start"] * refused
    assert run.status == "COMPLETED"


@pytest.mark.parametrize(
    ("lost", "told"),
    [
        (Lost(start=1, refused=1), [True]),
        (Lost(start=2, refused=1), [True, False]),
        (Lost(refused=2), [False, False]),
        (Lost(start=1, refused=2), [True, False]),
        (Lost(keyless=True), [True]),
        (Lost(keyless=True, start=1, refused=1), [True, True]),
    ],
)
def test_a_start_that_may_have_been_taken_names_its_try_on_and_one_that_was_refused_does_not(
    run_scenario: Callable[[Scenario], Run], lost: Lost, told: list[bool]
) -> None:
    run = run_scenario(
        Scenario(
            name="start-" + "-".join(f"{name}-{int(value)}" for name, value in lost._asdict().items()),
            story="Temporal's answer to a start is lost, or it refuses one.",
            theme="tests",
            lost=lost,
            expect=Expect(calls={"a100.generate": 1}),
        )
    )
    assert ["workflowId" in said for _, _, said in run.repeated] == told
    assert run.status == "COMPLETED"


@pytest.mark.parametrize("lost", [0, 1])
def test_a_cancel_that_the_end_overtakes_is_told_that_end(run_scenario: Callable[[Scenario], Run], lost: int) -> None:
    run = run_scenario(
        Scenario(
            name=f"cancel-overtaken-{lost}",
            story="The try-on ends between the gateway's look at it and its cancel.",
            theme="tests",
            rules=(rule("a100", "generate", "delay", seconds=6),),
            cancel_at=7.7,
            cancel_heard="after_the_end",
            lost=Lost(cancel=lost),
            expect=Expect(calls={"a100.generate": 1}),
        )
    )
    assert run.timeline.length == pytest.approx(8)
    assert run.cancel_answer is not None
    status, said = run.cancel_answer
    assert (status, said["status"], said["error"]["code"]) == (409, "COMPLETED", "WORKFLOW_FINISHED")


def test_a_cancel_whose_answer_is_lost_has_cancelled(run_scenario: Callable[[Scenario], Run]) -> None:
    run = run_scenario(
        Scenario(
            name="cancel-lost",
            story="Temporal's answer to a cancel is lost.",
            theme="tests",
            rules=(rule("sam3", "submit", "job_slow", seconds=20),),
            cancel_at=9,
            lost=Lost(cancel=1),
            expect=cancelled(calls={"a100.generate": 0}),
        )
    )
    assert [(what, status) for what, status, _ in run.repeated] == [("cancel", 503)]
    assert run.timeline.length == pytest.approx(9)
