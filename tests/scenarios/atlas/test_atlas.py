"""The atlas of outages: its cells, what is read off a run, another policy, the page, and the command itself."""

import dataclasses
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.common import RetryPolicy

from scenarios.atlas.agreement import drawn, struck
from scenarios.atlas.command import main
from scenarios.atlas.foretold import foretold
from scenarios.atlas.measured import Cell, cost, measure, survives
from scenarios.atlas.outages import DEPENDENCIES, LENGTHS, WAYS, name, outages
from scenarios.atlas.page import atlas_page, terminal
from scenarios.atlas.policy import Policy, read_policy
from scenarios.chaos.table import CASES
from scenarios.pipeline import STEPS
from tests.command import Command, commanding
from tests.scenarios.stories.made_runs import call, completed, failed


@pytest.fixture
async def command(tmp_path: Path) -> AsyncIterator[Command]:
    async with commanding(tmp_path, "scenarios") as command:
        yield command


def cell(words: str, outcome: str = "COMPLETED", after_s: float | None = 4.0, in_vain: int = 0) -> Cell:
    [outage] = outages([words])
    return Cell(outage, outcome, None if outcome == "COMPLETED" else outage.step.name, 12.5, after_s, 3, in_vain)


def test_every_step_that_calls_a_dependency_is_tried_in_each_way_and_length() -> None:
    found = outages()
    by_dependency: dict[str, set[str]] = {}
    for each in found:
        by_dependency.setdefault(each.dependency.name, set()).add(each.step.name)
    assert by_dependency["Image manipulator"] == {"RESIZING_IMAGE", "CHECKING_ZOOM"}
    assert by_dependency["SAM3"] == {"GENERATING_MASK"}
    assert by_dependency["one A100"] == by_dependency["all A100s"] == {"REFINING_MASK", "GENERATING_IMAGES"}
    assert by_dependency["Azure"] == {step.name for step in STEPS if step.name != "CHECKING_ZOOM"}
    assert (
        len(found)
        == len({name(each) for each in found})
        == sum(map(len, by_dependency.values())) * len(WAYS) * len(LENGTHS)
    )


def test_a_cell_says_how_it_ended_what_was_sent_and_what_was_paid_in_vain() -> None:
    [outage] = outages(["sam3-generating-mask-503-3-s"])
    run = completed()
    run.timeline.now = (run.timeline.began or 0) + 9.0
    run.calls = [
        call(operation="submit", at=1.0, status=503),
        call(operation="submit", at=3.5, status=200),
        call(operation="submit", at=5.0, status=200),
        call("a100", "generate", at=6.0, status=200),
    ]
    found = measure(outage, run, 0.0)
    assert (found.outcome, found.took_s, found.after_s, found.calls, found.in_vain) == ("COMPLETED", 9, 5, 2, 1)
    lost = failed()
    lost.timeline.now = (lost.timeline.began or 0) + 2.0
    lost.calls = [call(operation="submit", at=1.0, status=200)]
    found = measure(outage, lost, 0.0)
    assert (found.outcome, found.failed_step, found.after_s) == ("SAM3_TIMEOUT", "GENERATING_MASK", None)


def test_the_longest_survived_outage_ends_at_the_first_that_any_step_does_not_survive() -> None:
    cells = [cell("image-manipulator-resizing-image-503-1-s"), cell("image-manipulator-checking-zoom-503-1-s")]
    cells += [cell("image-manipulator-resizing-image-503-3-s"), cell("image-manipulator-checking-zoom-503-3-s", "X")]
    cells += [cell("image-manipulator-resizing-image-503-10-s"), cell("image-manipulator-checking-zoom-503-10-s")]
    assert survives(cells) == {"Image manipulator": {"503": "1 s"}}
    assert cost(cells).survived == 5
    unsure = dataclasses.replace(cells[2], problems=("broke off",))
    assert survives([*cells[:2], unsure]) == {"Image manipulator": {"503": "1 s ?"}}


def test_a_policy_changes_what_it_names_and_leaves_the_rest() -> None:
    given = RetryPolicy(
        initial_interval=timedelta(seconds=2),
        maximum_interval=timedelta(seconds=30),
        maximum_attempts=3,
        non_retryable_error_types=["Final"],
    )
    found = read_policy({"attempts": "5", "first": "", "longest": "60"}).applied(given)
    assert (found.maximum_attempts, found.maximum_interval) == (5, timedelta(seconds=60))
    assert (found.initial_interval, found.non_retryable_error_types) == (timedelta(seconds=2), ["Final"])
    assert not read_policy({})
    assert str(Policy(attempts=5, longest_s=60)) == "ATTEMPTS=5 LONGEST=60"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--attempts", "many"], "ATTEMPTS=many is no number"),
        (["--attempts", "2.5"], "ATTEMPTS=2.5: a number from 1"),
        (["--first", "0"], "FIRST=0: a number from 0.001"),
        (["nowhere"], "no outage has a name with nowhere"),
    ],
)
def test_wrong_words_are_refused(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert said in capsys.readouterr().err


def test_the_page_shows_each_cell_and_what_another_policy_changes() -> None:
    mine = [cell("sam3-generating-mask-503-10-s", "SAM3_UNAVAILABLE", None, in_vain=2)]
    other = [cell("sam3-generating-mask-503-10-s")]
    html = atlas_page(mine, other, "ATTEMPTS=5", seed=3)
    assert "SAM3_UNAVAILABLE in GENERATING_MASK after 12.5 s; before it was back; 3 calls meanwhile; 2 GPU jobs" in html
    assert "none → <b>none</b>" not in html
    assert 'class="cell kept shade-1 changed"' in html
    assert "<script" not in html
    assert "✗ 12 s ·2" in terminal(mine) or "✗ 13 s ·2" in terminal(mine)


@pytest.mark.long("a world of its own")
async def test_the_command_finds_what_the_policy_says_and_another_one_buys(command: Command, tmp_path: Path) -> None:
    words = ["atlas", "zoom-503-10-s", "zoom-503-1-min", "--attempts", "8", "--out", str(tmp_path)]
    await command.start(*words)
    assert await command.end() == 0, command.output
    data = json.loads((tmp_path / "atlas.json").read_text())
    # Two steps of 3 s before. Five attempts with backoffs of 1, 2, 4 and 8 s: 10 s are survived by the fifth, at
    # 15 s, and a minute is not.
    short, long = data["cells"]
    assert (short["outcome"], long["outcome"], long["took_s"]) == ("COMPLETED", "IMAGE_MANIPULATOR_UNAVAILABLE", 21.0)
    assert 5 + 14 <= short["after_s"] < 5 + 16  # two jobs of 3 s, seen by polls of 2 s, and two calls come after it
    # Eight, at most 10 s apart: at 0, 1, 3, 7, 15, 25, 35 and 45 s. A minute is still too long.
    assert [each["outcome"] for each in data["cells_of_the_policy"]] == ["COMPLETED", "IMAGE_MANIPULATOR_UNAVAILABLE"]
    assert data["cells_of_the_policy"][1]["took_s"] == 51.0
    [told_short] = foretold(outages(["zoom-503-10-s"]))
    [told_long] = foretold(outages(["zoom-503-1-min"]))
    assert [told_short.outcome, told_long.outcome] == [short["outcome"], long["outcome"]]
    assert [told_short.took_s, told_long.took_s] == [pytest.approx(short["took_s"]), pytest.approx(long["took_s"])]
    assert (tmp_path / "atlas.html").exists()


def test_every_outage_of_make_chaos_is_known_to_the_atlas() -> None:
    found = list(struck())
    assert {each.outage.length for each in found} == {"3 s", "40 s"}
    assert len(found) == sum(" down" in case.fault for case in CASES) >= 16
    assert {each.outage.dependency.name for each in found} == {each.name for each in DEPENDENCIES}


def test_cells_for_real_time_are_drawn_by_the_seed_and_last_a_minute_at_most() -> None:
    cells = drawn(1, 10)
    assert len({name(cell) for cell in cells}) == 10
    assert cells == drawn(1, 10)
    assert cells != drawn(2, 10)
    assert all(cell.seconds <= 60 for cell in drawn(3, 100))


@pytest.mark.long("a world of its own, and a stack in real time")
async def test_it_agrees_with_make_chaos_and_with_real_time(command: Command) -> None:
    await command.start("atlas", "--real", "4", "--seed", "1")
    assert await command.end(500) == 0, command.output
    assert "20 of 20 agree" in command.output


def test_the_page_says_how_long_each_dependency_may_be_away() -> None:
    page = (Path(__file__).parents[3] / "docs" / "reliability.md").read_text()
    table = page.partition("<!-- atlas -->\n")[2].partition("<!-- /atlas -->")[0]
    cells = foretold(outages())
    unknown = {(cell.outage.dependency, cell.outage.way) for cell in cells if cell.problems}
    assert {(dependency.name, way) for dependency, way in unknown} == {("Azure", "idle")}
    told = survives([cell for cell in cells if (cell.outage.dependency, cell.outage.way) not in unknown])
    rows = [
        "| {} | {} |".format(name, " | ".join(ways.get(way, "not foretold") for way in WAYS))
        for name, ways in told.items()
    ]
    assert table.splitlines()[2:] == rows


def test_what_the_model_foretells_is_what_the_policy_says() -> None:
    [short] = foretold(outages(["image-manipulator-checking-zoom-503-10-s"]))
    [long] = foretold(outages(["image-manipulator-checking-zoom-503-1-min"]))
    assert (short.outcome, long.outcome, long.took_s) == ("COMPLETED", "IMAGE_MANIPULATOR_UNAVAILABLE", 21.0)
    [unknown] = foretold(outages(["azure-uploading-image-idle-1-s"]))
    assert unknown.problems[0].startswith("the model says nothing")
