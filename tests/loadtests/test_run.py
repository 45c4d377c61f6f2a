"""`python -m loadtests run` as a user sees it: output, exit codes, the report, and nothing left when it ends."""

import json
import re
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal

from loadtests import run as run_command
from scenarios.processes.ports import reserve_port
from tests.command import Command, commanding
from tests.loadtests.drive.test_locust import gateway

QUICK = ("--shape", "constant", "--rate", "2", "--seconds", "4", "--drain", "60", "--profile", "instant")
SOME_ENDED = re.compile(r" ([2-9]|\d\d+) ended")
"""There is a line every few seconds, and not for each that ends."""
LONG_S = 300
"""A stack starts, is loaded, is stopped, and plots are drawn, on a machine that other tests use too."""
SEEN = ("--profile", "realistic", "--time-scale", "0.06")
"""The stream of events looks twice a second: a step that is over at once may not be seen. A generate takes 1.5 s so."""
LENIENT = "{transaction: {p95_s: 60}, wrong_share: 0, status_error_share: 0, throughput_share: 0.1}"


@pytest.fixture
async def command(tmp_path: Path) -> AsyncIterator[Command]:
    async with commanding(tmp_path, "loadtests") as command:
        yield command


def files(folder: Path, thresholds: str, mix: str) -> tuple[str, ...]:
    (folder / "thresholds.yaml").write_text(thresholds)
    (folder / "mix.yaml").write_text(mix)
    named = {"--thresholds": "thresholds.yaml", "--mix": "mix.yaml", "--out": "report"}
    return tuple(word for option, name in named.items() for word in (option, str(folder / name)))


def figures(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "report" / "report.json").read_text())
    return found


NEAR = "- {scenario: near, weight: 1}\n- {scenario: far, weight: 1, follow: events}"


@pytest.mark.long("a load run on a stack of its own")
async def test_a_run_on_a_stack_of_its_own_passes_with_a_report(command: Command) -> None:
    await command.start("run", *QUICK, *SEEN, *files(command.folder, LENIENT, NEAR))
    code = await command.end(LONG_S)
    assert code == 0, command.output
    assert "load: passed: 8 arrived, 8 completed" in command.output.splitlines()[-1]
    found = figures(command.folder)
    assert (found["passed"], found["interrupted"], found["outcomes"]) == (True, False, {"completed": 8})
    assert found["waits"]["read"] == found["waits"]["of"] == 8
    assert found["steps"].keys() >= {"GENERATING_IMAGES"}
    assert found["fakes"]["operations"]["a100.generate"]["calls"] == 8
    assert 0 < found["fakes"]["share"] < 1
    assert "<svg" in (command.folder / "report" / "report.html").read_text()


async def test_a_broken_threshold_is_named_and_is_exit_code_1(command: Command) -> None:
    async with gateway() as url:
        broken = files(command.folder, "{transaction: {p95_s: 0.001}, wrong_share: 0}", "[{scenario: near, weight: 1}]")
        await command.start("run", "--host", url, *QUICK, *broken)
        assert await command.end(LONG_S) == 1
    assert "BROKEN transaction p95" in command.output
    assert "kept   wrong share" in command.output
    assert "load: FAILED: 8 arrived, 8 completed" in command.output.splitlines()[-1]
    assert not figures(command.folder)["passed"]


@pytest.mark.long("a load run on a stack of its own")
async def test_ctrl_c_gives_a_report_that_says_so_and_leaves_no_process(command: Command) -> None:
    words = files(command.folder, LENIENT, NEAR)
    await command.start("run", "--rate", "2", "--seconds", "600", "--profile", "instant", *words)
    await command.until(SOME_ENDED)
    command.signal(signal.SIGINT)
    assert await command.end(LONG_S) == 128 + signal.SIGINT
    assert "load: INTERRUPTED: " in command.output
    found = figures(command.folder)
    assert found["interrupted"]
    assert not found["passed"]
    assert found["arrived"] - found["outcomes"].get("censored", 0) >= 2, found["outcomes"]  # what had ended is told
    assert "Interrupted" in (command.folder / "report" / "report.html").read_text()
    assert await command.nothing_left()


@pytest.mark.long("a load run more")
async def test_a_kill_leaves_no_load_generator_behind(command: Command) -> None:
    async with gateway() as url:
        words = files(command.folder, LENIENT, "[{scenario: near, weight: 1}]")
        await command.start("run", "--host", url, "--rate", "2", "--seconds", "600", *words)
        await command.until(SOME_ENDED)
        assert [one for one in command.started() if "locust" in " ".join(one.cmdline())]
        command.signal(signal.SIGKILL)
        await command.end()
    assert await command.nothing_left(), command.started()


@pytest.fixture
def running_gateway() -> Iterator[str]:
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(gateway()) as url:
        yield url


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--temporal={nobody}", "the waits cannot be read: Temporal at {nobody} does not answer"),
        ("--fake=a100=http://{nobody}", "the fake a100 cannot be watched"),
    ],
)
def test_what_does_not_answer_is_said_before_any_load(
    option: str, said: str, running_gateway: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nobody = f"127.0.0.1:{reserve_port()}"
    words = files(tmp_path, LENIENT, NEAR)
    assert run_command.main(["--host", running_gateway, option.format(nobody=nobody), *QUICK, *words]) == 1
    assert said.format(nobody=nobody) in capsys.readouterr().err
    assert not (tmp_path / "report" / "records.jsonl").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--fake", "a100"], "SERVICE=URL with a service of"),
        (["--fake", "nobody=http://127.0.0.1:1"], "not 'nobody=http://127.0.0.1:1'"),
        (["--host", "127.0.0.1:8000"], "the host is an address such as"),
        (["--seconds", "0"], "seconds: Input should be greater than 0"),
        (["--rate", "nan"], "rate: Input should be a finite number"),
        (["--load-workers", "-1"], "load_workers: Input should be greater than or equal to 0"),
        (["--patience", "0"], "patience_s: Input should be greater than 0"),
        (["--out", "{file}"], "cannot be made: File exists"),
        (["--out", "{file}/below"], "cannot be made: Not a directory"),
        (["--mix", "nowhere.yaml"], "the mix nowhere.yaml cannot be read"),
    ],
)
def test_what_makes_no_sense_is_exit_code_2_and_one_line(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    words = [word.format(file=tmp_path / "file") for word in words]
    try:
        code = run_command.main(words)
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else -1
    assert code == 2
    assert said in capsys.readouterr().err
