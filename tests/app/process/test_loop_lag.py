"""What blocks the event loop is seen, and said."""

import asyncio
import time

import pytest
from structlog.testing import capture_logs

from app.process import loop_lag
from app.process.loop_lag import loop_lag_logged


async def test_a_loop_that_is_blocked_is_logged_as_late() -> None:
    with capture_logs() as said:
        async with loop_lag_logged(0.2):
            async with asyncio.timeout(20):
                await asyncio.sleep(0.03)
                time.sleep(0.3)  # noqa: ASYNC251 - it is what the test is about
                while not said:  # noqa: ASYNC110 - the log has no event to wait for
                    await asyncio.sleep(0.01)
    assert said[0]["event"] == "event loop lag"
    assert said[0]["max_ms"] > 200
    assert said[0]["p50_ms"] <= said[0]["p99_ms"] <= said[0]["max_ms"]


async def test_it_is_off_unless_asked_for() -> None:
    before = asyncio.all_tasks()
    async with loop_lag_logged(None):
        assert asyncio.all_tasks() == before


async def test_a_log_that_dies_is_told_and_the_work_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop_lag, "SAMPLE_S", "soon")
    with capture_logs() as said:
        async with loop_lag_logged(1), asyncio.timeout(5):
            while not said:  # noqa: ASYNC110 - the log has no event to wait for
                await asyncio.sleep(0)
    assert (said[0]["event"], said[0]["task"]) == ("a background task died", "loop lag")
