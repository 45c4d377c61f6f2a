import random
import statistics
from pathlib import Path

import pytest
import yaml

from loadtests.arrivals import arrivals
from loadtests.mix import FAKES, load_mix
from loadtests.queueing import wait_at
from loadtests.sizing import (
    GRID,
    Operation,
    Station,
    Stay,
    a100s_for,
    foreseen_knee,
    lasting_knee,
    stations,
    stay,
)

LOADTESTS = Path(__file__).parents[2] / "loadtests"
MIX = load_mix(LOADTESTS / "knee-mix.yaml", fakes=FAKES)


@pytest.mark.parametrize(("profile", "first"), [("one-a100", "a100"), ("one-sam3", "sam3")])
def test_the_station_that_gives_out_first_is_at_the_front(profile: str, first: str) -> None:
    told = yaml.safe_load((LOADTESTS / "profiles" / f"{profile}.yaml").read_text())
    found = stations(told, MIX, 1.0)
    assert found[0].name == first
    assert [station.capacity for station in found] == sorted(station.capacity for station in found)


def test_a_try_on_asks_of_a_station_what_the_mix_says() -> None:
    told = {
        "a100": {"latency": {"generate": 2.0, "refine_mask": 1.0}, "capacity": {"slots": 3}},
        "sam3": {"latency": {"submit": {"exponential": 1.0}}, "capacity": {"slots": 2}},
        "birefnet": {"latency": {"submit": 9.0}, "capacity": {"slots": 1}},
        "image_manipulator": {"latency": {"resize": 5.0}},
    }
    by_name = {station.name: station for station in stations(told, MIX, 0.5)}
    assert by_name["a100"].service.mean == pytest.approx((2.0 + 0.3 * 1.0) * 0.5)
    assert by_name["a100"].capacity == pytest.approx(3 / 1.15)
    assert by_name["sam3"].service.variation == pytest.approx(1, abs=0.05)
    assert set(by_name) == {"a100", "sam3"}  # no far photo in the mix; and no slots, no queue


def station_of(latency: dict[str, object], slots: int = 1) -> Station:
    """One A100 for try-ons without anything else, by what its fake would say."""
    return stations({"a100": {"latency": latency, "capacity": {"slots": slots}}}, MIX, 1.0)[0]


def poisson(rate: float, seconds: float = 60) -> list[float]:
    return arrivals("poisson", rate, seconds, seed=1)


def test_what_a_try_on_takes_varies_with_its_operations_and_their_shares() -> None:
    both = station_of({"generate": {"exponential": 1.0}, "refine_mask": 0.5})
    chance = random.Random(2)
    drawn = [both.draw(chance) for _ in range(20_000)]
    assert both.service.mean == pytest.approx(statistics.fmean(drawn), rel=0.03)
    assert both.service.variation == pytest.approx(statistics.pvariance(drawn) / statistics.fmean(drawn) ** 2, rel=0.06)


def test_a_stay_is_the_service_alone_where_nobody_waits_and_more_with_the_rate() -> None:
    fixed = station_of({"generate": 1.0})
    assert stay(fixed, [0, 5, 10, 15]) == Stay(1, 1)
    assert stay(fixed, [0, 0, 0, 0]).p95 == 4
    tails = [stay(fixed, poisson(rate)).p95 for rate in (0.3, 0.6, 0.9)]
    assert tails == sorted(set(tails))


def test_who_calls_nothing_at_a_station_does_not_stay_there() -> None:
    sometimes = Station("a100", (Operation(0.2, (10.0,)),), slots=1)
    assert stay(sometimes, [0.0] * 20).median == 0


def test_the_foreseen_knee_is_where_the_p95_reaches_the_limit() -> None:
    station = station_of({"generate": {"exponential": 1.0}}, slots=2)
    knee = foreseen_knee(station, poisson, lowest=0.3, elsewhere=4, limit=9)
    assert 4 + stay(station, poisson(knee / GRID)).p95 <= 9 < 4 + stay(station, poisson(knee)).p95


def test_for_long_the_knee_is_lower_than_in_a_short_run_and_agrees_with_a_long_one() -> None:
    station = station_of({"generate": {"exponential": 1.0}})

    def for_an_hour(rate: float) -> list[float]:
        return poisson(rate, 3600)

    lasting = lasting_knee(station, elsewhere=2, limit=9)
    assert foreseen_knee(station, for_an_hour, lowest=0.4, elsewhere=2, limit=9) == pytest.approx(lasting, rel=0.1)
    assert wait_at(95, lasting, station.service, 1) == pytest.approx(6, rel=0.01)


def test_twice_the_rate_needs_less_than_twice_the_slots_and_more_than_its_load() -> None:
    station = stations({"a100": {"latency": {"generate": 25.0}, "capacity": {"slots": 1}}}, MIX, 1.0)[0]
    needed = a100s_for([0.5, 1.0], station, longest_wait=10)
    assert 12.5 < needed[0.5] < needed[1.0] <= 2 * needed[0.5]
    assert needed[1.0] > 25
