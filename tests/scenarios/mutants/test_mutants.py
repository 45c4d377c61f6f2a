"""Mutants by operators: each changes one place, is Python, and is drawn by the seed; only a judged run notices one."""

import difflib
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from scenarios.catalogue import CATALOGUE
from scenarios.mutants.command import EQUIVALENT, Equivalent, all_mutants, equivalents, sample, table
from scenarios.mutants.defects import read_defects
from scenarios.mutants.looks import ROOT, Limits, Look, Noticed, look
from scenarios.mutants.operators import Mutant, mutants
from scenarios.mutants.world import DoesNotBeginError, begun, in_turn, wrong
from scenarios.scenario import Scenario
from scenarios.stories.run import Run
from scenarios.stories.timelines import Timeline
from tests.command import commanding

CODE = b'''"""A module."""

LIMIT = 3


def pay(store: Store, first_uri: str, second_uri: str, amount: int = 5) -> bool:
    """Pay."""
    if amount > LIMIT and store.ready:
        raise TooMuchError(amount)
    try:
        store.put(first_uri, second_uri)
    except StoreError:
        log.warning("not paid")
        return False
    check(first_uri, first_uri)
    return keep(source_uri=first_uri, target_uri=second_uri) if amount else True
'''


def test_every_operator_breaks_its_place() -> None:
    found = {(mutant.operator, mutant.old, mutant.new) for mutant in mutants("m.py", CODE)}
    assert found == {
        ("off by one", "3", "4"),
        ("off by one", "5", "6"),
        ("negate", "amount > LIMIT and store.ready", "not (amount > LIMIT and store.ready)"),
        ("and for or", "amount > LIMIT and store.ready", "(amount > LIMIT or store.ready)"),
        ("another comparison", "amount > LIMIT", "amount >= LIMIT"),
        ("drop a statement", "raise TooMuchError(amount)", "pass"),
        ("drop a statement", "store.put(first_uri, second_uri)", "pass"),
        ("drop a statement", "check(first_uri, first_uri)", "pass"),
        ("swap names", "store.put(first_uri, second_uri)", "store.put(second_uri, first_uri)"),
        ("widen an except", "StoreError", "Exception"),
        ("true for false", "False", "True"),
        ("true for false", "True", "False"),
        ("negate", "amount", "not (amount)"),
        (
            "swap names",
            "keep(source_uri=first_uri, target_uri=second_uri)",
            "keep(source_uri=second_uri, target_uri=first_uri)",
        ),
    }


@pytest.fixture(scope="module")
def every() -> list[Mutant]:
    return all_mutants()


def test_every_mutant_of_the_application_is_one_change_of_its_file(every: list[Mutant]) -> None:
    assert len(every) > 400
    for mutant in every:
        source = (ROOT / "app" / mutant.file).read_bytes()
        changed = mutant.applied(source)
        compile(changed, mutant.file, "exec")
        assert changed != source
        assert changed.replace(mutant.new.encode(), mutant.old.encode(), 1) != changed


def test_the_sample_is_the_seed_s(every: list[Mutant]) -> None:
    first = sample(every, 40, 1)
    assert first == sample(every, 40, 1) != sample(every, 40, 2)
    assert len({mutant.name for mutant in first}) == 40
    assert len({mutant.file for mutant in first}) >= 8
    assert len(sample(every[:3], 40, 1)) <= 3


def test_the_equivalent_ones_are_there_and_have_reasons(every: list[Mutant], tmp_path: Path) -> None:
    for marked in equivalents(EQUIVALENT):
        assert any(marked.is_of(mutant) for mutant in every), f"mend the list, the code has changed: {marked.mutant}"
        assert len(marked.reason) > 20
    wrong = tmp_path / "equivalent.yaml"
    wrong.write_text("- {mutant: a}")
    with pytest.raises(ValueError, match="reason"):
        equivalents(wrong)


def test_one_of_several_mutants_of_one_name_can_be_marked() -> None:
    first, second = mutants("made.py", b"first = 1\nsecond = 1\n")
    assert first.name == second.name
    marked = Equivalent(first.name, "nobody sees the first", at="first =")
    assert [marked.is_of(each) for each in (first, second)] == [True, False]


# ---------------------------------------------------------------- defects of somebody else
def patch(file: str, was: str, now: str) -> str:
    """Return the change of one line of a file as a unified diff."""
    before = (ROOT / file).read_text().splitlines(keepends=True)
    after = [line.replace(was, now) for line in before]
    return "".join(difflib.unified_diff(before, after, f"a/{file}", f"b/{file}"))


NAMES = patch("app/names.py", "import ", "import BROKEN  # ")
FOREIGN = patch("fakes/faults.py", "import ", "import BROKEN  # ")


def test_a_defect_is_applied_to_a_copy_and_to_nothing_else(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / f"{name}.patch").write_text(NAMES)
    subprocess.run(["git", "init", "-q", tmp_path], check=True)  # a copy may well be in somebody's repository
    both = read_defects(tmp_path)
    assert [(defect.name, defect.files) for defect in both] == [("a", ("names.py",)), ("b", ("names.py",))]
    shutil.copytree(ROOT / "app", tmp_path / "copy" / "app")
    both[0].apply(tmp_path / "copy")
    assert "BROKEN" in (tmp_path / "copy" / "app" / "names.py").read_text()
    assert "BROKEN" not in (ROOT / "app" / "names.py").read_text()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (NAMES.replace("-import", "-exports"), "does not apply"),
        (FOREIGN, "changes fakes/faults.py"),
        ("a letter", "is no unified diff"),
        (None, "has no [*].patch"),
    ],
)
def test_a_defect_that_cannot_be_used_says_why(tmp_path: Path, text: str | None, says: str) -> None:
    if text:
        (tmp_path / "one.patch").write_text(text)
    words = [sys.executable, "-m", "scenarios", "mutants", "--defects", str(tmp_path)]
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert re.search(says, ended.stdout)
    assert "Traceback" not in ended.stderr


# ---------------------------------------------------------------- who looks
def run_of(*problems: str, judged: bool = True) -> Run:
    return Run(CATALOGUE[0], "key", "id", Timeline("id"), judged=judged, problems=list(problems))


@pytest.mark.parametrize(
    ("fails", "times", "raises"),
    [("app", 2, DoesNotBeginError), ("app", 1, None), ("elsewhere", 1, KeyError), ("elsewhere", 2, KeyError)],
)
def test_code_that_lets_no_world_begin_is_noticed_when_it_does_so_twice(
    tmp_path: Path, fails: str, times: int, raises: type[Exception] | None
) -> None:
    (tmp_path / "app").mkdir()
    code = compile("{}['gone']", str(tmp_path / fails / "settings.py"), "eval")
    left = [code] * times

    @contextmanager
    def world() -> Iterator[Any]:
        if left:
            eval(left.pop())
        yield "a world"

    with ExitStack() as stack:
        if raises is None:
            assert str(begun(stack, tmp_path / "app", world)) == "a world"
        else:
            with pytest.raises(raises, match=r"KeyError in app/settings.py:1: 'gone'" if fails == "app" else "gone"):
                begun(stack, tmp_path / "app", world)


def test_only_a_story_that_was_judged_wrong_counts(run_scenario: Callable[[Scenario], Run]) -> None:
    assert wrong(run_of("broke off: ReadError", judged=False)) == []
    assert wrong(run_of("code: 1 instead of 2"))[0] == "code: 1 instead of 2"
    run = run_scenario(CATALOGUE[0])
    assert wrong(run) == []
    run.timeline.attempts[-1].ended = 1 + run.timeline.length
    assert "generate_images attempt 1" in wrong(run)[0], "nobody wrote this down but the model"


def test_the_first_stories_are_one_of_each_theme() -> None:
    themes = {scenario.theme for scenario in CATALOGUE}
    turn = list(in_turn(CATALOGUE))
    assert {scenario.theme for scenario in turn[: len(themes)]} == themes
    assert sorted(each.name for each in turn) == sorted(each.name for each in CATALOGUE)


def test_the_table_has_seconds_where_something_was_noticed() -> None:
    looks = {"one": {"stories": Look(Noticed.NOTICED, 12.4, "near: code"), "tests": Look(Noticed.SURVIVED, 60)}}
    looks["two"] = {"stories": Look(Noticed.UNPROVEN, 9, "the time was over")}
    assert table(looks, ["stories", "tests"])[2:] == ["| one | 12 s | survived |", "| two | unproven | - |"]


@pytest.mark.long("looks at two copies of the application in worlds and with tests")
def test_who_looks_notices_a_defect_and_nothing_in_the_code_as_it_is(tmp_path: Path) -> None:
    limits = Limits(seconds=240, plans=3)
    shutil.copytree(ROOT / "app", tmp_path / "as-is" / "app")
    seen = look(tmp_path / "as-is", ["explorer"], limits)
    assert {name: (each.seen, each.what) for name, each in seen.items()} == {
        "explorer": (Noticed.SURVIVED, "3 plans, 0 of them inconclusive")
    }
    shutil.copytree(ROOT / "app", tmp_path / "broken" / "app")
    (tmp_path / "slow.patch").write_text(
        patch("app/pipeline/policies.py", "POLL_INTERVAL = 2.0", "POLL_INTERVAL = 3.0")
    )
    (defect,) = read_defects(tmp_path)
    defect.apply(tmp_path / "broken")
    seen = look(tmp_path / "broken", ["stories", "explorer"], limits, defect.files)
    assert {name: each.seen for name, each in seen.items()} == dict.fromkeys(("stories", "explorer"), Noticed.NOTICED)
    assert "from 0 to 3 s: completed, not" in seen["explorer"].what


def test_the_command_lists_its_sample_and_refuses_whom_it_does_not_know() -> None:
    words = [sys.executable, "-m", "scenarios", "mutants"]
    listed = subprocess.run([*words, "--list", "--sample", "5"], capture_output=True, text=True, check=True)
    assert len(listed.stdout.splitlines()) == 5
    refused = subprocess.run([*words, "--by", "tests,nobody"], capture_output=True, text=True, check=False)
    assert (refused.returncode, "no such: nobody" in refused.stderr) == (2, True)


def copies(folder: Path) -> list[Path]:
    return list(folder.glob("mutants-*"))


@pytest.mark.long("a world of its own, for the way in which it ends")
async def test_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    async with commanding(tmp_path, "scenarios") as command:
        await command.start("mutants", "--by", "explorer", "--sample", "1")
        await command.until_started("fakes_process")
        command.signal(signal.SIGINT)
        assert await command.end() == 128 + signal.SIGINT
        assert copies(tmp_path) == []


def test_a_mutant_s_name_does_not_depend_on_its_line() -> None:
    one, other = (Mutant("m.py", line, "a = 1", 0, 1, "a", "b", "negate") for line in (1, 9))
    assert one.name == other.name
