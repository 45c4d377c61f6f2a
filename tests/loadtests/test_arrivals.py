import itertools
import math
import random

import pytest

from loadtests.arrivals import Shape, arrivals, share


@pytest.mark.parametrize(
    ("shape", "expected"), [("constant", 600), ("ramp", 300), ("spike", 780), ("day", 360), ("poisson", 600)]
)
def test_a_shape_has_as_many_arrivals_as_its_rate_says(shape: Shape, expected: int) -> None:
    found = arrivals(shape, 10, 60, seed=1)
    assert found == sorted(found)
    assert found[0] >= 0
    assert found[-1] < 60
    tolerance = 4 * math.sqrt(expected) if shape == "poisson" else 1
    assert abs(len(found) - expected) <= tolerance


def test_constant_arrivals_are_evenly_spread() -> None:
    found = arrivals("constant", 4, 10, seed=1)
    assert {round(later - sooner, 3) for sooner, later in itertools.pairwise(found)} == {0.25}


def test_poisson_gaps_have_the_exponential_s_spread() -> None:
    found = arrivals("poisson", 100, 100, seed=3)
    gaps = [later - sooner for sooner, later in itertools.pairwise(found)]
    mean = sum(gaps) / len(gaps)
    spread = math.sqrt(sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) / mean
    assert spread == pytest.approx(1, abs=0.05)


def test_a_spike_is_in_the_middle_and_the_day_peaks_at_noon() -> None:
    spike = arrivals("spike", 10, 100, seed=1)
    assert sum(45 <= at < 55 for at in spike) == pytest.approx(400, abs=1)
    day = arrivals("day", 10, 100, seed=1)
    assert sum(40 <= at < 60 for at in day) > 4 * sum(at < 10 or at >= 90 for at in day)


def test_the_seed_decides_and_the_global_random_does_not() -> None:
    random.seed(1)
    first = arrivals("poisson", 5, 20, seed=9)
    random.seed(2)
    assert arrivals("poisson", 5, 20, seed=9) == first
    assert arrivals("poisson", 5, 20, seed=10) != first


def test_several_generators_share_the_same_arrivals_without_one_lost_or_twice() -> None:
    planned = arrivals("poisson", 7, 30, seed=2)
    shares = [share(planned, index, 3) for index in range(3)]
    assert sorted(item for part in shares for item in part) == list(enumerate(planned))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_a_rate_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        arrivals("constant", 0, 10, seed=1)
