"""A command of the project as a user starts it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.command import Command, commanding


@pytest.fixture
async def command(tmp_path: Path) -> AsyncIterator[Command]:
    async with commanding(tmp_path, "scenarios") as command:
        yield command
