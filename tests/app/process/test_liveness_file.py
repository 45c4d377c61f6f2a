import asyncio
import os
from pathlib import Path

import pytest

from app.process.liveness_file import kept_fresh


def touched_at(file: Path) -> float:
    return file.stat().st_mtime


async def test_the_file_is_touched_again_and_again_and_removed_at_the_end(tmp_path: Path) -> None:
    file = tmp_path / "alive"
    async with kept_fresh(file, interval=0.01):
        for _ in range(2):
            os.utime(file, (1, 1))
            async with asyncio.timeout(5):
                while touched_at(file) == 1:  # noqa: ASYNC110 - a file's time sets no event
                    await asyncio.sleep(0.005)
    assert not file.exists()


async def test_without_a_file_nothing_is_written(tmp_path: Path) -> None:
    async with kept_fresh(None):
        assert os.listdir(tmp_path) == []  # noqa: PTH208 - pathlib's way is refused in coroutines


async def test_a_file_that_cannot_be_written_is_said_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="no-such-folder"):
        async with kept_fresh(tmp_path / "no-such-folder" / "alive"):
            pass


async def test_a_file_that_cannot_be_written_any_more_ends_what_it_speaks_for(tmp_path: Path) -> None:
    folder = tmp_path / "volume"
    folder.mkdir()

    async def speaking() -> None:
        async with asyncio.timeout(5), kept_fresh(folder / "alive", interval=0.01):
            (folder / "alive").unlink()
            folder.rmdir()
            await asyncio.Event().wait()

    with pytest.raises(OSError, match="volume"):
        await speaking()
