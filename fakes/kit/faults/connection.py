"""Faults of the connection, done to the real socket in real and in virtual time."""

from typing import ClassVar, Literal

from fakes.kit.calls import Answer, Call, Ending
from fakes.kit.faults.base import Fault


class Reset(Fault):
    """A TCP RST in place of an answer. The service does not do its work."""

    kind: Literal["reset"]
    family: ClassVar[str] = "http"

    async def before(self, call: Call) -> Answer:  # noqa: ARG002 - the hook's signature
        """Reset the connection."""
        return Answer(0, b"", [], Ending.RESET)


class AnswerLost(Fault):
    """The service does its work, then a TCP RST in place of the answer."""

    kind: Literal["answer_lost"]
    family: ClassVar[str] = "http"
    changes_answer: ClassVar[bool] = True

    def after(self, call: Call, answer: Answer) -> Answer:  # noqa: ARG002 - the hook's signature
        """Reset the connection."""
        answer.ending = Ending.RESET
        return answer


class Empty(Fault):
    """The connection closes without one byte of an answer. The service does not do its work."""

    kind: Literal["empty"]
    family: ClassVar[str] = "http"

    async def before(self, call: Call) -> Answer:  # noqa: ARG002 - the hook's signature
        """Close the connection."""
        return Answer(0, b"", [], Ending.CLOSE)


class Truncate(Fault):
    """Half of the answer's body under the full Content-Length, then the connection closes."""

    kind: Literal["truncate"]
    family: ClassVar[str] = "http"
    changes_answer: ClassVar[bool] = True
    at_once: ClassVar[bool] = False

    def after(self, call: Call, answer: Answer) -> Answer | None:  # noqa: ARG002 - the hook's signature
        """Cut the answer, if it has a body."""
        if not answer.body:
            return None
        answer.ending = Ending.CUT
        return answer


class Refuse(Fault):
    """The service is down: connection refused. In real time for every caller, in virtual time by key too."""

    kind: Literal["refuse"]
    family: ClassVar[str] = "http"

    async def before(self, call: Call) -> Answer:
        """Tell the simulation's transport to raise what a closed port would. A real caller gets a reset."""
        if call.virtual:
            return Answer.of_json(503, {"detail": "connection refused"}, {"x-sim-fault": "refuse"})
        return Answer(0, b"", [], Ending.RESET)
