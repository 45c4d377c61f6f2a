"""Plans drawn by Hypothesis: each is one that runs and that the model can tell; simple ones come of shrinking."""

import pytest
from hypothesis import HealthCheck, find, given, settings

from scenarios.explore.tryon.strategies import plans
from scenarios.model import stories
from scenarios.model.observed import deviations
from scenarios.plans import Plan, scenario_of
from scenarios.plans.text import parsed, written
from scenarios.world.simulation import Simulation


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plan=plans())
def test_a_drawn_plan_can_be_stored_and_told(plan: Plan) -> None:
    assert parsed(written(plan), "here") == plan
    assert 1 <= len(stories(plan)) <= 64


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(plan=plans())
def test_a_drawn_plan_runs_as_the_model_says(simulation: Simulation, plan: Plan) -> None:
    run = simulation.run(scenario_of(plan))
    assert not run.judged or deviations(plan, run) == []


@pytest.mark.long("Hypothesis shrinks by hundreds of plans")
def test_hypothesis_makes_plans_simpler() -> None:
    quick = settings(max_examples=300, deadline=None, database=None)
    found = find(plans(), lambda plan: bool(plan.rules) and plan.rules[0].service == "sam3", settings=quick)
    assert len(found.rules) <= 2
