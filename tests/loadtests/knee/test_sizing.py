import random
import statistics
from pathlib import Path

import pytest
import yaml

from fakes.registry import SERVICES
from loadtests.knee.queueing import wait_at
from loadtests.knee.sizing import Station, slots_for, stations
from loadtests.mix import load_mix

LOADTESTS = Path(__file__).parents[3] / "loadtests"
MIX = load_mix(LOADTESTS / "knee-mix.yaml", fakes=SERVICES)
SCALES = dict.fromkeys(SERVICES, 1.0)


@pytest.mark.parametrize(("profile", "first"), [("one-a100", "a100"), ("one-sam3", "sam3")])
def test_the_station_that_gives_out_first_is_at_the_front(profile: str, first: str) -> None:
    told = yaml.safe_load((LOADTESTS / "profiles" / f"{profile}.yaml").read_text())
    found = stations(told, MIX, SCALES)
    assert found[0].name == first
    assert [station.capacity for station in found] == sorted(station.capacity for station in found)


def test_a_try_on_asks_of_a_station_what_the_mix_says() -> None:
    told = {
        "a100": {"latency": {"generate": 2.0, "refine_mask": 1.0}, "capacity": {"slots": 3}},
        "sam3": {"latency": {"submit": {"exponential": 1.0}}, "capacity": {"slots": 2}},
        "birefnet": {"latency": {"submit": 9.0}, "capacity": {"slots": 1}},
        "image_manipulator": {"latency": {"resize": 5.0}},
    }
    by_name = {station.name: station for station in stations(told, MIX, dict.fromkeys(SCALES, 0.5) | {"sam3": 0.1})}
    assert by_name["a100"].service.mean == pytest.approx((2.0 + 0.3 * 1.0) * 0.5)
    assert by_name["a100"].capacity == pytest.approx(3 / 1.15)
    assert by_name["sam3"].service.mean == pytest.approx(0.1, rel=0.01)  # each fake has its own time scale
    assert by_name["sam3"].service.variation == pytest.approx(1, abs=0.05)
    assert set(by_name) == {"a100", "sam3"}  # no far photo in the mix; and no slots, no queue


def station_of(latency: dict[str, object], slots: int = 1) -> Station:
    """One A100 for try-ons without anything else, by what its fake would say."""
    return stations({"a100": {"latency": latency, "capacity": {"slots": slots}}}, MIX, SCALES)[0]


def test_what_a_try_on_takes_varies_with_its_operations_and_their_shares() -> None:
    both = station_of({"generate": {"exponential": 1.0}, "refine_mask": 0.5})
    chance = random.Random(2)
    drawn = [both.draw(chance) for _ in range(20_000)]
    assert both.service.mean == pytest.approx(statistics.fmean(drawn), rel=0.03)
    assert both.service.variation == pytest.approx(statistics.pvariance(drawn) / statistics.fmean(drawn) ** 2, rel=0.06)


def test_places_in_the_workers_limit_the_a100s_that_are_of_use() -> None:
    told = {name: {"latency": {"generate": 2.0, "submit": 1.0}, "capacity": {"slots": 8}} for name in ("a100", "sam3")}
    by_name = {station.name: station.slots for station in stations(told, MIX, SCALES, places=3)}
    assert by_name == {"a100": 3, "sam3": 8}
    assert {station.slots for station in stations(told, MIX, SCALES, places=20)} == {8}


def test_twice_the_rate_needs_less_than_twice_the_slots_and_more_than_its_load() -> None:
    station = station_of({"generate": 25.0})
    half, whole = (slots_for(rate, station, {95: 10.0}) for rate in (0.5, 1.0))
    assert 12.5 < half.slots < whole.slots <= 2 * half.slots
    assert whole.slots > 25
    assert whole.busy == pytest.approx(25 / whole.slots)
    assert whole.wait_s == wait_at(95, 1.0, station.service, whole.slots) <= 10


def test_the_strictest_limit_decides_how_many_slots_are_needed() -> None:
    station = station_of({"generate": {"exponential": 25.0}})
    alone = [slots_for(1.0, station, {percentile: wait}).slots for percentile, wait in ((50, 20), (99, 10))]
    assert slots_for(1.0, station, {50: 20, 99: 10}).slots == max(alone) > min(alone)
