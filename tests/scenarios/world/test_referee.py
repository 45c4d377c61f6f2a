"""Temporal's own clock, and production's worker without virtual time, tell the stories as virtual time does."""

import copy
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from scenarios.catalogue import CATALOGUE
from scenarios.commands.referee import Verdict, judged_by_referee
from scenarios.stories.referee import SeenAttempt, differences
from scenarios.stories.run import Run
from scenarios.world.simulation import Simulation

ROOT = Path(__file__).resolve().parents[3]
STORIES = ("image-manipulator-status-recovers", "cancel-in-a-backoff", "job-slow")


def tell(simulation: Simulation, *names: str) -> list[Run]:
    return simulation.run_all([next(each for each in CATALOGUE if each.name == name) for name in names])


def command(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "scenarios", "run", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.mark.long("their attempts wait for real")
def test_stories_agree_with_temporals_own_clock(simulation: Simulation) -> None:
    runs = tell(simulation, *STORIES)
    seen: list[str] = []
    verdict = judged_by_referee(runs, seed=1, done=lambda run: seen.append(run.status), on_signal=lambda: None)
    assert verdict.differing == {}
    assert sorted(seen) == ["CANCELLED", "COMPLETED"]
    assert verdict.unfit == {"job-slow": "attempt 1 of generate_mask waits for 60 s inside itself"}
    assert verdict.lines()[-1] == "2 of 3 scenarios told by Temporal's own clock: 2 agree with virtual time"


def as_seen(run: Run) -> list[SeenAttempt]:
    """What the referee would see if it agreed."""
    seen: list[SeenAttempt] = []
    for attempt in run.timeline.attempts:
        backoff = run.timeline.attempts[len(seen) - 1].backoff if attempt.number > 1 else None
        seen.append(SeenAttempt(attempt.activity, attempt.number, attempt.outcome, backoff))
    return seen


def test_what_differs_is_told(simulation: Simulation) -> None:
    [run] = tell(simulation, "image-manipulator-status-recovers")
    other = copy.copy(run)
    assert list(differences(run, other, as_seen(run))) == []

    retried = next(place for place, each in enumerate(as_seen(run)) if each.number > 1)
    late, other_end, fewer = as_seen(run), as_seen(run), as_seen(run)[:-1]
    late[retried] = replace(late[retried], after=(late[retried].after or 0) + 0.6)
    other_end[retried] = replace(other_end[retried], outcome="cancelled")
    found: list[str] = []
    for attempts in (late, other_end, fewer):
        [said] = differences(run, other, attempts)
        found.append(said)
    assert found[0].startswith("before attempt 2 of ")
    assert all(each.startswith("attempts: ") for each in found[1:])
    other.status = "CANCELLED"
    assert list(differences(run, other, as_seen(run))) == [
        "status: COMPLETED in virtual time, CANCELLED by Temporal's clock"
    ]


def test_a_referee_is_for_virtual_time_alone() -> None:
    ended = command("--live", "--referee")
    assert (ended.returncode, "leave --live and --base-url out" in ended.stderr) == (2, True), ended.stderr


def test_a_difference_and_nothing_to_tell_fail() -> None:
    assert Verdict(told=1).exit_code == 0
    nothing = Verdict(unfit={"near": "why not"})
    assert (nothing.exit_code, nothing.lines()) == (
        2,
        [
            "not told by Temporal's clock: near: why not",
            "0 of 1 scenarios told by Temporal's own clock: 0 agree with virtual time",
        ],
    )
    differs = Verdict(told=2, differing={"near": ["status: one, other"]})
    assert (differs.exit_code, differs.lines()) == (
        1,
        [
            "near differs:\n    status: one, other",
            "2 of 2 scenarios told by Temporal's own clock: 1 agree with virtual time",
        ],
    )


@pytest.mark.long("the whole catalogue, whose attempts wait for real")
def test_the_whole_catalogue_agrees_with_temporals_own_clock() -> None:
    ended = command("--referee")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "agree with virtual time" in ended.stdout
