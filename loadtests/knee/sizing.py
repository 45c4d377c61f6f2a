"""What the queueing formula says about a set of services: which gives out first, and how many slots a rate needs."""

import random
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from fakes.kit.profiles import Profile
from loadtests.knee.queueing import MOST_SERVERS, Service, servers_needed, wait_at
from loadtests.mix import Mix
from scenarios.pipeline import STEPS

QUANTILES = 2000


@dataclass(frozen=True)
class Demand:
    """An operation that takes a slot: the share of try-ons that call it, and seconds that it takes, all as likely."""

    share: float
    durations: tuple[float, ...]


@dataclass(frozen=True)
class Station:
    """A service with slots, and what one try-on asks of it."""

    name: str
    operations: tuple[Demand, ...]
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


def stations(
    profiles: Mapping[str, Any], mix: Mix, scales: Mapping[str, float], places: int | None = None
) -> list[Station]:
    """Return the services with slots, the one that gives out first at the front.

    Args:
        profiles: what each fake says of its latencies and slots.
        mix: decides which operations a try-on needs: strokes are refined, a far photo's background is removed.
        scales: what each fake says of its time scale.
        places: how many calls the workers make to the A100 at once, where that is known: more slots are of no use.
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
                durations = (latency.at((number + 0.5) / QUANTILES) * scales[name] for number in range(QUANTILES))
                operations.append(Demand(share, tuple(durations)))
        slots = min(profile.capacity.slots, places or MOST_SERVERS) if name == "a100" else profile.capacity.slots
        station = Station(name, tuple(operations), slots)
        if station.operations and any(any(operation.durations) for operation in operations):
            found.append(station)
    return sorted(found, key=lambda station: station.capacity)


def _operations(service: str, mix: Mix, weight: float) -> dict[str, float]:
    """Return how often one try-on calls each operation that takes a slot."""
    cases = {
        "always": list(mix.cases),
        "strokes": [case for case in mix.cases if case.scenario.strokes],
        "background": [case for case in mix.cases if case.scenario.photo == "far"],
    }
    share = {condition: sum(case.entry.weight for case in among) / weight for condition, among in cases.items()}
    return {step.work: share[step.condition] for step in STEPS if step.service == service}


@dataclass(frozen=True)
class Need:
    """How many slots a rate needs: their number, what part of them is busy, and the p95 of waits in seconds."""

    rate: float
    slots: int
    busy: float
    wait_s: float


def slots_for(rate: float, station: Station, longest_waits: Mapping[float, float]) -> Need:
    """Return the fewest slots of a station that keep waits within limits, by Erlang's formula.

    Args:
        rate: try-ons per second.
        station: what a try-on asks of it.
        longest_waits: by percentile, in seconds.

    Raises:
        ValueError: no number of slots that anybody has would do.
    """
    service = station.service
    slots = max(
        servers_needed(rate, service, percentile=percentile, longest_wait=longest)
        for percentile, longest in longest_waits.items()
    )
    return Need(rate, slots, rate * service.mean / slots, wait_at(95, rate, service, slots))
