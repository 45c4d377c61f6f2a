"""The try-on explored: the first plans of seed 1 without a finding; what is placed, drawn, simplified and judged."""

from itertools import islice
from random import Random

import pytest

import fakes.faults  # noqa: F401 - their kinds
from fakes.kit.faults import kinds as known
from scenarios.explore.application import Seen, Site
from scenarios.explore.explorer import Explorer
from scenarios.explore.tryon import plans
from scenarios.explore.tryon.acts import acts
from scenarios.explore.tryon.application import TryOns, judged, reachable, sample
from scenarios.explore.tryon.cells import grid
from scenarios.explore.tryon.drawn import drawn
from scenarios.explore.tryon.kinds import kinds
from scenarios.explore.tryon.simpler import simpler
from scenarios.model import stories
from scenarios.model.answers import KNOWN
from scenarios.pipeline import OPERATIONS
from scenarios.plans import Plan, PlannedAct, plan_of, scenario_of
from scenarios.plans.text import parsed, written
from scenarios.scenario import UNREAD
from scenarios.world.simulation import Simulation
from tests.scenarios.stories.made_runs import completed

PLANS = 150


def test_the_first_plans_of_seed_1_show_nothing_wrong(simulation: Simulation) -> None:
    shown: list[tuple[Plan, Seen]] = []
    application = TryOns(simulation, lambda plan, _run, seen: shown.append((plan, seen)))
    explored = Explorer(application, seed=1, name=lambda plan: plan.name).explore(most=PLANS)
    assert explored.plans == PLANS
    wrong = [f"{plan.name}: {'; '.join(seen.problems)}" for plan, seen in shown if seen.verdict == "failed"]
    assert not wrong, "\n".join(wrong)
    assert explored.inconclusive <= PLANS // 20, [seen.problems for _, seen in shown if seen.verdict == "inconclusive"]


def test_a_run_that_could_not_be_judged_is_inconclusive() -> None:
    run = completed()
    run.judged = True
    assert judged(plan_of(run.scenario), run).verdict == "failed"  # it is made by hand, and has few of its calls
    run.starved, run.problems = True, ["time is true: inconclusive: 1 requests were answered 503"]
    assert judged(plan_of(run.scenario), run).verdict == "failed"  # told three times: it may be the gateway's own 503
    run.judged, run.problems = False, ["broke off"]
    assert judged(plan_of(run.scenario), run).verdict == "inconclusive"


def test_every_operation_has_kinds_that_the_fakes_take() -> None:
    for service, operations in OPERATIONS.items():
        for operation in operations:
            if operation == "head":
                continue  # the worker asks after no blob
            site = Site(f"{service}.{operation}", 1)
            words = [kind.word for kind in kinds(site.operation)]
            assert len(words) > 10
            assert len(words) == len(set(words)), site
            for kind in kinds(site.operation):
                plan = plans.with_fault(plans.START, site, kind)
                assert plan
                scenario_of(plan)


LEFT_OUT: dict[str, str] = {}
"""Kinds of the fakes' registry that are put nowhere and told by nobody, each with the reason."""


def test_every_kind_of_fault_is_placed_and_told() -> None:
    operations = [f"{service}.{name}" for service, names in OPERATIONS.items() for name in names if name != "head"]
    placed = {kind.fault["kind"] for operation in operations for kind in kinds(operation)}
    assert placed == set(known()) - set(LEFT_OUT)
    assert placed == KNOWN


def test_every_fault_that_is_placed_acts_by_the_model_and_every_plan_is_named_by_what_it_is() -> None:
    placed = list(islice(sample(1), 400))
    for plan in placed:
        assert all(any(story.fired[n] for story in stories(plan)) for n in range(len(plan.rules)))
        assert parsed(written(plan), "here") == plan
    assert len({plan.name for plan in placed}) == len({plans.digest(plan) for plan in placed})


MORE = {
    *("worker-dies-in-a-call", "worker-drains-in-a-call", "worker-leaves-in-a-backoff"),
    *("worker-dies-in-every-attempt", "worker-dies-at-a-boundary", "worker-drains-at-a-boundary"),
    *("start-lost-1", "start-lost-2", "start-lost-3", "start-lost-4", "cancel-lost-1", "cancel-lost-2"),
    *("another-beside", "the-same-beside", "several-beside", "a-faulty-one-beside", "a-cancelled-one-beside"),
    *("start-lost-1-refused-1", "start-lost-2-refused-1", "start-lost-0-refused-2", "start-keyless"),
    *("staging-503-x1", "staging-503-x3", "staging-403-x1", "staging-404-x1", "staging-409-x1"),
    *("cancel-heard-late", "cancel-before-the-end-of-a-call", "cancel-overtaken-by-the-end", "health-end"),
    *("stranger", "keyed", "keys-start-lost-2", "keys-start-keyless", *UNREAD),
    *("both-a100s", "events_late-at-an-instant", "events_anew-at-an-instant", "from_pages-at-an-instant"),
    "wait_through-at-an-instant",
}


def test_what_may_happen_more_is_told_by_the_model() -> None:
    told: set[str] = set()
    for start in (plans.starts()[4], plans.starts()[0]):  # with jobs that take their time, and without a rule
        for word, make in acts(start):
            if word in MORE and word not in told:
                plan = make()
                if plan is not None and plans.allowed(plan):
                    assert plan != start
                    told.add(word)
    assert told == MORE


def test_a_plan_that_is_drawn_depends_on_the_seed_alone() -> None:
    assert [drawn(Random(seed)) for seed in range(5)] == [drawn(Random(seed)) for seed in range(5)]
    assert len({plans.digest(drawn(Random(seed))) for seed in range(20)}) > 15


def test_a_cancel_that_is_heard_at_once_is_simpler() -> None:
    late = plans.changed(plans.START, acts=(PlannedAct(do="cancel", at=1.8, heard="next_heartbeat"),))
    told = {each.how: each.plan.acts for each in simpler(late)}
    assert told["with the cancel heard at once"] == (PlannedAct(do="cancel", at=1.8),)


def test_without_api_keys_is_simpler_and_then_nobody_is_a_stranger() -> None:
    acts_ = tuple(PlannedAct(do=do, at="end") for do in ("stranger", "status", "keyed"))
    told = {each.how: each.plan for each in simpler(plans.changed(plans.START, guarded=True, acts=acts_))}
    open_to_all = told["without API keys"]
    assert [act.do for act in open_to_all.acts] == ["status"]
    assert parsed(written(open_to_all), "here") == open_to_all


def test_simpler_plans_are_smaller_in_the_end() -> None:
    plan = next(each for each in map(drawn, map(Random, range(99))) if len(each.rules) >= 2 and each.strokes)
    for _ in range(50):
        smaller = list(simpler(plan))
        assert plan not in [each.plan for each in smaller]
        if not smaller:
            break
        plan = smaller[-1].plan
    assert not list(simpler(plan))


def test_the_map_knows_what_can_be_reached() -> None:
    cells, nearest = reachable(islice(sample(1), 200))
    assert cells <= grid(cells)
    assert set(nearest) == set(cells)
    assert {cell[0] for cell in cells} == {
        "operation and call and fault",
        "step and error code",
        "attempt and what followed",
        "state and act",
    } - (set() if any(cell[0] == "state and act" for cell in cells) else {"state and act"})


@pytest.mark.parametrize("operation", ["sam3.submit", "a100.generate"])
def test_a_rule_where_one_is_already_is_not_placed(operation: str) -> None:
    kind = kinds(operation)[0]
    once = plans.with_fault(plans.START, Site(operation, 1), kind)
    assert once
    assert plans.with_fault(once, Site(operation, 1), kind) is None
