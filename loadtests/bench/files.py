"""Where the servers of a measurement keep their files: in memory, where there is room for them.

On a disk the commits of Temporal wait for whoever else writes there, and the figure is the disk's. The development
server needs twice the CPU for a workflow there, and as much time as the disk likes.
"""

import shutil
from pathlib import Path

MEMORY = Path("/dev/shm")  # noqa: S108 - a directory of its own is made in it
ROOM = 2 * 1024**3
"""Bytes that have to be free: a few hundred starts with large photos fit in."""


def folder_in_memory() -> Path | None:
    """Return a folder in memory with enough room; None, which stands for the system's folder of such files, without."""
    return MEMORY if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= ROOM else None
