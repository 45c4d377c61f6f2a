"""The explorer's core on a toy system: what it tries, in which order, what it finds, how small it makes it."""

from pathlib import Path
from typing import Any

import pytest

from scenarios.explore.coverage import Coverage
from scenarios.explore.explorer import QUIET, Explorer
from scenarios.explore.journal import Journal, JournalInvalid
from scenarios.explore.known import KnownInvalid, read_known
from tests.scenarios.explore import toy


def explorer(shop: Any, **options: Any) -> Explorer[Any]:
    return Explorer(shop, **({"seed": 1} | options))


def test_every_single_fault_and_act_comes_before_any_pair() -> None:
    shop = toy.Shop(bugs=False)
    explorer(shop).explore(most=60)
    sizes = [shop.size(plan) for plan in shop.ran]
    assert sizes[:2] == [0, 0]
    first_pair = next(n for n, size in enumerate(sizes) if size > 1)
    assert set(sizes[2:first_pair]) == {1}
    singles = {(fault.site, fault.kind, fault.seconds) for plan in shop.ran[:first_pair] for fault in plan.faults}
    # charge 1, ship 1 and ship 2 of the larger order: busy, lost, and slow in two ways at each
    assert len(singles) == 3 * 4
    assert {plan.cancel_at for plan in shop.ran[:first_pair]} == {None, 0, 1}


def test_the_bugs_that_need_two_things_at_once_are_found_and_made_small() -> None:
    explored = explorer(toy.Shop()).explore(most=600)
    causes = {finding.cause: finding for finding in explored.findings}
    assert set(causes) == {"charged twice", "the cancel was forgotten"}
    twice = causes["charged twice"]
    assert [(fault.site.operation, fault.kind) for fault in twice.shrunk.plan.faults] == [("charge", "lost")] * 2
    assert twice.shrunk.plan.things == 1
    assert "without lost of charge" in twice.shrunk.passes
    assert twice.plans > 1
    forgotten = causes["the cancel was forgotten"].shrunk.plan
    assert (len(forgotten.faults), forgotten.cancel_at) == (1, 2)


def test_code_without_bugs_gives_no_finding_and_stops_by_itself() -> None:
    explored = explorer(toy.Shop(bugs=False)).explore()
    assert explored.findings == []
    assert explored.why.endswith("showed nothing new")
    assert int(explored.why.split()[0]) >= QUIET


def test_a_plan_whose_fault_never_fired_is_inconclusive_and_never_passed() -> None:
    explored = explorer(toy.Shop(bugs=False)).explore(most=400)
    unsure = [seen for _, seen in explored.verdicts if seen.verdict == "inconclusive"]
    assert unsure
    assert explored.inconclusive == len(unsure)


def test_no_plan_runs_twice() -> None:
    shop = toy.Shop()
    explorer(shop).explore(most=300)
    assert len(shop.ran) == len(set(shop.ran))


def test_the_order_depends_on_the_seed_alone() -> None:
    shops = [toy.Shop(), toy.Shop(), toy.Shop()]
    for shop, seed in zip(shops, (1, 1, 2), strict=True):
        explorer(shop, seed=seed).explore(most=200)
    assert shops[0].ran == shops[1].ran
    assert shops[0].ran != shops[2].ran


def test_it_ends_when_the_time_is_over() -> None:
    shop = toy.Shop()
    explored = explorer(shop).explore(over=lambda: len(shop.ran) > 30)
    assert explored.why == "the time is over"
    assert explored.plans < 90


def test_the_pairs_are_pruned_to_what_the_first_fault_leaves_reachable() -> None:
    shop = toy.Shop(bugs=False)
    explored = explorer(shop).explore(most=200)
    drawn = {shop.drawn(1 * 1_000_003 + n) for n in range(2000)}
    pairs = [(plan, seen) for plan, seen in explored.verdicts if shop.size(plan) == 2 and plan not in drawn]
    assert pairs
    assert not [plan for plan, seen in pairs if seen.verdict == "inconclusive"]


def test_a_run_that_is_taken_up_again_runs_only_what_is_new(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    first, again = toy.Shop(), toy.Shop()
    explorer(first, journal=Journal(path, seed=1, resume=False)).explore(most=100)
    path.write_text(path.read_text() + '{"half a line')
    whole = explorer(again, journal=Journal(path, seed=1, resume=True)).explore(most=150)
    alone = toy.Shop()
    assert whole.verdicts == explorer(alone).explore(most=150).verdicts
    assert again.ran
    assert set(again.ran).isdisjoint(first.ran)


@pytest.mark.parametrize("text", ["", "no json", '{"explored": 1, "seed": 2}\n', '{"explored": 1, "seed": 1}\n{}\n'])
def test_a_journal_of_something_else_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text(text)
    with pytest.raises(JournalInvalid, match="RESUME"):
        Journal(path, seed=1, resume=True)


def test_a_known_cause_is_no_finding(tmp_path: Path) -> None:
    path = tmp_path / "known.yaml"
    path.write_text("- {cause: charged.*, reason: the shop pays it back}\n")
    explored = explorer(toy.Shop(), known=read_known(path)).explore(most=600)
    assert [finding.cause for finding in explored.findings] == ["the cancel was forgotten"]
    assert explored.accepted == {"charged twice": "the shop pays it back"}


@pytest.mark.parametrize(
    "text", ["{", "cause", "[{cause: a}]", "[{cause: '(', reason: b}]", "[{cause: a, reason: ''}]"]
)
def test_a_list_of_known_causes_that_is_wrong_says_where(text: str, tmp_path: Path) -> None:
    path = tmp_path / "known.yaml"
    path.write_text(text)
    with pytest.raises(KnownInvalid, match=r"known\.yaml"):
        read_known(path)


def test_the_map_tells_reached_from_open_and_impossible() -> None:
    cells = {("calls", "charge", "1", "busy"), ("calls", "ship", "9", "busy")}
    coverage = Coverage(reachable=frozenset(cells), grid=frozenset({*cells, ("calls", "charge", "1", "never")}))
    explorer(toy.Shop(), coverage=coverage).explore(most=60)
    assert coverage.state(("calls", "charge", "1", "busy")) == "reached"
    assert coverage.state(("calls", "charge", "1", "never")) == "impossible"
    assert coverage.holes() == [("calls", "ship", "9", "busy")]
    assert ("calls", "ship", "1", "ok") in coverage.possible


def test_the_core_knows_no_application() -> None:
    folder = Path(__file__).resolve().parents[3] / "scenarios" / "explore"
    for module in folder.glob("*.py"):
        source = module.read_text()
        for word in ("import app", "from app", "fakes", "scenarios.model", "scenarios.plans", "scenario import"):
            assert word not in source, module.name
