"""The list of mutants follows the code: each changes a line that is there, and scenarios that exist should notice."""

from pathlib import Path
from typing import Any

import pytest

from scenarios.catalogue import CATALOGUE
from scenarios.commands.mutants import MUTANTS, Mutant, Seen, judge

APP = Path(__file__).resolve().parents[3] / "app"


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_a_mutant_changes_a_line_that_is_there(mutant: Mutant) -> None:
    assert (APP / mutant.file).read_text().count(mutant.old) == 1
    assert set(mutant.noticed_by) <= {scenario.name for scenario in CATALOGUE}
    assert mutant.noticed_by


@pytest.mark.parametrize("page", ["README.md", "docs/scenarios.md"])
def test_the_pages_say_how_many_there_are(page: str) -> None:
    assert f"{len(MUTANTS)} places" in (APP.parent / page).read_text()


def result(name: str, *problems: str, judged: bool = True) -> dict[str, Any]:
    return {"scenario": name, "judged": judged, "problems": list(problems)}


@pytest.mark.parametrize(
    ("results", "seen"),
    [
        ([result("near", "code: 1 instead of 2"), result("far")], Seen.NOTICED),
        ([result("near", "code: 1 instead of 2"), result("far", "broke off", judged=False)], Seen.NOTICED),
        ([result("near"), result("far")], Seen.SURVIVED),
        ([result("near"), result("far", "broke off: ReadError", judged=False)], Seen.UNPROVEN),
        ([result("near"), result("far", "not done within 300 s", judged=False)], Seen.UNPROVEN),
        ([result("near"), result("another", "code: 1 instead of 2")], Seen.UNPROVEN),
        ([], Seen.UNPROVEN),
    ],
)
def test_only_a_named_scenario_that_was_judged_wrong_counts(results: list[dict[str, Any]], seen: Seen) -> None:
    assert judge(results, ("near", "far"))[0] is seen
