"""A task beside a block is killed in each way there is, and each time somebody hears of it."""

import asyncio
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig

from app.process import background
from app.process.background import aside, beside, count_deaths, start
from scenarios.processes.ports import reserve_port

Counted = Callable[[str], int]


class BrokenPipe(Exception):  # noqa: N818 - what a task dies of here
    pass


@pytest.fixture(scope="module")
def metrics() -> Iterator[Counted]:
    """What this process has counted, read as Prometheus reads it."""
    port = reserve_port()
    runtime = Runtime(telemetry=TelemetryConfig(metrics=PrometheusConfig(bind_address=f"127.0.0.1:{port}")))
    count_deaths(runtime.metric_meter)

    def deaths(task: str) -> int:
        said = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text
        found = re.findall(rf'^tryon_background_deaths{{[^}}]*task="{task}"[^}}]*}} (\d+)$', said, re.MULTILINE)
        return sum(int(number) for number in found)

    yield deaths
    background._Deaths.counter = None


@pytest.fixture
def deaths(metrics: Counted) -> Counted:
    """How many deaths of a task were counted since the test began."""
    before = {name: metrics(name) for name in ("heart", "samples", "poller")}
    return lambda name: metrics(name) - before[name]


async def dies() -> None:
    await asyncio.sleep(0)
    raise BrokenPipe("gone")


async def for_ever() -> None:
    await asyncio.Event().wait()


async def test_work_that_dies_takes_its_block_with_it(deaths: Counted) -> None:
    with capture_logs() as said, pytest.raises(BrokenPipe, match="gone"):
        async with beside(dies(), "heart"):
            await for_ever()
    assert [(line["event"], line["task"]) for line in said] == [("a background task died", "heart")]
    assert deaths("heart") == 1
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0  # nothing of the cancellation is left for whoever awaits next
    await asyncio.sleep(0)


async def test_work_that_dies_while_the_block_ends_is_not_lost() -> None:
    async def owner() -> None:
        died = asyncio.Event()

        async def work() -> None:
            died.set()
            raise BrokenPipe

        async with beside(work(), "heart"):
            await died.wait()  # what died has not been seen yet, and nothing more is waited for

    with pytest.raises(BrokenPipe):
        await owner()


async def test_the_blocks_own_error_comes_out_as_it_is() -> None:
    cause = ValueError("why")
    with pytest.raises(KeyError) as found:
        async with beside(for_ever(), "heart"):
            raise KeyError("what") from cause
    assert found.value.__cause__ is cause


@pytest.mark.parametrize("around", [beside, aside])
async def test_work_ends_with_its_block_and_nothing_is_said(around: Callable[..., Any], deaths: Counted) -> None:
    before = asyncio.all_tasks()
    with capture_logs() as said:
        async with around(for_ever(), "heart"):
            await asyncio.sleep(0)
            assert len(asyncio.all_tasks()) == len(before) + 1
    assert asyncio.all_tasks() == before
    assert (said, deaths("heart")) == ([], 0)


@pytest.mark.parametrize("around", [beside, aside])
async def test_a_cancellation_of_the_block_stays_one_and_ends_the_work(around: Callable[..., Any]) -> None:
    entered = asyncio.Event()

    async def owner() -> None:
        async with around(for_ever(), "heart"):
            entered.set()
            await for_ever()

    before = asyncio.all_tasks()
    task = asyncio.create_task(owner())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert asyncio.all_tasks() == before


async def test_a_block_goes_on_without_work_that_it_does_not_rely_on_and_the_death_is_told(
    deaths: Counted,
) -> None:
    with capture_logs() as said:
        async with aside(dies(), "samples"):
            for _ in range(3):
                await asyncio.sleep(0)
            assert [line["task"] for line in said] == ["samples"]
    assert deaths("samples") == 1


async def test_a_task_that_nobody_awaits_tells_its_death(deaths: Counted) -> None:
    with capture_logs() as said:
        task = start(dies(), "poller")
        await asyncio.wait((task,))
        await asyncio.sleep(0)
    assert [(line["task"], type(line["exc_info"])) for line in said] == [("poller", BrokenPipe)]
    assert deaths("poller") == 1
