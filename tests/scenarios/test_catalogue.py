"""The whole catalogue in virtual time, and what makes it a catalogue."""

from collections import Counter
from collections.abc import Callable, Hashable

import pytest

from scenarios.catalogue import CATALOGUE
from scenarios.model.observed import deviations
from scenarios.photos import PHOTOS
from scenarios.plans import plan_of
from scenarios.scenario import Scenario
from scenarios.stories.run import Run


def like(scenario: Scenario) -> Hashable:
    """Return what stories of one kind have in common: the faults, the acts and the end, wherever it happens.

    Those without a fault have what the user sends: a photo from near or far, with strokes or without.
    """
    plan, expect = plan_of(scenario), scenario.expect
    kinds = frozenset(rule.fault["kind"] for rule in plan.rules)
    end = (expect.status, expect.http_status, (expect.code or "").rpartition("_")[2])
    photo = None if kinds or plan.acts else (PHOTOS[plan.photo].far, bool(plan.strokes), expect.code)
    sent = photo, bool(plan.size), bool(plan.headers), plan.guarded
    losses = tuple(bool(number) for _, number in plan.lost), plan.staging and plan.staging.code
    return kinds, frozenset((act.do, act.heard) for act in plan.acts), bool(plan.departures), losses, end, sent


def first_of_their_kind() -> set[str]:
    """Return the names of the stories that a developer's day tells; `make test-all` tells the others."""
    first: dict[Hashable, str] = {}
    for scenario in CATALOGUE:
        first.setdefault(like(scenario), scenario.name)
    return set(first.values())


FIRST = first_of_their_kind()
AGAIN = pytest.mark.long("one more story of a kind: the same faults and the same end")


@pytest.mark.parametrize(
    "scenario",
    [pytest.param(each, id=each.name, marks=() if each.name in FIRST else AGAIN) for each in CATALOGUE],
)
def test_scenario(scenario: Scenario, run_scenario: Callable[[Scenario], Run]) -> None:
    run = run_scenario(scenario)
    assert deviations(plan_of(scenario), run) == []


def test_the_catalogue_has_at_least_a_hundred_scenarios_of_different_kinds() -> None:
    assert len(CATALOGUE) >= 100
    assert [name for name, times in Counter(scenario.name for scenario in CATALOGUE).items() if times > 1] == []
    assert [story for story, times in Counter(scenario.story for scenario in CATALOGUE).items() if times > 1] == []
    assert len({scenario.theme for scenario in CATALOGUE}) >= 8
