"""What a soak holds its try-ons to."""

import pytest

from scenarios.soak.faults import Call, implied_status


def calls(service: str, story: str) -> list[Call]:
    """Read `generate1! health2`: operation, attempt, and ! for a call that was answered with a fault."""
    return [
        Call(service, word.rstrip("!")[:-1], int(word.rstrip("!")[-1]), fault=word.endswith("!"))
        for word in story.split()
    ]


@pytest.mark.parametrize(
    ("service", "story", "status"),
    [
        ("sam3", "", "COMPLETED"),
        ("image_manipulator", "resize1! resize2! resize3! resize4! resize5 zoom_check1! zoom_check2", "COMPLETED"),
        ("image_manipulator", "resize1! resize2! resize3! resize4! resize5!", "FAILED"),
        ("sam3", "submit1! submit2 poll2! poll3", "COMPLETED"),
        ("sam3", "submit1! submit2 poll2! poll3!", "FAILED"),
        ("a100", "health1 refine_mask1! health1 health2 refine_mask2! health2 health3 refine_mask3", "COMPLETED"),
        ("a100", "health1 generate1! health1 health2 generate2! health2 health3 generate3! health3", "FAILED"),
        # A health check that is too busy uses up an attempt; one after a call that failed uses up no second one.
        ("a100", "health1! health2! health3 generate3", "COMPLETED"),
        ("a100", "health1! health2! health3!", "FAILED"),
        ("a100", "health1 generate1! health1! health2! health3 generate3", "COMPLETED"),
        ("a100", "health1! health2! health3 refine_mask3 health1! health2! health3 generate3", "COMPLETED"),
        ("a100", "health1! health2! health3 refine_mask3 health1! health2! health3!", "FAILED"),
    ],
)
def test_a_try_on_fails_when_one_step_used_up_its_attempts(service: str, story: str, status: str) -> None:
    assert implied_status(calls(service, story)) == status


@pytest.mark.parametrize(
    ("story", "status"),
    [
        ("health1! health1! health1!", "COMPLETED"),
        ("health1 generate1! health1 health2 generate2! health2 health3 generate3! health3", "FAILED"),
        ("health1 generate1! health1 health2 generate2! health2 health3 generate3! health3!", "COMPLETED"),
    ],
)
def test_with_a_second_a100_one_that_does_not_say_how_it_is_fails_nothing(story: str, status: str) -> None:
    assert implied_status(calls("a100", story), other_a100=True) == status
