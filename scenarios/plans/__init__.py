"""Plans: stories as plain JSON, that people read and edit, tools write, and `make play` runs again."""

from scenarios.plans.as_scenario import plan_of, scenario_of
from scenarios.plans.plan import Away, Plan, PlannedAct
from scenarios.plans.text import PlanInvalid, read_plan, written

__all__ = ["Away", "Plan", "PlanInvalid", "PlannedAct", "plan_of", "read_plan", "scenario_of", "written"]
