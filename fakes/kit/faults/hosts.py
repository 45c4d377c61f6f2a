"""Faults of hosts: what stands between a caller and the service has its own answers."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from ..calls import Answer, Call, Operation
from .base import AnswerFault, CallFault, Part


class HostGone(CallFault):
    """404 with a text of the host, as for an application that was stopped or deployed elsewhere: whatever is asked."""

    kind: Literal["host_gone"]
    text: str = "modal-http: app for invoked web endpoint is stopped"
    family: ClassVar[str] = "host"
    of_the_host: ClassVar[bool] = True
    takes: ClassVar[frozenset[Part]] = frozenset({Part.WORK})

    async def act(self, call: Call) -> Answer:  # noqa: ARG002 - the method's signature
        """Answer as the host does."""
        return Answer(404, self.text.encode(), [(b"content-type", b"text/plain; charset=utf-8")])


class ColdStart(CallFault):
    """The service starts, for `seconds` from a key's first call: what comes meanwhile is answered then."""

    kind: Literal["cold_start"]
    seconds: float = Field(default=60, gt=0)
    family: ClassVar[str] = "host"

    async def act(self, call: Call) -> None:
        """Wait until it has started."""
        since = call.entry.since_first if call.entry is not None else 0.0
        await call.wait(self.seconds - (since if call.virtual else since / call.scale))


class NotReady(CallFault):
    """202 without a body: the host has the call, and no answer yet."""

    kind: Literal["not_ready"]
    retry_after: Annotated[float | None, Field(ge=0)] = None
    family: ClassVar[str] = "host"
    takes: ClassVar[frozenset[Part]] = frozenset({Part.WORK, Part.BODY})

    async def act(self, call: Call) -> Answer:  # noqa: ARG002 - the method's signature
        """Answer 202."""
        told = [] if self.retry_after is None else [(b"retry-after", f"{self.retry_after:g}".encode())]
        return Answer(202, b"", told)


class Redirect(AnswerFault):
    """303 in place of the answer, `hops` in a row: a GET of the last Location, on the same host, gives the answer.

    With `elsewhere` the first Location is on another host, which a careful client does not follow.
    """

    kind: Literal["redirect"]
    hops: int = Field(default=1, ge=1, le=100)
    elsewhere: str = Field(default="", pattern=r"^(https?://[^/\s]+)?$")
    family: ClassVar[str] = "host"
    takes: ClassVar[frozenset[Part]] = frozenset({Part.ENDING})

    def act(self, call: Call, answer: Answer) -> Answer:
        """Keep the answer for who comes back for it."""
        for _ in range(self.hops - 1):
            answer = _leads_to(call.keep(answer))
        return _leads_to(f"{self.elsewhere}{call.keep(answer)}")


def _leads_to(place: str) -> Answer:
    return Answer(303, b"", [(b"location", place.encode())])


class PollErrors(CallFault):
    """The first `number` polls of a key fail in a row, after `good` ones that do not. The job goes on."""

    kind: Literal["poll_errors"]
    number: int = Field(default=3, ge=1)
    good: int = Field(default=0, ge=0)
    status: int = Field(default=502, ge=400, le=599)
    family: ClassVar[str] = "job"
    takes: ClassVar[frozenset[Part]] = frozenset({Part.WORK})

    def misfit(self, operation: Operation) -> str | None:
        """Return why the fault cannot act on an operation, None when it can."""
        return None if operation.job == "poll" else "it polls no job"

    async def act(self, call: Call) -> Answer | None:
        """Fail, if it is one of them."""
        if not self.good < call.number <= self.good + self.number:
            return None
        return Answer(self.status, b"upstream connect error", [(b"content-type", b"text/plain")])
