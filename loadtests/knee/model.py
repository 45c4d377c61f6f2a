"""What a run at some rate will measure, foreseen by playing its arrivals through a station (Lindley's recursion).

Three answers: for the very arrivals that are sent; the range over other seeds, of which they are but one; and for a
queue that goes on for good, by Erlang's formula.
"""

import math
import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from loadtests.arrivals import Shape, arrivals
from loadtests.knee.queueing import highest_rate, waits
from loadtests.knee.sizing import Station
from loadtests.measure.histogram import at_percentile
from loadtests.measure.summary import FEW
from loadtests.thresholds import Thresholds

SHAPE: Shape = "poisson"
PERCENTILES = {"p50_s": 50.0, "p95_s": 95.0, "p99_s": 99.0}
PLAYS = 40
"""So often are the arrivals that are sent played through, each time with other service times."""
SEEDS = 100
"""Other arrivals that are played through, once each: what one other run would see."""
GRID = 1.02
"""From one rate to the next when a knee is looked for."""
MOST = 3.0
"""A rate of so many times the capacity breaks every threshold, or it has none that a queue decides."""


@dataclass(frozen=True)
class Figures:
    """What the report of a run would show: percentiles of a try-on in seconds, and its share of the throughput."""

    p50_s: float
    p95_s: float
    p99_s: float
    throughput_share: float


@dataclass(frozen=True)
class Point:
    """The p95 of a try-on at a rate, in seconds: for the arrivals that are sent, and of 80 of 100 others."""

    rate: float
    p95_s: float
    low_s: float
    high_s: float


@dataclass(frozen=True)
class Foresight:
    """Runs of so many seconds against one station, and seconds that a try-on spends elsewhere."""

    station: Station
    seconds: float
    elsewhere: float
    limits: Thresholds

    def figures(self, rate: float, seed: int, plays: int = PLAYS) -> Figures:
        """Return the means over plays of the arrivals at this rate."""
        return self.played(_arrivals(rate, self.seconds, seed), seed, plays)

    def played(self, planned: Sequence[float], seed: int, plays: int = PLAYS) -> Figures:
        """Return the means over plays of try-ons that arrive as planned."""
        chance = random.Random(f"service times {seed}")  # noqa: S311 - repeatable figures, no secret
        found = [self._play(planned, chance) for _ in range(plays)] if planned else [Figures(0, 0, 0, 1)]
        return Figures(
            statistics.fmean(each.p50_s for each in found),
            statistics.fmean(each.p95_s for each in found),
            statistics.fmean(each.p99_s for each in found),
            statistics.fmean(each.throughput_share for each in found),
        )

    def _play(self, planned: Sequence[float], chance: random.Random) -> Figures:
        services = [self.station.draw(chance) for _ in planned]
        waited = waits(planned, services, self.station.slots)
        # Who calls nothing there does not wait there either.
        took = [
            self.elsewhere + (wait + service if service else 0.0)
            for wait, service in zip(waited, services, strict=True)
        ]
        # As summary.throughput_share counts.
        deadline = self.seconds + at_percentile(sorted(took[: max(FEW, len(took) // 5)]), 95)
        in_time = sum(begin + lasted <= deadline for begin, lasted in zip(planned, took, strict=True))
        took.sort()
        p50, p95, p99 = (at_percentile(took, percentile) for percentile in PERCENTILES.values())
        return Figures(p50, p95, p99, in_time / len(took))

    def broken(self, rate: float, seed: int, plays: int = PLAYS) -> list[str]:
        """Return the names of the thresholds that this rate will break, of those that a queue decides."""
        figures = self.figures(rate, seed, plays)
        allowed = self.limits.transaction.model_dump(exclude_none=True)
        names = [
            f"transaction {name.removesuffix('_s')}"
            for name in PERCENTILES
            if getattr(figures, name) > allowed.get(name, 1e9)
        ]
        least = self.limits.throughput_share
        return [*names, "throughput share"] if least is not None and figures.throughput_share < least else names

    def knee(self, lowest: float, seed: int, plays: int = PLAYS) -> float:
        """Return the rate, above the lowest, that breaks a threshold."""
        low, high = lowest, max(MOST * self.station.capacity, lowest * GRID)
        while high / low > GRID:
            middle = (low * high) ** 0.5
            low, high = (low, middle) if self.broken(middle, seed, plays) else (middle, high)
        return high

    def spread(self, lowest: float, seed: int, seeds: int = SEEDS) -> tuple[float, float]:
        """Return between which rates the knees of 80 of 100 other runs are: their 10th and 90th percentile."""
        found = sorted(self.knee(lowest, seed + number, plays=1) for number in range(1, seeds + 1))
        return at_percentile(found, 10), at_percentile(found, 90)

    def lasting(self) -> float:
        """Return the rate that would break a threshold if it went on for long, by Erlang's formula.

        It is lower than that of a run of a minute or two, which is over before its queue has grown to its full length.
        """
        station, allowed = self.station, self.limits.transaction.model_dump(exclude_none=True)
        rates = [
            highest_rate(
                station.service,
                station.slots,
                percentile=percentile,
                longest_wait=max(0.0, allowed[name] - self.elsewhere - station.service.mean),
            )
            for name, percentile in PERCENTILES.items()
            if name in allowed
        ]
        return min([*rates, station.capacity])

    def curve(self, rates: Sequence[float], seed: int, seeds: int = SEEDS) -> list[Point]:
        """Return what each rate is foreseen to take, for a plot."""
        points = []
        for rate in rates:
            others = sorted(self.figures(rate, seed + number, plays=1).p95_s for number in range(1, seeds + 1))
            points.append(
                Point(rate, self.figures(rate, seed).p95_s, at_percentile(others, 10), at_percentile(others, 90))
            )
        return points


def _arrivals(rate: float, seconds: float, seed: int) -> list[float]:
    """Return when try-ons arrive in a run: as those of one a second for longer, which are kept, come faster."""
    longer = 2.0 ** math.ceil(math.log2(rate * seconds))
    return [at / rate for at in _one_a_second(longer, seed) if at < rate * seconds]


@lru_cache(maxsize=4 * SEEDS)
def _one_a_second(seconds: float, seed: int) -> list[float]:
    return arrivals(SHAPE, 1.0, seconds, seed)
