"""Work beside other work: heartbeats, signs of life, samples. When such a task dies, somebody hears of it.

One that the block beside it relies on takes that block with it; the death of any other is logged and counted.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import structlog
from temporalio.common import MetricCounter, MetricMeter

log = structlog.get_logger(__name__)

WorkT = TypeVar("WorkT")


class _Deaths:
    counter: MetricCounter | None = None


def count_deaths(meter: MetricMeter) -> None:
    """Count the tasks that die in this process as `tryon_background_deaths`, by the task's name."""
    _Deaths.counter = meter.create_counter("tryon_background_deaths", "Background tasks that died")


@asynccontextmanager
async def beside(work: Coroutine[Any, Any, object], name: str) -> AsyncIterator[None]:
    """Do this work until the block ends. If it dies first, the block is cancelled and the error comes out of it.

    Raises:
        Exception: what the work died of, or what the block itself raises.
    """
    try:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(work, name=name)
            task.add_done_callback(_tell)
            try:
                yield
            finally:
                task.cancel()
    except BaseExceptionGroup as several:
        error = several.exceptions[0]  # the work's, if it died
    else:
        return
    raise error  # here, or the group would hang on it


@asynccontextmanager
async def aside(work: Coroutine[Any, Any, object], name: str) -> AsyncIterator[None]:
    """Do this work until the block ends. If it dies first, that is logged and counted, and the block goes on."""
    task = start(work, name)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def start(work: Coroutine[Any, Any, WorkT], name: str) -> asyncio.Task[WorkT]:
    """Start work that belongs to no block. Its death is logged and counted, whether or not somebody awaits it."""
    task = asyncio.create_task(work, name=name)
    task.add_done_callback(_tell)
    return task


def _tell(task: "asyncio.Task[Any]") -> None:
    error = None if task.cancelled() else task.exception()
    if error is None:
        return
    log.error("a background task died", task=task.get_name(), exc_info=error)
    if _Deaths.counter is not None:
        _Deaths.counter.add(1, {"task": task.get_name()})
