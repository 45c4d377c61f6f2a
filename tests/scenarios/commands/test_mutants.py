"""The list of mutants follows the code: each changes a line that is there, and scenarios that exist should notice."""

from pathlib import Path

import pytest

from scenarios.catalogue import CATALOGUE
from scenarios.commands.mutants import MUTANTS, Mutant

APP = Path(__file__).resolve().parents[3] / "app"


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_a_mutant_changes_a_line_that_is_there(mutant: Mutant) -> None:
    assert (APP / mutant.file).read_text().count(mutant.old) == 1
    assert set(mutant.noticed_by) <= {scenario.name for scenario in CATALOGUE}
    assert mutant.noticed_by


@pytest.mark.parametrize("page", ["README.md", "docs/scenarios.md"])
def test_the_pages_say_how_many_there_are(page: str) -> None:
    assert f"{len(MUTANTS)} places" in (APP.parent / page).read_text()
