"""`make explore` as a user sees it: findings on disk, the map, exit codes, Ctrl-C, and taking it up again."""

import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from scenarios.commands.explore import main
from tests.command import Command, commanding

LAST_LINE = re.compile(
    r"explored (\d+) plans in \d+ s: (\d+) findings; (\d+) behaviours, (\d+) of (\d+) cells of the map reached\n$"
)


@pytest.fixture
async def command(tmp_path: Path) -> AsyncIterator[Command]:
    async with commanding(tmp_path, "scenarios") as command:
        yield command


async def test_it_explores_and_draws_the_map(command: Command, tmp_path: Path) -> None:
    await command.start("explore", "--plans", "4", "--seed", "3", "--out", str(tmp_path / "out"))
    assert await command.end() == 0, command.output
    said = LAST_LINE.search(command.output)
    assert said, command.output
    assert said.groups()[:2] == ("4", "0")
    assert "operation and call and fault" in (tmp_path / "out" / "map.html").read_text()


@pytest.mark.long("two worlds, one of them watched for its branches")
async def test_it_explores_and_takes_up_again_where_it_stopped(command: Command, tmp_path: Path) -> None:
    await command.start("explore", "--plans", "8", "--seed", "3", "--branches", "--out", str(tmp_path / "out"))
    assert await command.end() == 0, command.output
    said = LAST_LINE.search(command.output)
    assert said, command.output
    assert said.groups()[:2] == ("8", "0")
    page = (tmp_path / "out" / "map.html").read_text()
    assert "operation and call and fault" in page
    assert 'class="open"' in page
    ran = re.search(r"(\d+) of (\d+) branches of app ran", command.output)
    assert ran
    assert 0 < int(ran[1]) < int(ran[2])
    assert re.search(r"app/services/\S+:\d+", page)  # some branch of it that eight plans never ran
    assert re.search(r'app/services/\S+:\d+</td>.*<td class="mono">(near|far)-', page)
    assert re.search(r"app/\S+:\d+</td>.*none comes to this line", page)
    first = (tmp_path / "out" / "journal.jsonl").read_text()
    await command.start("explore", "--plans", "9", "--seed", "3", "--out", str(tmp_path / "out"), "--resume")
    assert await command.end() == 0, command.output
    assert "taking up a run that has made 8 plans" in command.output
    assert (tmp_path / "out" / "journal.jsonl").read_text().startswith(first)


@pytest.mark.long("a world of its own, for the way in which it ends")
async def test_ctrl_c_sums_up_what_is_there(command: Command, tmp_path: Path) -> None:
    out = tmp_path / "out"
    await command.start("explore", "--out", str(out))
    await command.until_started("fakes_process")
    while not (out / "journal.jsonl").exists() or len((out / "journal.jsonl").read_text().splitlines()) < 2:
        command.started()  # looks through all processes, which takes a while: the world goes on meanwhile
    command.signal(signal.SIGINT)
    assert await command.end() == 128 + signal.SIGINT
    assert "summing up" in command.output
    assert LAST_LINE.search(command.output), command.output
    assert (out / "map.html").exists()


MINUTES = 5
GRACE_S = 240
"""For a world that begins and ends, and the plans that are under way when the time is over."""


@pytest.mark.long("explores for five minutes")
async def test_five_minutes_find_nothing_end_in_time_and_leave_nothing(command: Command, tmp_path: Path) -> None:
    await command.start("explore", "--minutes", str(MINUTES), "--seed", "2", "--out", str(tmp_path / "out"))
    assert await command.end(within=60 * MINUTES + GRACE_S) == 0, command.output
    said = LAST_LINE.search(command.output)
    assert said, command.output
    plans, findings, *_ = map(int, said.groups())
    assert (plans >= 24, findings) == (True, 0), command.output
    assert re.search("it ended because (the time is over|.* showed nothing new)", command.output), command.output


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--minutes", "0"], "0 is not above 0"),
        (["--plans", "many"], "invalid int value"),
        (["--seed", "x"], "invalid int value"),
        (["--known", "README.md"], "README.md"),
    ],
)
def test_wrong_options_end_with_2(
    words: list[str],
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("README.md").write_text("a: [")
    try:
        code: object = main(["--out", "out", *words])
    except SystemExit as ended:  # of argparse
        code = ended.code
    assert code == 2
    said = capsys.readouterr()
    assert says in said.out + said.err
    assert not Path("out").exists()
