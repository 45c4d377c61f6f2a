"""What the queueing formula says about a set of services: the bottleneck, the knee, the servers that a rate needs."""

import random
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from fakes.kit.profiles import Profile
from loadtests.mix import Mix
from loadtests.queueing import Service, highest_rate, servers_needed, waits

QUANTILES = 2000
PERCENTILE = 95.0

PLAYS = 40
"""So often are planned arrivals played through, each time with other service times."""

GRID = 1.02
"""From one rate to the next when a knee is looked for."""


@dataclass(frozen=True)
class Operation:
    """An operation that takes a slot: the share of try-ons that call it, and seconds that it takes, all as likely."""

    share: float
    durations: tuple[float, ...]


@dataclass(frozen=True)
class Station:
    """A service with slots, and what one try-on asks of it."""

    name: str
    operations: tuple[Operation, ...]
    slots: int

    @cached_property
    def service(self) -> Service:
        """What one try-on takes in all."""
        mean = variance = 0.0
        for operation in self.operations:
            part = operation.share * statistics.fmean(operation.durations)
            mean += part
            variance += operation.share * statistics.fmean(each**2 for each in operation.durations) - part**2
        return Service(mean, max(0.0, variance) / mean**2)

    @property
    def capacity(self) -> float:
        """Try-ons per second with every slot busy."""
        return self.slots / self.service.mean

    def draw(self, chance: random.Random) -> float:
        """Return what some try-on takes."""
        called = (operation for operation in self.operations if chance.random() < operation.share)
        return sum(chance.choice(operation.durations) for operation in called)


def stations(profiles: Mapping[str, Any], mix: Mix, scale: float) -> list[Station]:
    """Return the services with slots, the one that gives out first at the front.

    Args:
        profiles: what each fake says of its latencies and slots.
        mix: decides which operations a try-on needs: strokes are refined, a far photo's background is removed.
        scale: the fakes' time scale.
    """
    found = []
    weight = sum(case.entry.weight for case in mix.cases)
    for name, told in profiles.items():
        profile = Profile.model_validate(told)
        if profile.capacity is None:
            continue
        operations = []
        for operation, share in _operations(name, mix, weight).items():
            latency = profile.latency.get(operation)
            if latency is not None and share:
                durations = (latency.at((number + 0.5) / QUANTILES) * scale for number in range(QUANTILES))
                operations.append(Operation(share, tuple(durations)))
        station = Station(name, tuple(operations), profile.capacity.slots)
        if station.operations and any(any(operation.durations) for operation in operations):
            found.append(station)
    return sorted(found, key=lambda station: station.capacity)


def _operations(service: str, mix: Mix, weight: float) -> dict[str, float]:
    """Return how often one try-on calls each operation that takes a slot."""
    strokes = sum(case.entry.weight for case in mix.cases if case.scenario.strokes) / weight
    far = sum(case.entry.weight for case in mix.cases if case.scenario.photo == "far") / weight
    return {
        "image_manipulator": {"resize": 1.0, "zoom_check": 1.0},
        "birefnet": {"submit": far},
        "sam3": {"submit": 1.0},
        "a100": {"refine_mask": strokes, "generate": 1.0},
    }[service]


@dataclass(frozen=True)
class Stay:
    """What half and what 95 of 100 try-ons spend at a station at most, waiting and being served, in seconds."""

    median: float
    p95: float


def stay(station: Station, planned: Sequence[float]) -> Stay:
    """Return how long try-ons that arrive as planned stay at a station, by Lindley's recursion."""
    chance = random.Random("service times")  # noqa: S311 - repeatable figures, no secret
    medians, tails = [], []
    for _ in range(PLAYS):
        services = [station.draw(chance) for _ in planned]
        waited = waits(planned, services, station.slots)
        # Who calls nothing there does not wait there either.
        stays = sorted(wait + service if service else 0.0 for wait, service in zip(waited, services, strict=True))
        medians.append(stays[len(stays) // 2])
        tails.append(stays[int(len(stays) * PERCENTILE / 100)])
    return Stay(statistics.fmean(medians), statistics.fmean(tails))


def foreseen_knee(
    station: Station, plan: Callable[[float], Sequence[float]], *, lowest: float, elsewhere: float, limit: float
) -> float:
    """Return the rate at which the p95 of a try-on reaches a limit in a run.

    Args:
        station: the bottleneck.
        plan: gives the arrivals of a run at a rate.
        lowest: the rate to begin with.
        elsewhere: seconds that a try-on spends outside the station, as they were measured.
        limit: the threshold for the p95, in seconds.
    """
    rate = lowest
    while elsewhere + stay(station, plan(rate)).p95 <= limit and rate < 3 * station.capacity:
        rate *= GRID
    return rate


def lasting_knee(station: Station, *, elsewhere: float, limit: float) -> float:
    """Return the rate that would reach the limit if it went on for long, by Erlang's formula.

    It is lower than that of a run of a minute or two, which is over before its queue has grown to its full length.
    """
    longest_wait = max(0.0, limit - elsewhere - station.service.mean)
    return highest_rate(station.service, station.slots, percentile=PERCENTILE, longest_wait=longest_wait)


def a100s_for(rates: Sequence[float], station: Station, longest_wait: float) -> dict[float, int]:
    """Return how many slots of a station each rate needs, for the p95 of its waits to keep within a limit."""
    return {
        rate: servers_needed(rate, station.service, percentile=PERCENTILE, longest_wait=longest_wait) for rate in rates
    }
