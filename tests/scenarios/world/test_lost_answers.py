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
