"""The whole catalogue in virtual time, and what makes it a catalogue."""

from collections import Counter
from collections.abc import Callable

import pytest

from scenarios.catalogue import CATALOGUE
from scenarios.model.observed import deviations
from scenarios.plans import plan_of
from scenarios.scenario import Scenario
from scenarios.stories.run import Run


@pytest.mark.parametrize("scenario", CATALOGUE, ids=lambda scenario: scenario.name)
def test_scenario(scenario: Scenario, run_scenario: Callable[[Scenario], Run]) -> None:
    run = run_scenario(scenario)
    assert deviations(plan_of(scenario), run) == []


def test_the_catalogue_has_at_least_a_hundred_scenarios_of_different_kinds() -> None:
    assert len(CATALOGUE) >= 100
    assert [name for name, times in Counter(scenario.name for scenario in CATALOGUE).items() if times > 1] == []
    assert [story for story, times in Counter(scenario.story for scenario in CATALOGUE).items() if times > 1] == []
    assert len({scenario.theme for scenario in CATALOGUE}) >= 8
