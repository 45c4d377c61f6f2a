"""Each attempt is counted once, by its step and what became of it, in the SDK's own metrics."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.runtime import MetricBuffer, Runtime, TelemetryConfig
from temporalio.testing import ActivityEnvironment
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from app.attempts.interceptors import PipelineInterceptor
from app.errors import PipelineError


async def done() -> None:
    pass


async def refused() -> None:
    raise PipelineError("The backend is not well")


async def broken() -> None:
    raise ValueError("what nobody thought of")


async def cancelled() -> None:
    raise asyncio.CancelledError


class Last(ActivityInboundInterceptor):
    """The end of the chain: the activity itself."""

    def __init__(self, work: Callable[[], Awaitable[None]]) -> None:
        self._work = work

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002, ARG002 - the SDK's name and shape
        await self._work()


@pytest.mark.parametrize(
    ("work", "raises", "outcome"),
    [
        (done, None, "ok"),
        (refused, ApplicationError, PipelineError.code),
        (broken, ApplicationError, PipelineError.code),
        (cancelled, asyncio.CancelledError, "cancelled"),
    ],
)
async def test_an_attempt_is_counted_once(
    work: Callable[[], Awaitable[None]], raises: type[BaseException] | None, outcome: str
) -> None:
    counted = MetricBuffer(100)
    environment = ActivityEnvironment()
    environment.metric_meter = Runtime(telemetry=TelemetryConfig(metrics=counted)).metric_meter
    frame = PipelineInterceptor().intercept_activity(Last(work))
    attempt = environment.run(frame.execute_activity, cast("ExecuteActivityInput", None))
    if raises is None:
        await attempt
    else:
        with pytest.raises(raises):
            await attempt
    seen = [update for update in counted.retrieve_updates() if update.metric.name.startswith("tryon_")]
    assert [(update.metric.name, update.attributes["outcome"]) for update in seen] == [
        ("tryon_attempts", outcome),
        ("tryon_attempt_seconds", outcome),
    ]
    assert seen[0].value == 1
    assert 0 <= seen[1].value < 60
    assert {update.attributes["step"] for update in seen} == {environment.info.activity_type}
