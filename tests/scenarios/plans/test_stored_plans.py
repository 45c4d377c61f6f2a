"""Every stored plan is played: what was ever found stays here."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from scenarios.catalogue import CATALOGUE
from scenarios.model.observed import deviations, hold_against_the_model
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


def test_those_beside_a_plan_are_held_against_the_model_too(run_scenario: Callable[[Scenario], Run]) -> None:
    scenario = next(each for each in CATALOGUE if each.name == "one-broken-one-not")
    run, plan = run_scenario(scenario), plan_of(scenario)
    assert deviations(plan, run) == []
    as_it = plan.model_copy(update={"beside": ()})
    told = deviations(plan.model_copy(update={"beside": (as_it,)}), run)
    assert told
    assert all(each.startswith("beside it: ") for each in told)


def test_what_the_model_does_not_allow_is_a_problem_of_a_run_that_was_judged(
    run_scenario: Callable[[Scenario], Run],
) -> None:
    scenario = next(each for each in CATALOGUE if each.name == "near")
    run, far = run_scenario(scenario), plan_of(scenario).model_copy(update={"photo": "far"})
    hold_against_the_model(plan_of(scenario), run)
    assert run.problems == []
    unjudged = replace(run, judged=False)
    hold_against_the_model(far, unjudged)
    assert unjudged.problems == []
    hold_against_the_model(far, run)
    assert run.problems[0].startswith("the model does not allow it: ")


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_a_stored_plan_has_its_file_s_name_and_is_written_as_plans_are(path: Path) -> None:
    plan = read_plan(path)
    assert plan.name == path.stem
    assert parsed(written(plan), str(path)) == plan


def test_there_are_stored_plans() -> None:
    assert STORED
