"""A service that works by jobs: submit once, poll until the end. BiRefNet and SAM3 differ in their fields alone.

The ticket of a job travels in the heartbeats. A retry, on whichever worker, resumes a job that has not ended; one that
failed, was lost or gave a bad result is dropped, and the retry submits anew.
"""

from collections.abc import Awaitable, Callable
from typing import Literal, TypeVar
from urllib.parse import quote

from pydantic import Field

from app.attempts.attempt import Attempt
from app.attempts.clock import Clock
from app.attempts.deadline import Deadline
from app.errors import PipelineError
from app.errors.services import JobErrors
from app.pipeline.models import Ticket
from app.pipeline.policies import JOB_CALL_DEADLINE, JOB_GRACE, JOB_LIMIT, POLL_INTERVAL
from app.services.http import Answer, ServiceClient

LAST_POLL_DEADLINE = 5.0
"""Seconds for the one poll of a job that is resumed after its limit."""


CheckedT = TypeVar("CheckedT")


class JobAccepted(Answer):
    """POST /jobs."""

    job_id: str = Field(min_length=1, max_length=200)


class JobState(Answer):
    """GET /jobs/{id}. BiRefNet's result is `result_uri`, SAM3's `mask_uri`."""

    status: Literal["processing", "completed", "failed"]
    result_uri: str | None = None
    mask_uri: str | None = None


class RemoteJobs:
    """Client of a service that works by jobs."""

    def __init__(
        self, client: ServiceClient, errors: JobErrors, clock: Clock, result_field: Literal["result_uri", "mask_uri"]
    ) -> None:
        """Keep the client, the errors, the clock that polls wait by, and the name of the result's field."""
        self._client = client
        self.errors = errors
        self._clock = clock
        self._result_field = result_field

    async def ping(self, deadline: Deadline) -> None:
        """See whether the service is there; raises one of its errors if not."""
        await self._client.ping(deadline)

    async def run(
        self, attempt: Attempt, body: dict[str, object], check: Callable[[str], Awaitable[CheckedT]]
    ) -> CheckedT:
        """Submit a job, or resume the one whose ticket the attempt holds, and return its result as it was checked.

        Args:
            attempt: whose job it is.
            body: what POST /jobs is sent.
            check: looks at the result, by its URI; raises the service's bad answer.

        Raises:
            PipelineError: one of the service's errors.
        """
        ticket = attempt.heart.ticket
        if ticket is None:
            ticket = await self._submit(attempt, body)
            await self._clock.sleep(POLL_INTERVAL)
        uri = await self._follow(attempt, ticket)
        try:
            return await check(uri)
        except self.errors.bad_answer:
            attempt.heart.keep(None)
            raise

    async def _submit(self, attempt: Attempt, body: dict[str, object]) -> Ticket:
        submitted_at = self._clock.now()  # before the call, or a slow submit would stretch the limit
        deadline = attempt.deadline.sooner(JOB_CALL_DEADLINE)
        accepted = await self._client.call(attempt, "POST", "/jobs", JobAccepted, body=body, deadline=deadline)
        ticket = Ticket(job_id=accepted.job_id, submitted_at=submitted_at)
        attempt.heart.keep(ticket)
        return ticket

    async def _follow(self, attempt: Attempt, ticket: Ticket) -> str:
        """Poll until the job has ended. A resumed job is polled once even when its limit has passed meanwhile."""
        name = self.errors.service
        while True:
            state = await self._poll(attempt, ticket)
            if state is not None and state.status == "completed":
                uri: str | None = getattr(state, self._result_field)
                if uri is None:
                    attempt.heart.keep(None)
                    raise self.errors.bad_answer(f"{name} completed a job without {self._result_field}")
                return uri
            if state is not None and state.status == "failed":
                attempt.heart.keep(None)
                raise self.errors.job_failed(f"{name} says that the job failed")
            left = self._left(ticket)
            if left <= 0:
                raise self._late()
            await self._clock.sleep(min(POLL_INTERVAL, left))

    async def _poll(self, attempt: Attempt, ticket: Ticket) -> JobState | None:
        """Ask once; None for a job so young that the service may not know it yet."""
        left = self._left(ticket)
        deadline = attempt.deadline.sooner(min(JOB_CALL_DEADLINE, left) if left > 0 else LAST_POLL_DEADLINE)
        path = f"/jobs/{quote(ticket.job_id, safe='')}"
        lost = self.errors.job_failed
        try:
            return await self._client.call(attempt, "GET", path, JobState, deadline=deadline, not_found=lost)
        except lost:
            if self._clock.now() - ticket.submitted_at < JOB_GRACE:
                return None
            attempt.heart.keep(None)
            raise lost(f"{self.errors.service} has lost the job") from None
        except self.errors.timeout:
            if self._left(ticket) <= 0:
                raise self._late() from None
            raise

    def _left(self, ticket: Ticket) -> float:
        """Seconds until the job is given up; a millisecond is no time to poll in."""
        left = ticket.submitted_at + JOB_LIMIT - self._clock.now()
        return left if left > 0.001 else 0.0

    def _late(self) -> PipelineError:
        message = f"{self.errors.service} had not finished its job after {JOB_LIMIT:.0f} s"
        return self.errors.timeout(message, final=True)  # another attempt would only ask the GPU for more
