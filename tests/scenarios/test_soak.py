"""What a soak holds its try-ons to."""

import pytest

from scenarios.soak.faults import implied_status

SUBMIT, POLL = ("sam3", "submit"), ("sam3", "poll")
RESIZE, GENERATE, HEALTH = ("image_manipulator", "resize"), ("a100", "generate"), ("a100", "health")


@pytest.mark.parametrize(
    ("faults", "status"),
    [
        ([], "COMPLETED"),
        ([RESIZE] * 4, "COMPLETED"),
        ([RESIZE] * 5, "FAILED"),
        ([GENERATE] * 2 + [("a100", "refine_mask")] * 2, "COMPLETED"),
        ([GENERATE] * 3, "FAILED"),
        ([SUBMIT, POLL], "COMPLETED"),
        ([SUBMIT, POLL, POLL], "FAILED"),
        ([POLL, POLL, ("birefnet", "poll")], "COMPLETED"),
        ([HEALTH], "FAILED"),
    ],
)
def test_a_try_on_fails_when_one_step_used_up_its_attempts(faults: list[tuple[str, str]], status: str) -> None:
    assert implied_status(faults) == status


def test_with_a_second_a100_an_offline_one_fails_nothing() -> None:
    assert implied_status([HEALTH, GENERATE, GENERATE], other_a100=True) == "COMPLETED"
    assert implied_status([HEALTH, *[GENERATE] * 3], other_a100=True) == "FAILED"
