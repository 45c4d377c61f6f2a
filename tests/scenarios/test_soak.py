"""What a soak holds its try-ons to, and what makes it fail."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from scenarios.pipeline import STEPS, step_of
from scenarios.soak.faults import SHARE, UNLUCKY, UNLUCKY_EVERY, Called, End, implied_end, random_faults, unlucky
from scenarios.soak.real_time import LAG_LIMIT_MS, WATCHED, Soak, report, second_half

DONE = End("COMPLETED")


def calls(*said: str) -> list[Called]:
    """Calls as `service.operation attempt fault fault`."""
    found = []
    for words in said:
        name, attempt, *faults = words.split()
        service, operation = name.split(".")
        found.append(Called(service, operation, int(attempt), tuple(faults)))
    return found


@pytest.mark.parametrize(
    ("said", "end"),
    [
        ([], DONE),
        ([f"image_manipulator.resize {n} status" for n in (1, 2, 3, 4)] + ["image_manipulator.resize 5"], DONE),
        (
            [f"image_manipulator.resize {n} status" for n in (1, 2, 3, 4, 5)],
            End("FAILED", "IMAGE_MANIPULATOR_UNAVAILABLE", "RESIZING_IMAGE"),
        ),
        ([f"a100.generate {n} reset" for n in (1, 2, 3)], End("FAILED", "A100_ERROR", "GENERATING_IMAGES")),
        ([f"a100.generate {n} garbage" for n in (1, 2, 3)], End("FAILED", "A100_BAD_ANSWER", "GENERATING_IMAGES")),
        ([f"a100.generate {n} delay" for n in (1, 2, 3)], DONE),
        # Late and then broken: what acts later is what the caller sees.
        (
            ["a100.generate 1 delay garbage", "a100.generate 2 garbage", "a100.generate 3 empty garbage"],
            End("FAILED", "A100_BAD_ANSWER", "GENERATING_IMAGES"),
        ),
        (
            [word for n in (1, 2, 3) for word in (f"sam3.submit {n} delay job_failed", f"sam3.poll {n}")],
            End("FAILED", "SAM3_JOB_FAILED", "GENERATING_MASK"),
        ),
        (["a100.generate 1 reset", "a100.generate 2 reset", "a100.refine_mask 1 reset"], DONE),
        (["sam3.submit 1 reset", "sam3.submit 2", "sam3.poll 2 empty", "sam3.poll 3"], DONE),
        (
            ["sam3.submit 1 reset", "sam3.submit 2", "sam3.poll 2 empty", "sam3.poll 3 truncate"],
            End("FAILED", "SAM3_UNAVAILABLE", "GENERATING_MASK"),
        ),
        (
            [word for n in (1, 2, 3) for word in (f"birefnet.submit {n} job_failed", f"birefnet.poll {n}")],
            End("FAILED", "BIREFNET_JOB_FAILED", "REMOVING_BACKGROUND"),
        ),
        (["sam3.submit 1 job_failed", "sam3.poll 1", "sam3.submit 2", "sam3.poll 2"], DONE),
        # The job that was to fail is seen to have failed by the attempt after the one that submitted it.
        (
            ["sam3.submit 1 job_failed", "sam3.poll 1 reset", "sam3.poll 2", "sam3.submit 3", "sam3.poll 3 reset"],
            End("FAILED", "SAM3_UNAVAILABLE", "GENERATING_MASK"),
        ),
    ],
)
def test_a_try_on_fails_when_all_attempts_of_one_step_did(said: list[str], end: End) -> None:
    assert implied_end(calls(*said)) == end


def test_an_attempt_that_the_other_a100_saves_has_not_failed() -> None:
    saved = ["a100.generate 1 reset", "a100.health 1 status", "a100.generate 1"]
    lost = ["a100.generate 2 reset", "a100.generate 3 reset"]
    assert implied_end(calls(*saved, *lost)) == DONE
    assert implied_end(calls("a100.health 1 status", "a100.health 2 reset", "a100.health 3 empty")) == DONE


def test_five_of_a_hundred_calls_meet_a_fault() -> None:
    shares = [share for operation, _, share in random_faults("sam3") if operation == "*"]
    assert sum(shares) == pytest.approx(SHARE)


def test_the_unlucky_come_regularly_and_meet_every_step() -> None:
    found = [unlucky(number) for number in range(UNLUCKY_EVERY * len(UNLUCKY))]
    assert [one for one in found if one is not None] == list(UNLUCKY)
    assert found[: UNLUCKY_EVERY - 1] == [None] * (UNLUCKY_EVERY - 1)
    assert {step_of(service, operation) for service, operation, _ in UNLUCKY} == {
        step for step in STEPS if step.service
    }


def soaked(**changes: Any) -> Soak:
    """A soak of a minute in which nothing went wrong, with these differences."""
    seen = Soak(workflows=3)
    seen.outcomes.update({"COMPLETED": 3})
    seen.faults.update({"reset": 2})
    seen.calls = 30
    seen.seconds = 61
    for name in WATCHED:
        seen.memory[name] = [(float(at), 100.0) for at in range(0, 61, 2)]
        seen.lags[name] = [{"p99_ms": 3.0}] * 5
    for name, value in changes.items():
        setattr(seen, name, value)
    return seen


def test_a_good_soak_passes_and_is_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert report(soaked(), tmp_path) == 0
    assert (tmp_path / "soak.png").stat().st_size > 1000
    assert "gateway: peak 100 MB; second half +0.0 MB, +0.00 MB a minute" in capsys.readouterr().out


GROWING = [(float(at), 100.0 + at) for at in range(0, 61, 2)]
SHORT = [(float(at), 100.0) for at in range(0, 21, 2)]
SELDOM = [(0.0, 100.0), (60.0, 100.0)]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"outcomes": {"COMPLETED": 2}}, "1 of 3 try-ons have no end"),
        ({"faults": Counter()}, "no fault happened"),
        ({"lags": {}}, "gateway said 0 times how late its event loop is"),
        (
            {"lags": dict.fromkeys(WATCHED, [{"p99_ms": 1.0}] * 4 + [{"p99_ms": LAG_LIMIT_MS + 1}])},
            "gateway's event loop was late by 101 ms",
        ),
        ({"memory": dict.fromkeys(WATCHED, GROWING)}, "worker gained 30 MB over the second half"),
        (
            {"memory": dict.fromkeys(WATCHED, SHORT)},
            "the memory of worker was looked at 11 times in 61 s, the last after 20 s",
        ),
        (
            {"memory": dict.fromkeys(WATCHED, SELDOM)},
            "the memory of gateway was looked at 2 times in 61 s, the last after 60 s",
        ),
        ({"memory": {name: [] for name in WATCHED}}, "the memory of worker was looked at 0 times in 61 s, never"),
        ({"seconds": 600}, "worker said 5 times how late its event loop is, not 57 times"),
        ({"wrong": ["soak:1:7 was refused with 503"]}, "refused with 503"),
    ],
)
def test_what_makes_a_soak_fail(
    changes: dict[str, Any], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = soaked(**changes)
    seen.outcomes = Counter(seen.outcomes)
    assert report(seen, tmp_path) == 1
    assert said in capsys.readouterr().out


def test_the_gain_is_that_of_the_second_half() -> None:
    rising_then_flat = [(float(at), min(200.0, 100.0 + at * 4)) for at in range(0, 61, 2)]
    minutes, gain = second_half(rising_then_flat)
    assert minutes == 0.5
    assert gain == pytest.approx(0.0, abs=1e-6)
    assert second_half(GROWING)[1] == pytest.approx(30.0)
