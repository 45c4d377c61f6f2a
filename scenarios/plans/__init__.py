"""Plans: stories as plain JSON, that people read and edit, tools write, and `make play` runs again."""

from scenarios.plans.plan import Act, Away, Plan, PlanInvalid, plan_of, read_plan, scenario_of, written

__all__ = ["Act", "Away", "Plan", "PlanInvalid", "plan_of", "read_plan", "scenario_of", "written"]
