"""Plans: stories as plain JSON, that people read and edit, tools write, and `make play` runs again."""

from scenarios.plans.plan import Act, Away, Plan, PlanInvalid, plan_of, read_plan, scenario_of, written
from scenarios.plans.record import record

__all__ = ["Act", "Away", "Plan", "PlanInvalid", "plan_of", "read_plan", "record", "scenario_of", "written"]
