"""What the knee refuses before anything starts: exit code 2, one line, no traceback."""

from pathlib import Path

import pytest

from loadtests.knee import command as knee_command
from loadtests.knee.command import DEFAULT_THRESHOLDS
from loadtests.knee.input import KneeError, KneeThresholds, load_profiles
from loadtests.thresholds import read_file

HOST = ["--host", "http://127.0.0.1:1", "--fake", "a100=http://127.0.0.1:1"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--seconds", "0"], "--seconds: Input should be greater than 0"),
        (["--load-workers", "-1"], "--load-workers: Input should be greater than or equal to 0"),
        (["--profile", "realistic"], "--profile: the knee gives the fakes the profiles of a file: say --profiles FILE"),
        ([*HOST, "--time-scale", "0.06"], "--time-scale is for a stack of one's own"),
        ([*HOST, "--workers", "2"], "--workers is for a stack of one's own"),
        ([*HOST, "--a100-max-concurrent", "4"], "--a100-max-concurrent is for a stack of one's own"),
        (["--host", "http://127.0.0.1:1"], "say --fake SERVICE=URL for each"),
        (HOST[2:], "--fake belongs to a deployment: say --host"),
        (["--temporal", "127.0.0.1:7233"], "--temporal belongs to a deployment: say --host"),
        (["--temporal"], "--temporal belongs to a deployment: say --host"),
        (["--workers", "0"], "--workers is more than 0, not 0"),
        (["--factor", "1"], "--factor is more than 1, not 1.0"),
        (["--from-rate", "0"], "--from-rate is more than 0, not 0.0"),
        (["--most", "1"], "--most is more than 1, not 1"),
        (["--for-rate", "-1"], "--for-rate is more than 0"),
        (["--profiles", "nowhere.yaml"], "the profiles nowhere.yaml cannot be read: No such file"),
        (["--thresholds", "nowhere.yaml"], "the thresholds nowhere.yaml cannot be read: No such file"),
        (["--mix", "nowhere.yaml"], "the mix nowhere.yaml cannot be read: No such file"),
        (["--out", __file__], "is a file; the knee needs a folder"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert knee_command.main(words) == 2
    said = capsys.readouterr().err
    assert said.startswith("knee: ")
    assert message in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "are empty: give each service its profile"),
        ("- a100", "are empty: give each service its profile"),
        ("a100: [", "are no YAML"),
        ("gpu: {capacity: {slots: 1}}", "name 'gpu', but the fakes are image_manipulator, birefnet, sam3, a100"),
        ("a100: {capacity: {slots: 0}}", "a100: capacity.slots: Input should be greater than or equal to 1"),
        ("a100: quick", "a100: name: no profile 'quick'"),
    ],
)
def test_a_wrong_profiles_file_says_what_is_wrong(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "profiles.yaml"
    path.write_text(text)
    with pytest.raises(KneeError) as raised:
        load_profiles(path)
    assert message in str(raised.value)


def test_a_fake_that_does_not_answer_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert knee_command.main(HOST) == 2
    assert "the fake a100 cannot be asked: no control plane at http://127.0.0.1:1" in capsys.readouterr().err


def test_thresholds_that_no_queue_decides_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "thresholds.yaml"
    path.write_text("start: {p95_s: 1}")
    assert knee_command.main(["--thresholds", str(path)]) == 2
    assert "no percentile of the transaction and no throughput_share" in capsys.readouterr().err


def test_without_a_file_a_p95_may_be_three_seconds_over_the_lowest() -> None:
    limits = read_file(DEFAULT_THRESHOLDS, KneeThresholds)
    made = limits.beside({"p50_s": 1.0, "p95_s": 2.5, "p99_s": 4.0})
    assert made.transaction.model_dump(exclude_none=True) == {"p95_s": 5.5}
    assert (made.wrong_share, made.censored_share) == (0.01, 0)


def test_every_line_of_a_file_counts_and_the_stricter_of_two() -> None:
    limits = KneeThresholds.model_validate(
        {"transaction": {"p95_s": 5, "p99_s": 9}, "over_lowest": {"p95_s": 3, "p50_s": 1}, "start": {"p95_s": 0.5}}
    )
    made = limits.beside({"p50_s": 1.0, "p95_s": 2.5, "p99_s": 4.0})
    assert made.transaction.model_dump() == {"p50_s": 2, "p95_s": 5, "p99_s": 9}
    assert made.start.p95_s == 0.5
