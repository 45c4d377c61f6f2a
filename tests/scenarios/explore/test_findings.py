"""What a finding's files say: a stranger opens them and sees that something is wrong."""

from pathlib import Path
from random import Random
from typing import Any

import pytest

from scenarios.explore.application import Seen
from scenarios.explore.explorer import Finding
from scenarios.explore.shrink import Shrunk
from scenarios.explore.tryon.application import judged
from scenarios.explore.tryon.drawn import drawn
from scenarios.explore.tryon.findings import as_scenario, write_finding
from scenarios.plans import Plan, plan_of, scenario_of
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


EVERYTHING = Plan.model_validate(
    {
        "name": "everything",
        "story": "All that a plan can say.",
        "photo": "far",
        "points": [{"x": 0.5, "y": 0.62, "label": 1}],
        "strokes": [{"points": [{"x": 0.4, "y": 0.62}], "mode": "add", "size": 12}],
        "rules": [
            {"service": "sam3", "operation": "submit", "calls": "1", "fault": {"kind": "status", "status": 503}},
            {
                "service": "sam3",
                "operation": "poll",
                "fault": {"kind": "hang"},
                "when": {"max_hits": 1},
                "must_fire": False,
            },
        ],
        "acts": [{"do": "cancel", "at": 45, "heard": "next_heartbeat"}, {"do": "stranger", "at": "end"}],
        "departures": [{"at": 3, "back_at": 5}],
        "lost": {"start": 1, "refused": 1, "cancel": 1, "keyless": True},
        "staging": {"status": 503, "code": "ServerBusy", "times": 2},
        "guarded": True,
        "beside": [{"name": "other", "story": "Another.", "photo": "far"}],
        "body": {"sessionId": "s"},
        "headers": {"Transfer-Encoding": "chunked"},
        "size": 1000,
    }
)


@pytest.mark.parametrize("plan", [EVERYTHING, *(drawn(Random(seed)) for seed in range(60))], ids=lambda plan: plan.name)
def test_the_scenario_of_a_finding_is_its_plan(plan: Plan) -> None:
    found: dict[str, Any] = {}
    exec(as_scenario(plan), found)
    away = scenario_of(plan)  # an absence is a rule there
    assert plan_of(found["FOUND"]).model_dump(exclude={"name"}) == plan_of(away).model_dump(exclude={"name"})
