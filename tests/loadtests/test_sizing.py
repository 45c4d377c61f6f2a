from pathlib import Path

import pytest
import yaml

from loadtests.mix import load_mix
from loadtests.queueing import wait_at
from loadtests.sizing import PERCENTILE, a100s_for, foreseen_knee, stations

LOADTESTS = Path(__file__).parents[2] / "loadtests"
MIX = load_mix(LOADTESTS / "knee-mix.yaml", fakes=True)


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


def test_the_foreseen_knee_is_where_the_p95_reaches_the_limit() -> None:
    told = {"a100": {"latency": {"generate": {"exponential": 1.0}}, "capacity": {"slots": 2}}}
    found = stations(told, MIX, 1.0)
    service, slots = found[0].service, found[0].slots
    base = 4 + wait_at(PERCENTILE, 0.3, service, slots)
    knee = foreseen_knee(found, base_rate=0.3, base_p95=base, limit=7)
    assert wait_at(PERCENTILE, knee, service, slots) == pytest.approx(3, rel=0.01)
    assert 0.3 < knee < found[0].capacity


def test_twice_the_rate_needs_less_than_twice_the_slots_and_more_than_its_load() -> None:
    station = stations({"a100": {"latency": {"generate": 25.0}, "capacity": {"slots": 1}}}, MIX, 1.0)[0]
    needed = a100s_for([0.5, 1.0], station, longest_wait=10)
    assert 12.5 < needed[0.5] < needed[1.0] <= 2 * needed[0.5]
    assert needed[1.0] > 25
