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


class SlowUpload(CallFault):
    """The service reads what is sent only after `seconds`: a large upload stalls."""

    kind: Literal["slow_upload"]
    seconds: float = Field(default=10, gt=0)
    family: ClassVar[str] = "http"

    async def act(self, call: Call) -> None:
        """Leave what comes where it is."""
        if call.transport is None or call.virtual:
            await call.wait(self.seconds)
            return
        call.transport.pause_reading()
        try:
            await call.wait(self.seconds)
        finally:
            if not call.transport.is_closing():
                call.transport.resume_reading()


class SlowHeaders(AnswerFault):
    """The right answer, whose headers come `bytes` at a time with a pause after each; then the connection closes."""

    kind: Literal["slow_headers"]
    bytes: int = Field(default=16, ge=1)
    pause: float = Field(default=1.0, gt=0)
    family: ClassVar[str] = "http"
    takes: ClassVar[frozenset[Part]] = frozenset({Part.PACE})
    needs: ClassVar[frozenset[Part]] = frozenset({Part.ENDING})

    def act(self, call: Call, answer: Answer) -> Answer:
        """Send the headers in small pieces."""
        answer.head_pace = (self.bytes, self.pause)
        if call.virtual:
            call.longest_pause = max(call.elapsed, self.pause)
            call.elapsed += math.ceil(len(answer.head()) / self.bytes) * self.pause
        return answer


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
