import random

import pytest

from loadtests.measure.histogram import Latencies


def test_percentiles_are_right_to_three_digits() -> None:
    chance = random.Random(1)
    values = sorted(chance.lognormvariate(1, 2) for _ in range(10_000))
    held = Latencies(values)
    for percentile in (50, 90, 95, 99, 99.9):
        assert held.at(percentile) == pytest.approx(values[int(len(values) * percentile / 100) - 1], rel=2e-3)
    told = held.figures()
    assert told["count"] == 10_000
    assert told["mean_s"] == pytest.approx(sum(values) / len(values))
    assert {name: told[name] for name in ("p50_s", "p95_s", "p99.9_s")} == {
        "p50_s": held.at(50),
        "p95_s": held.at(95),
        "p99.9_s": held.at(99.9),
    }
    assert told["max_s"] == pytest.approx(values[-1], rel=1e-3)


def test_nothing_recorded_has_no_percentiles() -> None:
    assert Latencies().at(95) is None
    assert Latencies().figures() == {"count": 0}
    assert Latencies().curve() == []


def test_a_curve_climbs_to_the_slowest_and_no_further_than_the_values_tell() -> None:
    curve = Latencies(range(1, 1001)).curve()
    percentiles, seconds = zip(*curve, strict=True)
    assert list(percentiles) == sorted(percentiles)
    assert list(seconds) == sorted(seconds)
    assert 99.9 <= percentiles[-1] < 99.99
    assert seconds[0] == pytest.approx(1, rel=1e-3)
    assert seconds[-1] == pytest.approx(1000, rel=1e-3)
    assert dict(curve)[50.0] == pytest.approx(500, rel=1e-2)
    assert [place for place, _ in Latencies([2.0]).curve()] == [0.0]
