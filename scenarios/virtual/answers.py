"""Answers of workflows to their tasks: said, on their way to the server, taken by it or refused."""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple

from .holds import Hold

REFUSED_S = 5.0
"""Real seconds in which the SDK's core tells of a refused answer: milliseconds, on an idle machine."""


class Asked(NamedTuple):
    """What goes with a task of a workflow.

    Attributes:
        parent: what its parent waits for.
        waits_on: which messages the workflow may wait for itself.
        late_at: from when on the server may refuse an answer to it, Unix seconds.
    """

    parent: Hold | None
    waits_on: str
    late_at: float


@dataclass
class Answer:
    """What a workflow has said.

    Attributes:
        heard: what it had heard by then, until that is released.
        last: whether it closes the run.
        then: what has to come after the run.
        late_at: from when on the server may refuse it, Unix seconds.
        refused: set when the server has refused it, or its run is over.
    """

    heard: list[Hold] = field(default_factory=list)
    last: bool = False
    then: Hold | None = None
    late_at: float = inf
    refused: asyncio.Event = field(default_factory=asyncio.Event)


class Answers:
    """Those of one story, by run: what is not sent yet, and the newest that was."""

    def __init__(self) -> None:
        self._said: dict[str, Answer] = {}
        self._sent: dict[str, Answer] = {}

    def says(self, run: str, heard: list[Hold], late_at: float) -> None:
        """A workflow answers, having heard so much."""
        answer = self._said.setdefault(run, Answer())
        answer.heard += heard
        answer.late_at = late_at

    def is_last(self, run: str, then: Hold | None) -> None:
        """It is its last word. The server may refuse it for what came meanwhile."""
        self._said[run].last = True
        self._said[run].then = then

    def sending(self, run: str) -> Answer | None:
        """Return the answer of a workflow that goes to the server; None for its last one, and where there is none."""
        answer = self._said.get(run)
        if answer is None or answer.last:
            return None
        del self._said[run]  # before it is sent: that the run is dropped from the cache may overtake the reply
        self._sent[run] = answer
        return answer

    @staticmethod
    async def taken(answer: Answer) -> bool:
        """Say of an answer that the SDK's core has sent whether the server has taken it.

        The core says nothing of a refusal but by dropping the run, a moment later.
        """
        if time.time() >= answer.late_at:
            with suppress(TimeoutError):
                async with asyncio.timeout(REFUSED_S):
                    await answer.refused.wait()
        return not answer.refused.is_set()

    def dropped(self, run: str, refused: bool) -> Answer | None:
        """The SDK's core drops a run, which tells what became of its answer. Return the last one, if it was that."""
        answer = self._said.pop(run, None)
        last = answer if answer and answer.last else None
        if refused:
            self.over(run)
        elif last and (before := self._sent.get(run)):  # and may still wait: it was taken, as what came after it
            last.heard = [*before.heard, *last.heard]
        return last

    def over(self, run: str) -> None:
        """A run is over, or was refused: nothing more comes of what it has sent."""
        if sent := self._sent.pop(run, None):
            sent.refused.set()
