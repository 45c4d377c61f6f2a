"""A service that works by jobs: submit once, poll until the end. BiRefNet and SAM3 differ in their fields alone.

A job is money. Once its id is known no other is submitted until it has failed, is lost for sure or gave a bad result:
polls that fail and words that nobody specified are waited out, for as long as the job may take. The ticket of a job
travels in the heartbeats, so that a retry, on whichever worker, resumes it. docs/reliability.md has the rules.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Literal, TypeVar
from urllib.parse import quote

import structlog
from pydantic import Field

from app.attempts.attempt import Attempt
from app.attempts.deadline import Deadline
from app.errors import PipelineError
from app.errors.services import JobErrors
from app.pipeline.models import Ticket
from app.pipeline.policies import JOB_GRACE, JOB_LIMIT, JOB_LOST_AFTER, POLL_DEADLINE, POLL_INTERVAL
from app.services.excerpt import excerpt
from app.services.http import ServiceAnswer, ServiceClient

LAST_POLL_DEADLINE = 5.0
"""Seconds for the one poll of a job that is resumed after its limit."""

LONGEST_WORD = 40
"""Characters of a status that nobody specified, in a message."""

log = structlog.get_logger(__name__)


CheckedT = TypeVar("CheckedT")


class JobAccepted(ServiceAnswer):
    """POST /jobs."""

    job_id: str = Field(min_length=1, max_length=200)


class JobState(ServiceAnswer):
    """GET /jobs/{id}: `processing`, `completed` or `failed`. BiRefNet's result is `result_uri`, SAM3's `mask_uri`."""

    status: str
    result_uri: str | None = None
    mask_uri: str | None = None


class _UnknownJobError(PipelineError):
    """A poll said that the service knows no such job."""


class _FailedPollError(Exception):
    """A poll failed, which says nothing of the job."""

    def __init__(self, failure: PipelineError) -> None:
        super().__init__(failure.message)
        self.failure = failure


class RemoteJobs:
    """Client of a service that works by jobs."""

    def __init__(
        self, client: ServiceClient, errors: JobErrors, result_field: Literal["result_uri", "mask_uri"]
    ) -> None:
        """Keep the client, the errors, and the name of the result's field."""
        self._client = client
        self.errors = errors
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
            await asyncio.sleep(min(POLL_INTERVAL, _left(attempt, ticket)))
        uri = await self._follow(attempt, ticket)
        try:
            return await check(uri)
        except self.errors.bad_answer:
            attempt.heart.drop()
            raise

    async def _submit(self, attempt: Attempt, body: dict[str, object]) -> Ticket:
        """Have a job made. A cold service may use all of the job's time to say so: asked again, it would make two.

        A submit whose answer was lost is made again with the same key; a service that knows the key makes no other job.
        """
        submitted_at = attempt.now  # before the call, or a slow submit would stretch the limit
        accepted = await self._client.call(
            attempt,
            "POST",
            "/jobs",
            JobAccepted,
            body=body,
            deadline=attempt.deadline.sooner(JOB_LIMIT),
            headers={"Idempotency-Key": f"{attempt.workflow_id}-{attempt.activity}-{attempt.heart.number}"},
        )
        ticket = Ticket(job_id=accepted.job_id, submitted_at=submitted_at)
        attempt.heart.keep(ticket)
        return ticket

    async def _follow(self, attempt: Attempt, ticket: Ticket) -> str:
        """Poll until the job has ended, or its time is over: what the last poll said is the error then.

        A resumed job is polled once even when its time has passed meanwhile.
        """
        unknown = 0
        told: set[str] = set()
        while True:
            trouble: PipelineError | None
            try:
                said = self._read(attempt, await self._poll(attempt, ticket))
                if isinstance(said, str):
                    return said
                trouble, unknown = said, 0
            except _UnknownJobError as error:
                trouble = error
                unknown = unknown + 1 if attempt.now - ticket.submitted_at >= JOB_GRACE else 0
            except _FailedPollError as poll:
                trouble, unknown = poll.failure, 0
            if trouble is not None and trouble.message not in told:
                told.add(trouble.message)
                log.warning("the job is asked for again", reason=trouble.message, said=trouble.said)
            left = _left(attempt, ticket)
            if left <= 0 or unknown == JOB_LOST_AFTER:
                if unknown:
                    attempt.heart.drop()
                raise self._ended_by(trouble)
            asked_for = (trouble.retry_after if trouble else None) or 0.0
            await asyncio.sleep(min(max(POLL_INTERVAL, asked_for), left))

    def _read(self, attempt: Attempt, state: JobState) -> str | PipelineError | None:
        """Return the result's URI, or None while the job goes on, or an error for a status that nobody specified.

        Raises:
            PipelineError: the job failed, or has no result.
        """
        name, word = self.errors.service, state.status.lower()
        uri: str | None = getattr(state, self._result_field)
        if uri and word not in {"processing", "failed"}:
            return uri
        if word == "completed":
            attempt.heart.drop()
            raise self.errors.bad_answer(f"{name} completed a job without {self._result_field}")
        if word == "failed":
            attempt.heart.drop()
            raise self.errors.job_failed(f"{name} says that the job failed")
        if word == "processing":
            return None
        return self.errors.bad_answer(f"{name} says {_quoted(state.status)} of a job, which is no specified status")

    async def _poll(self, attempt: Attempt, ticket: Ticket) -> JobState:
        """Ask once. A 202 without a state is how some hosts say that it goes on.

        Raises:
            _UnknownJobError: the service knows no such job.
            _FailedPollError: nothing is known of the job by this.
        """
        left = _left(attempt, ticket)
        deadline = attempt.deadline.sooner(min(POLL_DEADLINE, left) if left > 0 else LAST_POLL_DEADLINE)
        path = f"/jobs/{quote(ticket.job_id, safe='')}"
        goes_on = JobState(status="processing")
        try:
            return await self._client.call(
                attempt, "GET", path, JobState, deadline=deadline, not_found=_UnknownJobError, accepted=goes_on
            )
        except _UnknownJobError:
            raise
        except PipelineError as failure:
            raise _FailedPollError(failure) from failure

    def _ended_by(self, trouble: PipelineError | None) -> PipelineError:
        """Return what a job ends with that is lost, or whose time is over: by what the last poll brought.

        All but a lost job is final: another attempt would have the GPU make another one.
        """
        name = self.errors.service
        if isinstance(trouble, _UnknownJobError):
            return self.errors.job_failed(f"{name} has lost the job", said=trouble.said)
        if trouble is None or isinstance(trouble, self.errors.timeout):
            return self.errors.timeout(f"{name} had not finished its job after {JOB_LIMIT:.0f} s", final=True)
        kind = self.errors.bad_answer if isinstance(trouble, self.errors.bad_answer) else self.errors.unavailable
        return kind(trouble.message, final=True, said=trouble.said)


def _left(attempt: Attempt, ticket: Ticket) -> float:
    """Seconds until the job is given up; a millisecond is no time to poll in."""
    left = ticket.submitted_at + JOB_LIMIT - attempt.now
    return left if left > 0.001 else 0.0


def _quoted(word: str) -> str:
    shown = excerpt(word[: LONGEST_WORD + 1]) or ""
    return f'"{shown}"' if len(shown) <= LONGEST_WORD else f'"{shown[:LONGEST_WORD]}…"'
