"""Mutants by operators: each changes one place, is Python, and is drawn by the seed; only a judged run notices one."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scenarios.mutants.command import EQUIVALENT, ROOT, Seen, all_mutants, equivalents, judge, sample
from scenarios.mutants.operators import Mutant, mutants

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


def test_every_mutant_of_the_application_is_one_change_of_its_file() -> None:
    every = all_mutants()
    assert len(every) > 400
    for mutant in every:
        source = (ROOT / "app" / mutant.file).read_bytes()
        changed = mutant.applied(source)
        compile(changed, mutant.file, "exec")
        assert changed != source
        assert changed.replace(mutant.new.encode(), mutant.old.encode(), 1) != changed


def test_the_sample_is_the_seed_s() -> None:
    every = all_mutants()
    first = sample(every, 40, 1)
    assert first == sample(every, 40, 1) != sample(every, 40, 2)
    assert len({mutant.name for mutant in first}) == 40
    assert len({mutant.file for mutant in first}) >= 8
    assert len(sample(every[:3], 40, 1)) <= 3


def test_the_equivalent_ones_are_there_and_have_reasons(tmp_path: Path) -> None:
    names = {mutant.name for mutant in all_mutants()}
    for name, reason in equivalents(EQUIVALENT).items():
        assert name in names, "mend the list: the code has changed"
        assert len(reason) > 20
    wrong = tmp_path / "equivalent.yaml"
    wrong.write_text("- {mutant: a}")
    with pytest.raises(ValueError, match="reason"):
        equivalents(wrong)


def result(*problems: str, judged: bool = True) -> dict[str, Any]:
    return {"scenario": "near", "judged": judged, "problems": list(problems)}


@pytest.mark.parametrize(
    ("results", "seen"),
    [
        ([result("code: 1 instead of 2"), result()], Seen.NOTICED),
        ([result("code: 1 instead of 2"), result("broke off", judged=False)], Seen.NOTICED),
        ([result(), result()], Seen.SURVIVED),
        ([result(), result("broke off: ReadError", judged=False)], Seen.UNPROVEN),
        ([], Seen.UNPROVEN),
    ],
)
def test_only_a_scenario_that_was_judged_wrong_counts(results: list[dict[str, Any]], seen: Seen) -> None:
    assert judge(results) is seen


def test_the_command_lists_its_sample_and_refuses_whom_it_does_not_know() -> None:
    words = [sys.executable, "-m", "scenarios", "mutants"]
    listed = subprocess.run([*words, "--list", "--sample", "5"], capture_output=True, text=True, check=True)
    assert len(listed.stdout.splitlines()) == 5
    refused = subprocess.run([*words, "--by", "tests,nobody"], capture_output=True, text=True, check=False)
    assert (refused.returncode, "no such: nobody" in refused.stderr) == (2, True)


def test_a_mutant_s_name_does_not_depend_on_its_line() -> None:
    one, other = (Mutant("m.py", line, 0, 1, "a", "b", "negate") for line in (1, 9))
    assert one.name == other.name
