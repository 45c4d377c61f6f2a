"""`make up` and `make demo` as a user sees them: output, exit codes, and nothing left whenever they are stopped."""

import contextlib
import re
import signal
import socket

import httpx
import pytest
from PIL import Image

from scenarios.__main__ import COMMANDS
from scenarios.processes.ports import HOST
from tests.command import Command

AGAIN = pytest.mark.long("the stack started for one more case of a kind")


async def test_up_shows_each_address_and_stops_everything_on_ctrl_c(command: Command) -> None:
    await command.start("up", "--free-ports", "--profile", "instant", "--workers", "2")
    await command.until("open http")
    assert "ready. The logs are in " in command.output
    # the command and its leash, Temporal, Azurite, four fakes, two workers, gateway, console
    assert len(command.started()) == 12
    addresses = dict(re.findall(r"^  (?!open )(\S.*?) {2,}(\S.*)$", command.output, re.MULTILINE))
    assert set(addresses) == {
        "Console",
        "Temporal",
        "Temporal's web UI",
        "Azurite (blob store)",
        "Image manipulator (fake)",
        "BiRefNet (fake)",
        "SAM3 (fake)",
        "A100 (fake)",
        "Worker-1",
        "Worker-2",
        "Gateway",
    }
    async with httpx.AsyncClient() as http:
        health = (await http.get(f"{addresses['Gateway']}/health")).json()
        rules = await http.get(f"{addresses['A100 (fake)']}/__sim/rules")
    assert health["status"] == "healthy"
    assert set(health["services"].values()) == {"online"}
    assert rules.status_code == 200
    command.signal(signal.SIGINT)
    assert await command.end() == 0
    assert "stopped; nothing is left running" in command.output
    assert await command.nothing_left()


@AGAIN
async def test_up_reports_a_process_that_dies_and_stops_the_others(command: Command) -> None:
    await command.start("up", "--free-ports")
    await command.until("  Temporal ")
    (server,) = [process for process in command.started() if "start-dev" in process.cmdline()]
    server.kill()
    assert await command.end() == 1
    assert "make up: temporal ended by itself (SIGKILL). The end of its log" in command.output
    assert str(command.folder / ".run") in command.output
    assert await command.nothing_left()


@AGAIN
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_up_stopped_while_it_starts_leaves_nothing(command: Command, number: signal.Signals) -> None:
    await command.start("up", "--free-ports")
    await command.until("starting the stack" if number is signal.SIGHUP else "  Temporal ")
    command.signal(number)
    assert await command.end() == 0
    assert await command.nothing_left()


@AGAIN
async def test_up_killed_leaves_nothing(command: Command) -> None:
    await command.start("up", "--free-ports")
    await command.until("  Temporal ")
    command.signal(signal.SIGKILL)
    assert await command.end() == -signal.SIGKILL
    assert await command.nothing_left()


async def test_up_names_a_taken_port(command: Command) -> None:
    with socket.socket() as occupant:
        occupant.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):  # somebody's `make up` is running: then that one has it
            occupant.bind((HOST, 8007))
            occupant.listen()
        await command.start("up")
        assert await command.end() == 2
    assert "make up: port 8007 is taken; it is needed for the fake of SAM3\n" in command.output
    assert "nothing was started" in command.output


async def test_demo_makes_pictures_and_explains_itself(command: Command) -> None:
    await command.start("demo")
    assert await command.end() == 0, command.output
    out = command.folder / "out"
    assert {path.name for path in out.iterdir()} == {
        "flux.jpg",
        "gemini.jpg",
        "flux-fidelity.jpg",
        "gemini-fidelity.jpg",
    }
    for path in out.iterdir():
        with Image.open(path) as image:
            assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (1152, 1536))
    for step in ("UPLOADING_IMAGE", "REMOVING_BACKGROUND", "GENERATING_IMAGES", "100 % COMPLETED"):
        assert step in command.output
    assert re.search(r"^ *Flux +0\.\d{3} +0\.\d{3} +0\.\d{3} +\d\.\d{3}", command.output, re.MULTILINE)
    for activity in ("upload_to_azure", "resize_image", "check_zoom", "remove_background", "generate_mask"):
        assert re.search(rf"^ *{activity} +1 +\d+\.\d\d", command.output, re.MULTILINE)
    assert "Where to look next" in command.output
    assert "Everything is stopped again." in command.output
    assert await command.nothing_left()


@AGAIN
@pytest.mark.parametrize("moment", ["Drawing", "  ✓ Temporal ", "One try-on"])
async def test_demo_stopped_at_any_moment_leaves_nothing(command: Command, moment: str) -> None:
    await command.start("demo")
    await command.until(moment)
    command.signal(signal.SIGINT)
    assert await command.end() in {130, -signal.SIGINT}
    assert await command.nothing_left()
    assert not (command.folder / "out").exists()


async def test_demo_refuses_a_photo_that_is_none_before_it_starts_anything(command: Command) -> None:
    (command.folder / "notes.jpg").write_text("not a picture")
    await command.start("demo", "--photo=notes.jpg")
    assert await command.end() == 2
    assert command.output == "make demo: PHOTO=notes.jpg is neither a JPEG nor a PNG file\n"


async def test_an_unknown_command_says_which_there_are(command: Command) -> None:
    await command.start("dmeo")
    assert await command.end() == 2
    assert command.output == f"usage: python -m scenarios {{{','.join(COMMANDS)}}} [--help]\n"
