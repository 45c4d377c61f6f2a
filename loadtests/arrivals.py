"""When try-ons arrive, whatever the system does with them: open arrivals, computed before the run.

A shape is a rate over time. Its arrivals are spread evenly, or at random as in a Poisson process. The same shape, rate,
length and seed give the same arrivals, so that several load generators can each take every n-th of them.
"""

import math
import random
from collections.abc import Callable
from typing import Literal

Shape = Literal["constant", "poisson", "ramp", "spike", "day"]

SPIKE = 4.0
"""The spike is so many times the rate, for a tenth of the run, in its middle."""
NIGHT = 0.2
"""The quietest hour of a day has this part of its busiest."""
RESOLUTION = 10_000
"""Steps in which a shape is integrated."""


def rate_at(shape: Shape, rate: float, seconds: float) -> Callable[[float], float]:
    """Return the arrivals per second as a function of the seconds since the start.

    Args:
        shape: `constant` and `poisson` keep the rate; `ramp` climbs to it from nothing; `spike` keeps it but for a
            tenth of the run; `day` is a day's curve in one run, night, morning and evening, with the rate at its peak.
        rate: arrivals per second.
        seconds: length of the run.
    """
    if shape == "ramp":
        return lambda at: rate * at / seconds
    if shape == "spike":
        return lambda at: rate * (SPIKE if 0.45 <= at / seconds < 0.55 else 1.0)
    if shape == "day":
        middle, swing = (1 + NIGHT) / 2, (1 - NIGHT) / 2
        return lambda at: rate * (middle - swing * math.cos(2 * math.pi * at / seconds))
    return lambda _at: rate


def arrivals(shape: Shape, rate: float, seconds: float, seed: int) -> list[float]:
    """Return when each try-on is to start, in seconds since the start, ascending.

    Raises:
        ValueError: rate or length is not positive.
    """
    if rate <= 0 or seconds <= 0:
        raise ValueError(f"a rate and a length above 0 are needed, not {rate:g}/s for {seconds:g} s")
    chance = random.Random(f"arrivals {seed}")  # noqa: S311 - repeatable load, no secret
    current = rate_at(shape, rate, seconds)
    step = seconds / RESOLUTION

    def gap() -> float:
        return chance.expovariate(1.0) if shape == "poisson" else 1.0

    found: list[float] = []
    passed, due = 0.0, gap() if shape == "poisson" else 0.5
    for number in range(RESOLUTION):
        grown = current((number + 0.5) * step) * step
        while grown and passed + grown > due:
            found.append((number + (due - passed) / grown) * step)
            due += gap()
        passed += grown
    return found


def share(planned: list[float], index: int, generators: int) -> list[tuple[int, float]]:
    """Return the arrivals of one of several load generators, each with its number in the whole plan."""
    return list(enumerate(planned))[index::generators]
