"""What the rounds of the contenders prove, and when they prove nothing."""

import pytest

from loadtests.bench.batches import Batch
from loadtests.comparisons.contenders import CELERY, LIMIT, LITERAL, PIPELINE
from loadtests.comparisons.standings import Standing, share_of_the_limit, table, undercuts, verdict
from loadtests.measure.process_usage import MIB, Cost

OWN = frozenset({"temporal", "worker"})


def measured(cpu_ms: float, *, beside_ms: float = 100, seconds: float = 5) -> Batch:
    """A batch of ten workflows whose own CPU is shared by two processes."""
    half = Cost(cpu_ms / 2 / 1000 * 10, 0, 50 * MIB)
    costs = {"temporal": half, "worker": half, "azurite": Cost(beside_ms / 1000 * 10, 0, 900 * MIB)}
    return Batch(10, seconds, costs, moved=5_000)


def standings(**cpu_ms: list[float]) -> dict[str, Standing]:
    names = {"limit": LIMIT, "pipeline": PIPELINE, "literal": LITERAL, "celery": CELERY}
    return {names[key]: Standing(names[key], OWN, [measured(one) for one in rounds]) for key, rounds in cpu_ms.items()}


def test_a_contender_s_own_cpu_is_the_median_round_s_with_its_spread_and_nobody_else_s() -> None:
    standing = standings(limit=[100, 500, 120])[LIMIT]
    own, every = standing.own_cpu, standing.all_cpu
    assert (own.median, own.least, own.most) == pytest.approx((0.12, 0.1, 0.5))
    assert (every.median, every.least, every.most) == pytest.approx((0.22, 0.2, 0.6))
    assert standing.cpu("worker") == pytest.approx(0.06)
    assert standing.own_memory == pytest.approx(100)
    assert (standing.rate.median, standing.moved) == (2, 500)


def test_rounds_are_compared_with_each_other() -> None:
    """A machine that was slow for one round was so for both."""
    share = share_of_the_limit(standings(limit=[100, 1000, 110], pipeline=[200, 2000, 200]))
    assert (share.median, share.least, share.most) == pytest.approx((0.5, 0.5, 0.55))


@pytest.mark.parametrize(
    ("pipeline", "kept", "said"),
    [
        ([190, 200, 210], True, "ok: 0.50 of the no-op limit (0.48 to 0.53)"),
        ([210, 210, 210], False, "MISSED: 0.48 of the no-op limit (0.48 to 0.48)"),
    ],
)
def test_the_goal_is_half_of_the_limit(pipeline: list[float], kept: bool, said: str) -> None:
    judged, line = verdict(standings(limit=[100, 100, 100], pipeline=pipeline))
    assert judged is kept
    assert line.startswith(said)


def test_what_undercuts_the_limit_on_temporal_makes_the_run_invalid() -> None:
    found = standings(limit=[284, 280, 290], pipeline=[300, 300, 300], literal=[274, 270, 400], celery=[90, 90, 90])
    assert undercuts(found) == ["literal pseudocode needs 274 ms of CPU, less than the 284 ms of the no-op limit"]
    kept, line = verdict(found)
    assert not kept
    assert line.startswith("INVALID: literal pseudocode needs 274 ms")


def test_one_round_below_the_limit_is_noise() -> None:
    assert undercuts(standings(limit=[100, 100, 100], literal=[120, 90, 130])) == []


def test_without_both_there_is_no_share() -> None:
    assert verdict(standings(celery=[90, 90, 90]))[0]
    assert verdict(standings(limit=[90, 90, 90]))[0]


def test_the_table_prints_each_median_with_its_spread() -> None:
    row = table(standings(limit=[100, 500, 120])).splitlines()[-1]
    assert row == "| no-op limit | 2.0 (2.0 to 2.0) | 120 (100 to 500) | 220 (200 to 600) | 100 | 0 |"
