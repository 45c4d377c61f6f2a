"""What the queueing formula says about a set of services: the bottleneck, the knee, the servers that a rate needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fakes.kit.profiles import Profile
from loadtests.mix import Mix
from loadtests.queueing import Service, highest_rate, servers_needed, wait_at

QUANTILES = 2000
PERCENTILE = 95.0


@dataclass(frozen=True)
class Station:
    """A service with slots: what one try-on asks of it in all, and how many slots it has."""

    name: str
    service: Service
    slots: int

    @property
    def capacity(self) -> float:
        """Try-ons per second with every slot busy."""
        return self.slots / self.service.mean


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
        durations: list[float] = []
        mean = 0.0
        for operation, share in _operations(name, mix, weight).items():
            latency = profile.latency.get(operation)
            if latency is None or not share:
                continue
            each = [latency.at((number + 0.5) / QUANTILES) * scale for number in range(QUANTILES)]
            mean += share * sum(each) / QUANTILES
            durations += each[:: max(1, round(1 / share))]
        if mean:
            found.append(Station(name, Service(mean, Service.of(durations).variation), profile.capacity.slots))
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


def foreseen_knee(of: Sequence[Station], *, base_rate: float, base_p95: float, limit: float) -> float:
    """Return the rate at which the p95 of a try-on reaches a limit.

    Args:
        of: the stations; the first is the bottleneck.
        base_rate: a low rate that was measured.
        base_p95: the p95 there, in seconds; its own waits at the bottleneck are taken off.
        limit: the threshold for the p95, in seconds.
    """
    first = of[0]
    alone = base_p95 - wait_at(PERCENTILE, base_rate, first.service, first.slots)
    return highest_rate(first.service, first.slots, percentile=PERCENTILE, longest_wait=max(0.0, limit - alone))


def a100s_for(rates: Sequence[float], station: Station, longest_wait: float) -> dict[float, int]:
    """Return how many slots of a station each rate needs, for the p95 of its waits to keep within a limit."""
    return {
        rate: servers_needed(rate, station.service, percentile=PERCENTILE, longest_wait=longest_wait) for rate in rates
    }
