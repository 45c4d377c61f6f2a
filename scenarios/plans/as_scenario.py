"""From a plan to its scenario, and back."""

from scenarios.plans.plan import (
    Plan,
    PlannedAct,
    PlannedDeparture,
    PlannedLosses,
    PlannedRule,
    PlannedStaging,
    Point,
    Stroke,
)
from scenarios.scenario import Act, Departure, Expect, Lost, Scenario, Staging


def scenario_of(plan: Plan, expect: Expect | None = None) -> Scenario:
    """Return the scenario of a plan. Without an expectation nothing but the invariants is looked at."""
    return Scenario(
        name=plan.name,
        story=plan.story,
        theme="plans",
        photo=plan.photo,
        points=None if plan.points is None else tuple((each.x, each.y, each.label) for each in plan.points),
        strokes=tuple(stroke.sent for stroke in plan.strokes),
        rules=(*(each.rule() for each in plan.rules), *(each.rule() for each in plan.around)),
        cancel_at=plan.cancel_at,
        cancel_heard=plan.cancel_heard,
        departures=tuple(Departure(each.at, each.back_at, each.drain_s) for each in plan.departures),
        lost=Lost(**dict(plan.lost)),
        staging=Staging(**dict(plan.staging)) if plan.staging else None,
        guarded=plan.guarded,
        acts=tuple(Act(act.do, act.at) for act in plan.acts if act.do != "cancel" or isinstance(act.at, str)),
        beside=tuple(scenario_of(other) for other in plan.beside),
        body=plan.body,
        headers=plan.headers,
        size=plan.size,
        expect=expect or Expect(status=None),
    )


def plan_of(scenario: Scenario) -> Plan:
    """Return the plan of a scenario: all of it but what must come out, which a plan leaves to the model."""
    return Plan(
        name=scenario.name,
        story=scenario.story,
        photo=scenario.photo,
        points=None
        if scenario.points is None
        else tuple(Point(x=x, y=y, label=1 if label else 0) for x, y, label in scenario.points),
        strokes=tuple(Stroke.model_validate(dict(stroke)) for stroke in scenario.strokes),
        rules=tuple(
            PlannedRule(
                service=rule.service,
                operation=rule.operation,
                fault=dict(rule.fault),
                calls=rule.calls,
                when=dict(rule.when),
                must_fire=rule.must_fire,
            )
            for rule in scenario.rules
        ),
        acts=(
            *_cancel(scenario),
            *(PlannedAct(do=act.do, at=act.at) for act in scenario.acts),
        ),
        departures=tuple(
            PlannedDeparture(at=each.at, back_at=each.back_at, drain_s=each.drain_s) for each in scenario.departures
        ),
        lost=PlannedLosses(**scenario.lost._asdict()),
        staging=PlannedStaging(**scenario.staging._asdict()) if scenario.staging else None,
        guarded=scenario.guarded,
        beside=tuple(plan_of(other) for other in scenario.beside),
        body=dict(scenario.body),
        headers=dict(scenario.headers),
        size=scenario.size,
    )


def _cancel(scenario: Scenario) -> tuple[PlannedAct, ...]:
    if scenario.cancel_at is None:
        return ()
    return (PlannedAct(do="cancel", at=scenario.cancel_at, heard=scenario.cancel_heard),)
