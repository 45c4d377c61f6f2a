"""What every error that a client can be told about has: code, HTTP status, steps, advice, and whether it is retried."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import ClassVar

from app.pipeline.steps import Step

EVERY_STEP = tuple(step for step in Step if step is not Step.COMPLETED)


class PipelineError(Exception):
    """Base of every error that a client can be told about.

    Attributes:
        code: the stable name in the API.
        http_status: the status when a request itself fails with it. A failed try-on is reported inside a 200.
        retryable: whether another attempt of the same activity may go better.
        steps: the steps that can fail with it; empty for errors of a request.
        beside: what the answer says beside `error`.
        advice: what a person on call does about it, in one sentence.
    """

    code: ClassVar[str] = "INTERNAL_ERROR"
    http_status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False
    steps: ClassVar[tuple[Step, ...]] = ()
    beside: Mapping[str, str] = MappingProxyType({})
    advice: ClassVar[str] = "A defect of the backend: look for the workflow id in the logs."

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        final: bool = False,
        said: str | None = None,
        status: int | None = None,
        no_such_app: bool = False,
    ) -> None:
        """Keep the message and, where a service asked for it, the seconds to wait before the next attempt.

        `final` forbids another attempt, where it would repeat dear work that is not to blame. The others are for logs
        and the doctor alone: `said` is an excerpt of what the service said, or why a connection could not be had,
        `status` what it answered with, `no_such_app` that its host answered for it.
        """
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after
        self.said = said
        self.status = status
        self.no_such_app = no_such_app
        self.final = final or not self.retryable


def error_classes(root: type[PipelineError] = PipelineError) -> Iterator[type[PipelineError]]:
    """Yield every class of the tree that has a code, parents first. A base without one is never raised itself."""
    if root is PipelineError or root.code != PipelineError.code:
        yield root
    for child in root.__subclasses__():
        yield from error_classes(child)
