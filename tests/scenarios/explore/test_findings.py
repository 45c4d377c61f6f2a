"""What a finding's files say: a stranger opens them and sees that something is wrong."""

from pathlib import Path

import pytest

from scenarios.explore.application import Seen
from scenarios.explore.explorer import Finding
from scenarios.explore.shrink import Shrunk
from scenarios.explore.tryon.application import judged
from scenarios.explore.tryon.findings import write_finding
from scenarios.plans import Plan, plan_of
from tests.scenarios.stories.made_runs import completed


def finding(plan: Plan, seen: Seen, plans: int) -> Finding[Plan]:
    return Finding(seen.cause, plan, Shrunk(plan, seen, passes=["without it"]), plans)


@pytest.mark.parametrize(("plans", "words"), [(1, "which one plan has:"), (3, "which 3 plans have:")])
def test_the_run_of_a_finding_is_drawn_and_told_as_one_that_failed(tmp_path: Path, plans: int, words: str) -> None:
    run = completed()  # made by hand, with few of its calls: the model knows no such story
    run.judged = True
    plan = plan_of(run.scenario)
    seen = judged(plan, run)
    assert (seen.verdict, run.passed) == ("failed", True)
    where = write_finding(tmp_path, finding(plan, seen, plans), run)
    story, page = (where / "story.txt").read_text(), (where / "timeline.html").read_text()
    assert words in story
    assert f"scenario {run.scenario.name}: FAILED" in story
    assert seen.problems[0] in page
    assert "all passed" not in page
