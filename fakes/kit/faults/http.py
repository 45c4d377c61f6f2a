"""Faults of HTTP: the wrong answer, or the right one damaged."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from ..calls import Answer, Call
from ..distributions import Seconds
from .base import AnswerFault, CallFault, Part


class Status(CallFault):
    """An error status in place of the answer, with Retry-After and a body if given, at once or after a delay."""

    kind: Literal["status"]
    status: int = Field(ge=200, le=599)
    retry_after: Annotated[float | None, Field(ge=0)] = None
    body: Any = None
    headers: dict[str, str] = Field(default_factory=dict)
    delay: Seconds | None = None
    family: ClassVar[str] = "http"
    takes: ClassVar[frozenset[Part]] = frozenset({Part.WORK})

    async def act(self, call: Call) -> Answer:
        """Answer the status."""
        if self.delay is not None:
            await call.wait(self.delay.at(call.draw("delay")))
        headers = dict(self.headers)
        if self.retry_after is not None:
            headers["retry-after"] = f"{self.retry_after:g}"
        body = {"detail": "the fake was told to fail"} if self.body is None else self.body
        if isinstance(body, str):
            raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
            return Answer(self.status, body.encode(), [(b"content-type", b"text/plain"), *raw])
        return Answer.of_json(self.status, body, headers)


class Garbage(AnswerFault):
    """200 with a body that is no JSON."""

    kind: Literal["garbage"]
    body: str = '{"status": "comp\x00\x07<html>'
    family: ClassVar[str] = "http"
    takes: ClassVar[frozenset[Part]] = frozenset({Part.BODY})

    def act(self, call: Call, answer: Answer) -> Answer | None:  # noqa: ARG002 - the method's signature
        """Put garbage in place of the body, if there is one."""
        if not answer.body:
            return None
        answer.body = self.body.encode()
        return answer


class ContentType(AnswerFault):
    """The right body under another Content-Type."""

    kind: Literal["content_type"]
    value: str = Field(default="text/html; charset=utf-8", pattern=r"^[ -~]+$")
    family: ClassVar[str] = "http"
    takes: ClassVar[frozenset[Part]] = frozenset({Part.TYPE})

    def act(self, call: Call, answer: Answer) -> Answer | None:  # noqa: ARG002 - the method's signature
        """Put another Content-Type on the answer."""
        if (b"content-type", self.value.encode()) in answer.headers:
            return None
        answer.headers = [*answer.without(b"content-type"), (b"content-type", self.value.encode())]
        return answer
