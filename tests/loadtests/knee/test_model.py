import math
from typing import Any

import pytest

from loadtests.arrivals import arrivals
from loadtests.knee.model import GRID, Foresight
from loadtests.knee.queueing import wait_at
from loadtests.knee.sizing import Demand, Station
from loadtests.measure.histogram import Latencies, at_percentile
from loadtests.thresholds import Thresholds


def exponential(mean: float) -> Demand:
    return Demand(1.0, tuple(-mean * math.log(1 - (number + 0.5) / 2000) for number in range(2000)))


FIXED = Station("a100", (Demand(1.0, (1.0,)),), slots=1)
VARYING = Station("a100", (exponential(1.0),), slots=1)


def foresight(station: Station = VARYING, *, seconds: float = 60, elsewhere: float = 0.0, **limits: Any) -> Foresight:
    thresholds = Thresholds.model_validate(limits or {"transaction": {"p95_s": 9}})
    return Foresight(station, seconds=seconds, elsewhere=elsewhere, limits=thresholds)


@pytest.mark.parametrize("count", [1, 2, 7, 24, 40, 61])
def test_a_foreseen_percentile_is_the_one_that_a_report_would_show(count: int) -> None:
    values = [float(number + 1) for number in range(count)]
    for percentile in (50, 95, 99):
        assert at_percentile(values, percentile) == pytest.approx(Latencies(values).at(percentile), rel=2e-3)


def test_a_stay_is_the_service_alone_where_nobody_waits_and_grows_with_the_rate() -> None:
    assert foresight(FIXED, elsewhere=2).played([0, 5, 10, 15], 1, plays=1).p95_s == 3
    assert foresight(FIXED, elsewhere=2).played([0, 0, 0, 0], 1, plays=1).p95_s == 6
    tails = [foresight(FIXED).figures(rate, seed=1).p95_s for rate in (0.3, 0.6, 0.9)]
    assert tails == sorted(set(tails))


def test_who_calls_nothing_at_a_station_does_not_stay_there() -> None:
    sometimes = Station("a100", (Demand(0.2, (10.0,)),), slots=1)
    assert foresight(sometimes).played([0.0] * 20, 1).p50_s == 0


def test_a_backlog_is_foreseen_in_the_throughput_as_the_summary_counts_it() -> None:
    keeps_up = foresight(FIXED, seconds=10).played([number * 1.25 for number in range(8)], 1, plays=1)
    assert keeps_up.throughput_share == 1
    # 20 in 10 s, one a second; the first five took up to 3 s, so what ends within 13 s is in time: 13 of 20
    behind = foresight(FIXED, seconds=10).played([number * 0.5 for number in range(20)], 1, plays=1)
    assert behind.throughput_share == 13 / 20


@pytest.mark.parametrize(
    ("limits", "names"),
    [
        ({"transaction": {"p95_s": 2, "p50_s": 2, "p99_s": 900}}, ["transaction p50", "transaction p95"]),
        ({"throughput_share": 0.9}, ["throughput share"]),
        ({"throughput_share": 0.1}, []),
    ],
)
def test_every_threshold_that_a_queue_decides_is_foreseen_by_name(limits: dict[str, Any], names: list[str]) -> None:
    assert foresight(FIXED, **limits).broken(2.0, seed=1) == names
    assert foresight(FIXED, **limits).broken(0.05, seed=1) == []


def test_the_foreseen_knee_is_where_a_threshold_first_breaks() -> None:
    foreseen = foresight(elsewhere=4)
    knee = foreseen.knee(0.3, seed=1)
    assert foreseen.broken(knee / GRID, seed=1) == []
    assert foreseen.broken(knee, seed=1) == ["transaction p95"]


def test_other_arrivals_have_other_knees_and_the_range_says_how_far_apart() -> None:
    foreseen = foresight(elsewhere=2)
    low, high = foreseen.spread(0.3, seed=1)
    assert low < foreseen.knee(0.3, seed=1) < high
    assert high / low > 1.2
    longer = foresight(seconds=1200, elsewhere=2).spread(0.3, seed=1, seeds=12)
    assert longer[1] / longer[0] < high / low


def test_for_long_the_knee_is_lower_than_in_a_short_run_and_agrees_with_a_long_one() -> None:
    lasting = foresight(elsewhere=2).lasting()
    assert wait_at(95, lasting, VARYING.service, 1) == pytest.approx(6, rel=0.01)
    assert lasting < foresight(elsewhere=2).knee(0.3, seed=1)
    hour = foresight(seconds=3600, elsewhere=2).knee(0.4, seed=1, plays=8)
    assert hour == pytest.approx(lasting, rel=0.1)


def test_for_long_no_rate_beyond_the_capacity_keeps_the_throughput() -> None:
    assert foresight(FIXED, throughput_share=0.9).lasting() == FIXED.capacity


def test_the_curve_passes_through_the_figures_and_has_a_band_around_them() -> None:
    foreseen = foresight(FIXED)
    points = foreseen.curve([0.3, 0.9], seed=1)
    assert [point.p95_s for point in points] == [foreseen.figures(rate, seed=1).p95_s for rate in (0.3, 0.9)]
    assert all(point.low_s <= point.high_s for point in points)
    assert points[1].high_s > points[0].high_s


@pytest.mark.parametrize("rate", [0.1, 0.5, 3.7])
def test_the_arrivals_that_are_played_are_those_that_a_run_sends(rate: float) -> None:
    sent = foresight(FIXED).played(arrivals("poisson", rate, 60, 3), 3)
    assert foresight(FIXED).figures(rate, seed=3).p95_s == pytest.approx(sent.p95_s)
