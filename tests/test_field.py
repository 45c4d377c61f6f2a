"""docs/field.md: each case is held by something that there is."""

import re
from pathlib import Path

from scenarios.catalogue import CATALOGUE

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "field.md").read_text(encoding="utf-8")


def rows() -> list[str]:
    return [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith(("| case", "| ---"))]


def test_each_test_and_story_that_the_page_names_is_there() -> None:
    tests = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)
    stories = {name for row in rows() for name in re.findall(r"`([a-z0-9]+(?:-[a-z0-9]+)+)`", row.rsplit(" | ", 1)[-1])}
    assert len(tests) > 20
    assert len(stories) > 30
    assert [(path, name) for path, name in tests if f"def {name}(" not in (ROOT / path).read_text("utf-8")] == []
    assert stories - {scenario.name for scenario in CATALOGUE} == set()


def test_no_case_but_those_of_photos_which_share_theirs_goes_without() -> None:
    photos = PAGE.partition("## Photos")[2].partition("## ")[0]
    assert [row for row in rows() if row not in photos and not re.search(r"`(tests/|[a-z0-9]+-[a-z0-9-]+`)", row)] == []
