"""The capacity model against theory, and what it does to callers."""

import asyncio
import math
import random
from itertools import pairwise

import pytest

from fakes.kit.capacity import Full, Slots
from fakes.kit.distributions import Distribution
from fakes.kit.profiles import Capacity
from fakes.kit.rules import RulesInvalid
from fakes.profiles import NAMED, read_profile
from tests.fakes.kit.conftest import Toy, serve_toy

ECHO = {"text": "x"}


def simulate(slots: int, rate: float, mean: float, calls: int) -> tuple[list[float], list[float], list[float]]:
    """Return arrivals, waits and ends of calls that arrive by Poisson and are served exponentially."""
    chance = random.Random(1)
    model = Slots(Capacity(slots=slots))
    service = Distribution(exponential=mean)
    now, arrivals, waits, ends = 0.0, [], [], []
    for _ in range(calls):
        now += chance.expovariate(rate)
        seconds = service.at(chance.random())
        end = model.admit(now, seconds, 0)
        arrivals.append(now)
        waits.append(end - seconds - now)
        ends.append(end)
    return arrivals, waits, ends


def erlang_c(slots: int, load: float) -> float:
    """The probability of waiting in M/M/c."""
    tail = load**slots / math.factorial(slots) * slots / (slots - load)
    return tail / (sum(load**k / math.factorial(k) for k in range(slots)) + tail)


@pytest.mark.parametrize(("slots", "rate"), [(1, 0.7), (2, 1.5), (4, 3.2)])
def test_waits_are_those_of_the_formula_of_erlang(slots: int, rate: float) -> None:
    _, waits, _ = simulate(slots, rate, 1.0, 200_000)
    expected = erlang_c(slots, rate) / (slots - rate)
    assert sum(waits) / len(waits) == pytest.approx(expected, rel=0.06)
    assert sum(wait > 1e-9 for wait in waits) / len(waits) == pytest.approx(erlang_c(slots, rate), rel=0.04)


def test_littles_law() -> None:
    """The mean number in the system is the arrival rate times the mean time in it; both are measured on their own."""
    arrivals, _, ends = simulate(2, 1.5, 1.0, 50_000)
    events = sorted([(at, 1) for at in arrivals] + [(at, -1) for at in ends])
    area, present = 0.0, 0
    for (at, change), (after, _) in pairwise(events):
        present += change
        area += present * (after - at)
    span = events[-1][0] - events[0][0]
    time_in_system = sum(end - at for at, end in zip(arrivals, ends, strict=True)) / len(arrivals)
    assert area / span == pytest.approx(len(arrivals) / span * time_in_system, rel=1e-6)


def test_slots_and_queue_are_counted() -> None:
    model = Slots(Capacity(slots=2, queue=1))
    assert [model.admit(0, 10, 0) for _ in range(3)] == [10, 10, 20]
    assert (model.busy(0), model.waiting(0)) == (2, 1)
    with pytest.raises(Full):
        model.admit(0, 10, 0)
    assert (model.busy(10), model.waiting(10)) == (1, 0)
    assert model.admit(10, 1, 0) == 11


def test_a_cold_start_comes_after_idleness() -> None:
    model = Slots(Capacity(idle=100))
    assert [model.admit(now, 1, 20) for now in (0, 30, 129, 231)] == [21, 31, 130, 252]


async def test_a_full_server_says_so() -> None:
    profile = "{latency: {echo: 30}, capacity: {slots: 1, queue: 0, when_full: '%s', retry_after: 9}}"
    for status in (503, 429):
        async with serve_toy(sim_profile=profile % status) as toy:
            first = asyncio.create_task(toy.ask("/echo", body=ECHO))
            await _until(toy, busy=1)
            second = await toy.ask("/echo", body=ECHO)
            assert (second.status, second.headers["retry-after"]) == (status, "9")
            assert (await toy.ask()).status == 200, "an operation that does not work needs no slot"
            assert b'fake_busy_slots{service="toy"} 1\n' in (await toy.ask("/__sim/metrics")).body
            first.cancel()
            await asyncio.wait([first])


async def test_callers_wait_in_the_queue() -> None:
    profile = "{latency: {echo: 30}, capacity: {slots: 1, when_full: wait}}"
    async with serve_toy(sim_profile=profile) as toy:
        asks = [asyncio.create_task(toy.ask("/echo", body=ECHO)) for _ in range(3)]
        await _until(toy, busy=1, queue=2)
        for ask in asks:
            ask.cancel()
        await asyncio.wait(asks)


async def test_who_waited_takes_longer() -> None:
    profile = "{latency: {echo: 30}, capacity: {slots: 1, when_full: wait}}"
    async with serve_toy(sim_profile=profile, fakes_time_scale=0.01) as toy:
        answers = await asyncio.gather(*(toy.ask("/echo", body=ECHO) for _ in range(3)))
        times = sorted([call["duration_s"] or 0 for call in await toy.control.ledger()])
        assert (await toy.control.health())["time_scale"] == 0.01  # who foresees these times must know it
    assert [answer.status for answer in answers] == [200, 200, 200]
    assert times[0] >= 0.3
    assert times[2] >= 0.6  # it would be 0.3 without a queue


async def test_virtual_callers_always_find_a_free_slot() -> None:
    async with serve_toy(sim_profile="{latency: {echo: 30}, capacity: {slots: 1, queue: 0}}") as toy:
        answers = [await toy.ask("/echo", body=ECHO, virtual=True) for _ in range(3)]
    assert [answer.elapsed for answer in answers] == [30, 30, 30]


async def test_the_profile_can_be_changed(toy: Toy) -> None:
    assert (await toy.control.profile())["name"] == "instant"
    await toy.control.set_profile({"latency": {"plain": 3}})
    assert (await toy.ask(virtual=True)).elapsed == 3
    assert (await toy.control.set_profile("realistic"))["name"] == "realistic"
    with pytest.raises(Exception, match="no profile 'slow', only instant, realistic, overloaded"):
        await toy.control.set_profile("slow")
    with pytest.raises(Exception, match=r"capacity\.slots"):
        await toy.control.set_profile({"capacity": {"slots": 0}})


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("service", ["image_manipulator", "birefnet", "sam3", "a100", "blob", "one's own"])
def test_the_named_profiles_are_valid(name: str, service: str) -> None:
    assert read_profile(name, service).name == name


@pytest.mark.parametrize(
    ("given", "u", "seconds"),
    [
        ({"fixed": 3}, 0.9, 3),
        ({"uniform": [2, 4]}, 0.25, 2.5),
        ({"lognormal": {"median": 25, "p99": 50}}, 0.5, 25),
        ({"lognormal": {"median": 25, "p99": 50}}, 0.99, 50),
        ({"exponential": 2}, 1 - math.exp(-1), 2),
        ({"samples": [1, 5, 9]}, 0.5, 5),
    ],
)
def test_distributions(given: dict[str, object], u: float, seconds: float) -> None:
    assert Distribution.model_validate(given).at(u) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "latency", [-1, {"uniform": [4, 2]}, {"lognormal": {"median": 5, "p99": 1}}, {}, {"samples": []}, "soon"]
)
def test_what_is_no_duration(latency: object) -> None:
    with pytest.raises(RulesInvalid, match="latency"):
        read_profile({"latency": {"plain": latency}}, "toy")


async def _until(toy: Toy, *, busy: int, queue: int = 0) -> None:
    async with asyncio.timeout(5):
        while True:
            health = await toy.control.health()
            if (health["busy_slots"], health["queue_depth"]) == (busy, queue):
                return
            await asyncio.sleep(0.01)
