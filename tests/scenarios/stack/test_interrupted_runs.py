"""Scenario runs that somebody ends: nothing is left of them, whoever ended them and whenever."""

import signal
from pathlib import Path

import pytest

from tests.command import Command

AGAIN = pytest.mark.long("the world started for one more moment")
SUITE = """
from scenarios.scenario import Expect

pytest_plugins = ["scenarios.plugin"]

def test_mine(run_scenario):
    run_scenario(expect=Expect())
"""


def left_in(folder: Path) -> list[str]:
    return [path.name for path in folder.glob("scenarios-*")]


@AGAIN
@pytest.mark.parametrize(
    ("number", "moment"),
    [
        (signal.SIGINT, "fakes_process"),
        (signal.SIGINT, "server start-dev"),
        (signal.SIGTERM, "blob/main.js"),
    ],
)
async def test_a_run_ended_while_the_world_starts_leaves_nothing(
    command: Command, number: signal.Signals, moment: str
) -> None:
    await command.start("run", "near")
    await command.until_started(moment)
    command.signal(number)
    assert await command.end() == 128 + number
    assert "stopping" in command.output
    assert (command.started(), left_in(command.folder)) == ([], [])


@AGAIN
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_run_ended_while_scenarios_run_leaves_nothing(command: Command, number: signal.Signals) -> None:
    await command.start("run")
    await command.until("the world is up")
    command.signal(number)
    assert await command.end() == 128 + number
    assert (command.started(), left_in(command.folder)) == ([], [])


@AGAIN
async def test_a_run_that_is_killed_leaves_no_process(command: Command) -> None:
    await command.start("run")
    await command.until("the world is up")
    command.signal(signal.SIGKILL)
    assert await command.end() == -signal.SIGKILL
    assert await command.nothing_left()


@AGAIN
@pytest.mark.parametrize("moment", ["blob/main.js", "server start-dev"])
async def test_a_suite_interrupted_while_the_world_starts_leaves_nothing(command: Command, moment: str) -> None:
    suite = command.folder / "test_mine.py"
    suite.write_text(SUITE)
    await command.start(str(suite), "-p", "no:cacheprovider", module="pytest")
    await command.until_started(moment)
    command.signal(signal.SIGINT)
    assert await command.end() == 2
    assert "KeyboardInterrupt" in command.output
    assert (command.started(), left_in(command.folder)) == ([], [])
