"""Faults of the connection, done to the real socket in real and in virtual time."""

from typing import ClassVar, Literal

from .. import wire
from ..calls import Answer, Call, Ending
from .base import ALL, AnswerFault, CallFault, Part


class Reset(CallFault):
    """A TCP RST in place of an answer. The service does not do its work."""

    kind: Literal["reset"]
    family: ClassVar[str] = "http"
    takes: ClassVar[frozenset[Part]] = ALL

    async def act(self, call: Call) -> Answer:  # noqa: ARG002 - the method's signature
        """Reset the connection."""
        return Answer(0, b"", [], Ending.RESET)


class AnswerLost(AnswerFault):
    """The service does its work, then a TCP RST in place of the answer."""

    kind: Literal["answer_lost"]
    family: ClassVar[str] = "http"
    takes: ClassVar[frozenset[Part]] = frozenset({Part.ENDING})

    def act(self, call: Call, answer: Answer) -> Answer:  # noqa: ARG002 - the method's signature
        """Reset the connection."""
        answer.ending = Ending.RESET
        return answer


class Empty(CallFault):
    """The connection closes without one byte of an answer. The service does not do its work."""

    kind: Literal["empty"]
    family: ClassVar[str] = "http"
    takes: ClassVar[frozenset[Part]] = ALL

    async def act(self, call: Call) -> Answer:  # noqa: ARG002 - the method's signature
        """Close the connection."""
        return Answer(0, b"", [], Ending.CLOSE)


class Truncate(AnswerFault):
    """Half of the answer's body under the full Content-Length, then the connection closes."""

    kind: Literal["truncate"]
    family: ClassVar[str] = "http"
    takes: ClassVar[frozenset[Part]] = frozenset({Part.ENDING})

    def act(self, call: Call, answer: Answer) -> Answer | None:  # noqa: ARG002 - the method's signature
        """Cut the answer, if it has a body."""
        if not answer.body:
            return None
        answer.ending = Ending.CUT
        return answer


class Refuse(CallFault):
    """The service is down: connection refused. In real time for every caller, in virtual time by key too."""

    kind: Literal["refuse"]
    family: ClassVar[str] = "http"
    takes: ClassVar[frozenset[Part]] = ALL

    async def act(self, call: Call) -> Answer:
        """Tell the simulation's transport to raise what a closed port would. A real caller gets a reset."""
        if call.virtual:
            return Answer.of_json(503, {"detail": "connection refused"}, {wire.FAULT: wire.REFUSE})
        return Answer(0, b"", [], Ending.RESET)


class Dns(CallFault):
    """The service's name is not found, for the moment: it is never reached. In virtual time alone."""

    kind: Literal["dns"]
    family: ClassVar[str] = "http"
    takes: ClassVar[frozenset[Part]] = ALL
    only_virtual: ClassVar[str] = (
        "a name is looked up before a fake hears of the call: in real time give the caller an address such as "
        "http://sam3.invalid, or run with SIM_CLOCK=caller"
    )

    async def act(self, call: Call) -> Answer:
        """Tell the simulation's transport to raise what the resolver would. A real caller gets a reset."""
        if call.virtual:
            return Answer.of_json(503, {"detail": "the name is not found"}, {wire.FAULT: wire.DNS})
        return Answer(0, b"", [], Ending.RESET)


class Unreachable(CallFault):
    """Nothing comes back from the service's address, and connecting times out. In virtual time alone."""

    kind: Literal["unreachable"]
    family: ClassVar[str] = "http"
    takes: ClassVar[frozenset[Part]] = ALL
    only_virtual: ClassVar[str] = (
        "a connection is made before a fake hears of the call: in real time give the caller an address to which "
        "nothing leads, such as http://192.0.2.1, or run with SIM_CLOCK=caller"
    )

    async def act(self, call: Call) -> Answer:
        """Tell the simulation's transport to wait for as long as its caller lets it. A real caller gets a reset."""
        if call.virtual:
            return Answer.of_json(503, {"detail": "nothing comes back"}, {wire.FAULT: wire.UNREACHABLE})
        return Answer(0, b"", [], Ending.RESET)
