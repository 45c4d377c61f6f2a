"""A queue in a workflow: messages come by signal, are worked on one by one, and it ends when none comes."""

import asyncio
from collections import deque
from datetime import timedelta

from temporalio import activity, workflow

IDLE = timedelta(minutes=10)


@activity.defn
async def answer(message: str) -> str:
    """Answer a message; a long one takes longer."""
    await asyncio.sleep(len(message))
    return message.upper()


@workflow.defn
class InboxWorkflow:
    """One inbox."""

    def __init__(self) -> None:
        self._waiting: deque[str] = deque()
        self._answers: list[str] = []
        self._closed = False

    @workflow.run
    async def run(self) -> list[str]:
        """Return the answers, in the order in which the messages came."""
        while not self._closed:
            try:
                await workflow.wait_condition(lambda: bool(self._waiting) or self._closed, timeout=IDLE)
            except TimeoutError:
                break
            while self._waiting:
                message = self._waiting.popleft()
                self._answers.append(
                    await workflow.execute_activity(answer, message, start_to_close_timeout=timedelta(minutes=1))
                )
        return self._answers

    @workflow.signal
    def receive(self, message: str) -> None:
        """Take a message."""
        self._waiting.append(message)

    @workflow.update
    async def close(self) -> int:
        """Work on what is there and end; return how many messages were answered."""
        self._closed = True
        await workflow.wait_condition(lambda: not self._waiting)
        return len(self._answers)
