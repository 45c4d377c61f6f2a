import itertools
import math
import random

import pytest

from loadtests.knee.queueing import Service, erlang_c, highest_rate, mean_wait, servers_needed, wait_at, waits


def simulated(rate: float, servers: int, variation: float, calls: int = 120_000) -> list[float]:
    """Waits of a queue that is played through, with a mean service time of 1 s, without those of its first tenth."""
    chance = random.Random(5)
    sigma = math.sqrt(math.log(1 + variation))

    def service() -> float:
        if variation == 1:
            return chance.expovariate(1)
        return chance.lognormvariate(-(sigma**2) / 2, sigma) if variation else 1.0

    arrivals = itertools.accumulate(chance.expovariate(rate) for _ in range(calls))
    return sorted(waits(arrivals, [service() for _ in range(calls)], servers)[calls // 10 :])


def test_lindley_lets_each_call_wait_for_the_first_free_server() -> None:
    assert waits([0, 1, 2, 9], [4, 4, 1, 1], servers=1) == [0, 3, 6, 0]
    assert waits([0, 1, 2, 3], [4, 4, 1, 1], servers=2) == [0, 0, 2, 2]
    assert waits([], [], servers=3) == []


def test_erlang_c_of_one_server_is_its_load_and_known_values_hold() -> None:
    assert erlang_c(1, 0.7) == pytest.approx(0.7)
    assert erlang_c(2, 1.0) == pytest.approx(1 / 3)
    assert erlang_c(10, 8.0) == pytest.approx(0.4092, abs=1e-4)  # from Erlang's tables
    assert erlang_c(3, 3.5) == 1


@pytest.mark.parametrize(("servers", "use"), [(1, 0.6), (1, 0.85), (4, 0.8)])
@pytest.mark.parametrize("variation", [0, 0.25, 1])
def test_the_formula_foresees_a_played_queue(servers: int, use: float, variation: float) -> None:
    rate, service = servers * use, Service(1.0, variation)
    waited = simulated(rate, servers, variation)
    assert mean_wait(rate, service, servers) == pytest.approx(sum(waited) / len(waited), rel=0.15, abs=0.02)
    assert wait_at(95, rate, service, servers) == pytest.approx(waited[int(len(waited) * 0.95)], rel=0.2, abs=0.1)


def test_servers_that_cannot_keep_up_let_wait_for_ever() -> None:
    assert mean_wait(2, Service(1), 2) == math.inf
    assert wait_at(95, 2, Service(1), 1) == math.inf


def test_the_servers_a_rate_needs_are_the_fewest_that_keep_the_limit() -> None:
    service = Service(25, 0.1)
    for rate in (0.01, 0.1, 1, 5):
        needed = servers_needed(rate, service, percentile=95, longest_wait=30)
        assert wait_at(95, rate, service, needed) <= 30
        assert wait_at(95, rate, service, needed - 1) > 30 or needed == 1


def test_the_highest_rate_is_where_the_limit_is_just_kept() -> None:
    service = Service(0.5, 0.3)
    rate = highest_rate(service, 2, percentile=95, longest_wait=2)
    assert wait_at(95, rate, service, 2) == pytest.approx(2, rel=1e-3)
    assert 0.7 < rate / 4 < 1
