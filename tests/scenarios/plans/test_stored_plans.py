"""Every stored plan is played: what was ever found stays here."""

from collections.abc import Callable
from pathlib import Path

import pytest

from scenarios.model.observed import deviations
from scenarios.plans import plan_of, read_plan, scenario_of, written
from scenarios.plans.text import parsed
from scenarios.scenario import Scenario
from scenarios.stories.run import Run

STORED = sorted((Path(__file__).resolve().parents[3] / "scenarios" / "plans").glob("*.json"))


@pytest.mark.parametrize("scenario", [scenario_of(read_plan(path)) for path in STORED], ids=lambda each: each.name)
def test_a_stored_plan_passes(scenario: Scenario, run_scenario: Callable[[Scenario], Run]) -> None:
    run = run_scenario(scenario)
    assert deviations(plan_of(scenario), run) == []
    assert len(run.acts) == len(scenario.acts)


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_a_stored_plan_has_its_file_s_name_and_is_written_as_plans_are(path: Path) -> None:
    plan = read_plan(path)
    assert plan.name == path.stem
    assert parsed(written(plan), str(path)) == plan


def test_there_are_stored_plans() -> None:
    assert STORED
