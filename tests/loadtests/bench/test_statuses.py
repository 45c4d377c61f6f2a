"""When a status is cheap enough, and when watchers share their looks."""

import pytest

from loadtests.bench.statuses import Statuses


@pytest.mark.parametrize(
    ("status_s", "many", "kept"),
    [(0.0006, 2.0, True), (0.0006, 2.05, True), (0.0006, 2.5, False), (0.0011, 2.0, False)],
)
def test_the_goals(status_s: float, many: float, kept: bool) -> None:
    seen = Statuses(0.00044, status_s, 1000, 700, {10: 2.0, 1000: many})
    assert seen.kept is kept
    assert f"{0.00044 / status_s:.2f} of it" in seen.told()
