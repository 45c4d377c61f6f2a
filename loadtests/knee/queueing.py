"""The queueing formulas: how long calls wait for one of several servers, and how many servers a rate needs.

A queue that has gone on for long: M/M/c is Erlang's; service times that are not exponential are allowed for as Allen
and Cunneen do, by their variation. Arrivals that are known one by one, as those of a load run are: Lindley's recursion.
Durations are seconds, rates per second.
"""

import heapq
import math
from collections.abc import Iterable
from dataclasses import dataclass

MOST_SERVERS = 10_000


@dataclass(frozen=True)
class Service:
    """A service time: its mean, and its squared coefficient of variation (0 when fixed, 1 when exponential)."""

    mean: float
    variation: float = 1.0


def waits(arrivals: Iterable[float], services: Iterable[float], servers: int) -> list[float]:
    """Return how long each call waits, first come first served, in a queue that is empty at the start.

    Lindley's recursion: a call begins when it arrives, or when the first of the servers is free.
    """
    free = [0.0] * servers
    found = []
    for arrived, service in zip(arrivals, services, strict=True):
        begins = max(arrived, free[0])
        heapq.heapreplace(free, begins + service)
        found.append(begins - arrived)
    return found


def erlang_c(servers: int, load: float) -> float:
    """Return the part of calls that find all servers taken. `load` is rate x mean service time, in servers."""
    if load >= servers:
        return 1.0
    blocked = 1.0  # Erlang's B, one server after the other, which does not overflow
    for number in range(1, servers + 1):
        blocked = load * blocked / (number + load * blocked)
    return blocked / (1 - load / servers * (1 - blocked))


def mean_wait(rate: float, service: Service, servers: int, arrivals_variation: float = 1.0) -> float:
    """Return the mean wait; infinite when the servers cannot keep up. Poisson arrivals have a variation of 1."""
    load = rate * service.mean
    if load >= servers:
        return math.inf
    exponential = erlang_c(servers, load) * service.mean / (servers - load)
    return exponential * (arrivals_variation + service.variation) / 2


def wait_at(percentile: float, rate: float, service: Service, servers: int) -> float:
    """Return the wait that this part of calls, in percent, does not exceed: those that wait do so exponentially."""
    load = rate * service.mean
    if load >= servers:
        return math.inf
    waiting, beyond = erlang_c(servers, load), 1 - percentile / 100
    if waiting <= beyond:
        return 0.0
    return mean_wait(rate, service, servers) / waiting * math.log(waiting / beyond)


def servers_needed(rate: float, service: Service, *, percentile: float, longest_wait: float) -> int:
    """Return how many servers keep this percentile of waits within a limit.

    Raises:
        ValueError: more than 10,000 would be needed.
    """
    for servers in range(max(1, math.floor(rate * service.mean)), MOST_SERVERS):
        if wait_at(percentile, rate, service, servers) <= longest_wait:
            return servers
    raise ValueError(f"{rate:g} calls a second of {service.mean:g} s need more than {MOST_SERVERS} servers")


def highest_rate(service: Service, servers: int, *, percentile: float, longest_wait: float) -> float:
    """Return the rate up to which this percentile of waits keeps within a limit."""
    low, high = 0.0, servers / service.mean
    for _ in range(60):
        middle = (low + high) / 2
        if wait_at(percentile, middle, service, servers) <= longest_wait:
            low = middle
        else:
            high = middle
    return low
