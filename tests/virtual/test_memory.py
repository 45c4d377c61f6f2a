"""A thousand stories in one process: what is over is forgotten, and the last are told as fast as the first."""

import asyncio
import ctypes
import gc
import time
import uuid
from collections.abc import Iterator
from itertools import pairwise
from statistics import median
from typing import Any

import psutil
import pytest

from scenarios.virtual import Story
from tests.virtual.session import Session
from tests.virtual.workflows import One

MIB = 1024 * 1024


def told_at_once(total: int, at_once: int) -> Iterator[int]:
    """Yield how many are told side by side, until there are so many."""
    yield from (min(at_once, total - begin) for begin in range(0, total, at_once))


def in_use() -> float:
    """Return the MiB of this process, without what was freed, by other tests too, and is kept for later."""
    gc.collect()
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):  # of glibc
        trim(0)
    return psutil.Process().memory_info().rss / MIB


@pytest.mark.long("1,000 stories, 100 at a time")
def test_memory_stays_flat(session: Session) -> None:
    total, at_once = 1000, 100
    tenths = list(told_at_once(total, total // 10))
    third = len(tenths) // 3
    resident: list[float] = []
    spent_by: list[float] = []

    async def story() -> None:
        name = f"many-{uuid.uuid4()}"
        told: list[Any] = await session.client.execute_workflow(
            One.run, args=["fails", [2, 3.0], {"attempts": 4, "heartbeat_timeout": 60}], id=name, task_queue="q"
        )
        assert told == ["done", 12]
        session.virtual.forget(name)

    async def all_of_them() -> None:
        for tenth in tenths:
            for number in told_at_once(tenth, at_once):
                await asyncio.gather(*(story() for _ in range(number)))
            spent_by.append(time.process_time())
            resident.append(in_use())

    session.do(all_of_them())
    gc.collect()
    left = [
        each for each in gc.get_objects() if isinstance(each, Story) and any("many-" in n for n in each.workflow_ids)
    ]
    # The SDK's core keeps workflows that have ended for a while, and with them what wraps them.
    assert len(left) <= 110, f"{len(left)} of {total} stories are still there"
    # What is kept of each story grows in every tenth. A pool or a table that grows once grows in one or two.
    grown = [round(after - before, 1) for before, after in pairwise(resident[third:])]
    assert median(grown) < 0.02 * tenths[0] + 0.5, f"grew by {grown} MiB in the tenths of {total} stories"
    spent = [spent_by[third] - spent_by[0], spent_by[-1] - spent_by[-third - 1]]
    assert spent[1] < 1.5 * spent[0] + 1, f"the first third took {spent[0]:.1f} s of CPU, the last {spent[1]:.1f} s"
    print(f"{total} stories, {at_once} at a time: {len(left)} left, {grown} MiB grown, CPU of the thirds {spent}")
