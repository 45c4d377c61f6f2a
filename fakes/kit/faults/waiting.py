"""Faults of time: late, slow, or never."""

import math
from typing import ClassVar, Literal

from pydantic import Field

from ..calls import Answer, Call, Ending
from ..distributions import Distribution, Seconds
from .base import ALL, AnswerFault, CallFault, Part


class Delay(CallFault):
    """The right answer, later: `seconds` is a number or a distribution."""

    kind: Literal["delay"]
    seconds: Seconds = Distribution(fixed=1.0)
    family: ClassVar[str] = "http"

    async def act(self, call: Call) -> None:
        """Let the time pass."""
        await call.wait(self.seconds.at(call.draw("delay")))


class Hang(CallFault):
    """The call is taken and never answered. The service does not do its work."""

    kind: Literal["hang"]
    family: ClassVar[str] = "http"
    takes: ClassVar[frozenset[Part]] = ALL

    async def act(self, call: Call) -> Answer:
        """Say nothing."""
        call.elapsed = math.inf
        return Answer(504, b"", [], Ending.SILENCE)


class Dribble(AnswerFault):
    """The right answer, `bytes` at a time with a pause after each, which outlasts a timeout for each read."""

    kind: Literal["dribble"]
    bytes: int = Field(default=1, ge=1)
    pause: float = Field(default=1.0, gt=0)
    family: ClassVar[str] = "http"
    takes: ClassVar[frozenset[Part]] = frozenset({Part.PACE})
    needs: ClassVar[frozenset[Part]] = frozenset({Part.ENDING})

    def act(self, call: Call, answer: Answer) -> Answer | None:
        """Send the answer in small pieces, if it has a body."""
        if not answer.body:
            return None
        answer.pace = (self.bytes, self.pause)
        if call.virtual:
            call.longest_pause = max(call.elapsed, self.pause)
            call.elapsed += math.ceil(len(answer.body) / self.bytes) * self.pause
        return answer
