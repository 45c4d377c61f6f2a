"""A thousand stories in one process: what is over is forgotten, and the last are told as fast as the first."""

import asyncio
import gc
import time
import uuid
from collections.abc import Iterator
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


@pytest.mark.parametrize(
    ("total", "at_once"),
    [
        (30, 1),
        pytest.param(1000, 1, marks=pytest.mark.long("1,000 stories, one after the other")),
        pytest.param(1000, 100, marks=pytest.mark.long("1,000 stories, 100 at a time")),
    ],
)
def test_memory_stays_flat(session: Session, total: int, at_once: int) -> None:
    process = psutil.Process()
    seen: list[tuple[int, float]] = []

    async def story() -> None:
        name = f"many-{uuid.uuid4()}"
        told: list[Any] = await session.client.execute_workflow(
            One.run, args=["fails", [2, 3.0], {"attempts": 4, "heartbeat_timeout": 60}], id=name, task_queue="q"
        )
        assert told == ["done", 12]
        session.virtual.forget(name)

    async def all_of_them() -> None:
        for number in told_at_once(total, at_once):
            await asyncio.gather(*(story() for _ in range(number)))
            seen.append((process.memory_info().rss, time.process_time()))

    session.do(all_of_them())
    gc.collect()
    left = [
        each for each in gc.get_objects() if isinstance(each, Story) and any("many-" in n for n in each.workflow_ids)
    ]
    # The SDK's core keeps workflows that have ended for a while, and with them what wraps them.
    assert len(left) <= 110, f"{len(left)} of {total} stories are still there"
    third = len(seen) // 3
    growth = (seen[-1][0] - seen[third][0]) / MIB
    spent = [seen[third][1] - seen[0][1], seen[-1][1] - seen[-third - 1][1]]
    assert growth < 0.02 * total + 5, f"grew by {growth:.0f} MiB over the last two thirds of {total} stories"
    # What looks through all that were ever told would take five times as long; a busy machine doubles CPU by itself.
    assert spent[1] < 3 * spent[0] + 1, f"the first third took {spent[0]:.1f} s of CPU, the last {spent[1]:.1f} s"
    print(f"{total} stories, {at_once} at a time: {len(left)} left, {growth:.1f} MiB grown, CPU of the thirds {spent}")
