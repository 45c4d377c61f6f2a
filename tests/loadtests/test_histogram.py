import random

import pytest

from loadtests.histogram import Latencies


def test_percentiles_are_right_to_three_digits() -> None:
    chance = random.Random(1)
    values = sorted(chance.lognormvariate(1, 2) for _ in range(10_000))
    held = Latencies(values)
    for percentile in (50, 90, 95, 99, 99.9):
        assert held.at(percentile) == pytest.approx(values[int(len(values) * percentile / 100) - 1], rel=2e-3)
    assert held.figures()["count"] == 10_000
    assert held.figures()["max_s"] == pytest.approx(values[-1], rel=1e-3)


def test_merged_histograms_are_as_one() -> None:
    values = [index / 97 for index in range(1, 2000)]
    one, first, second = Latencies(values), Latencies(values[::2]), Latencies(values[1::2])
    first.merge(second)
    assert first.figures() == one.figures()


def test_nothing_recorded_has_no_percentiles() -> None:
    assert Latencies().at(95) is None
    assert Latencies().figures() == {"count": 0}
