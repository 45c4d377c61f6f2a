"""The TypeScript client as a frontend has it: compiled by tsc, run by Node."""

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from scenarios.commands.client import TOOLS, beside_its_modules
from scenarios.stack.node import node_command
from tests.fakes.gateway.conftest import body, gateway

__all__ = ["gateway"]

CALLS = Path(__file__).with_name("calls.ts")


@pytest.fixture(scope="session")
def folder() -> Path:
    """The client, what it imports, and the stories beside it."""
    folder = beside_its_modules()
    shutil.copy(CALLS, folder)
    return folder


async def node(folder: Path, *words: str, given: str = "") -> tuple[int, str, str]:
    """Run Node in the folder; return its exit code and both its outputs."""
    process = await asyncio.create_subprocess_exec(
        *node_command("node"),
        *words,
        cwd=folder,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        said, complained = await asyncio.wait_for(process.communicate(given.encode()), 60)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    assert process.returncode is not None
    return process.returncode, said.decode(), complained.decode()


async def play(folder: Path, url: str, story: str, scenario: str = "") -> Any:
    """Play a story against a gateway; return what the page saw."""
    words = ["calls.ts", url, story, *([scenario] if scenario else [])]
    code, said, complained = await node(folder, *words, given=json.dumps(body()))
    assert code == 0, complained
    return json.loads(said)


def tsc() -> list[str]:
    """The words that compile."""
    return node_command("tsc", TOOLS)
