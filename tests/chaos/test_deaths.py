"""A few cells of the chaos table, with everything that the whole run does around them. `make chaos` runs them all."""

from pathlib import Path

import pytest

from app.steps import Step
from scenarios.chaos.__main__ import table
from scenarios.chaos.case import Case
from scenarios.chaos.runner import Outcome, run, settled
from scenarios.chaos.site import ChaosError, open_site
from scenarios.chaos.table import CASES

FEW = ("worker killed (-9) / GENERATING_MASK", "gateway killed (-9) between staging and start / UPLOADING_IMAGE")


async def test_a_worker_and_a_gateway_are_killed_and_nothing_is_lost(tmp_path: Path) -> None:
    cases = [case for case in CASES if case.name in FEW]
    assert len(cases) == len(FEW)
    told: list[Outcome] = []
    async with open_site(tmp_path) as site:
        outcomes = await run(site, cases, told.append)
        assert {outcome.case.name: outcome.why for outcome in outcomes} == dict.fromkeys(FEW, "")
        await settled(site)
        assert len(site.accepted) == len(FEW)
        site.accepted.append("never-accepted")
        with pytest.raises(ChaosError, match="404"):
            await settled(site)
    assert told == outcomes
    assert any("| worker killed (-9) | GENERATING_MASK | COMPLETED |" in line for line in table(outcomes, []))


def test_each_step_is_struck_and_each_name_is_one_of_a_kind() -> None:
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names)
    killed = {case.step for case in CASES if case.fault == "worker killed (-9)"}
    assert killed == set(Step) - {Step.COMPLETED}


def test_a_case_that_comes_out_wrong_is_named_as_wrong() -> None:
    case: Case = CASES[0]
    assert "**wrong**" in "".join(table([Outcome(case, 1, "", "lost")], []))
