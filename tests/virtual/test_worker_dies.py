"""A worker that dies takes the waits for its workflows with it: they end at once, and say why."""

import time
from typing import Any

import pytest

from scenarios.virtual import VirtualTimeError
from tests.virtual.session import PATIENCE_S, Session
from tests.virtual.workflows import Chain


async def dies(*_: Any) -> None:
    raise RuntimeError("the core has had enough")


def test_waits_end_with_the_worker_and_say_why() -> None:
    with Session() as session:
        session.run(Chain.run)
        core: Any = session.worker._bridge_worker
        core.poll_activity_task = dies
        began = time.monotonic()
        for _ in range(2):  # one that the worker has, or may have begun, and one that it cannot know
            with pytest.raises(VirtualTimeError, match="its worker has died: RuntimeError: the core has had enough"):
                session.run(Chain.run)
        assert time.monotonic() - began < PATIENCE_S
