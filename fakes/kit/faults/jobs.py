"""Faults of jobs. On `submit` they stay with the job for its life; on `poll` they are in that answer alone."""

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from ..calls import Operation
from .base import Fault, Part


@dataclass(frozen=True, slots=True)
class Seen:
    """What a poll sees. `status` None: no such job."""

    status: str | None
    result: str | None = None
    foreign: bool = False
    """The result is to be another job's."""


class JobFault(Fault):
    """A fault of a job, which needs an operation that submits or polls one."""

    family: ClassVar[str] = "job"
    takes: ClassVar[frozenset[Part]] = frozenset({Part.JOB})
    needs: ClassVar[frozenset[Part]] = frozenset({Part.WORK})
    carried: ClassVar[bool] = True
    only: ClassVar[str] = ""
    """The one part of a job that it can act on, when it is not both."""

    def misfit(self, operation: Operation) -> str | None:
        """Return why the fault cannot act on an operation, None when it can."""
        return _misfit(operation, self.only)

    @abstractmethod
    def see(self, truth: Seen, age: float, *, ready: bool) -> Seen:
        """Return what a poll sees of a job of that age in seconds."""


class JobSlow(Fault):
    """The job takes `seconds`, or `factor` times as long as it would have."""

    kind: Literal["job_slow"]
    seconds: float | None = Field(default=None, gt=0)
    factor: float | None = Field(default=None, gt=0)
    family: ClassVar[str] = "job"
    takes: ClassVar[frozenset[Part]] = frozenset({Part.LENGTH})
    needs: ClassVar[frozenset[Part]] = frozenset({Part.WORK})

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.seconds is None) == (self.factor is None):
            raise ValueError("give seconds or factor")
        return self

    def misfit(self, operation: Operation) -> str | None:
        """Return why the fault cannot act on an operation, None when it can."""
        if self.factor is not None and operation.job == "submit" and not operation.timed:
            return "by its profile the job takes no time, which no factor makes longer: give `seconds`"
        return _misfit(operation, "submit")

    def longer(self, seconds: float) -> float:
        """Return the longer time. The submit knows it at once: nothing is carried."""
        return seconds * self.factor if self.factor is not None else self.seconds or seconds


class JobStuck(JobFault):
    """The job is processing for ever."""

    kind: Literal["job_stuck"]

    def see(self, truth: Seen, age: float, *, ready: bool) -> Seen:  # noqa: ARG002 - the method's signature
        """Never get further than processing."""
        return Seen("processing")


class JobFailed(JobFault):
    """The job ends as failed."""

    kind: Literal["job_failed"]

    def see(self, truth: Seen, age: float, *, ready: bool) -> Seen:  # noqa: ARG002 - the method's signature
        """Fail when the job would have been done."""
        return Seen("failed") if ready else truth


class JobLost(JobFault):
    """The job is forgotten `seconds` after the submit: 404 from then on."""

    kind: Literal["job_lost"]
    seconds: float = Field(default=0, ge=0)

    def see(self, truth: Seen, age: float, *, ready: bool) -> Seen:  # noqa: ARG002 - the method's signature
        """Know nothing of the job."""
        return Seen(None) if age >= self.seconds else truth


class JobLate(JobFault):
    """The job is not known yet for `seconds` after the submit: 404 until then."""

    kind: Literal["job_late"]
    seconds: float = Field(default=3, gt=0)
    takes: ClassVar[frozenset[Part]] = frozenset({Part.BEGINNING})
    only: ClassVar[str] = "submit"

    def see(self, truth: Seen, age: float, *, ready: bool) -> Seen:  # noqa: ARG002 - the method's signature
        """Know nothing of the job yet."""
        return Seen(None) if age < self.seconds else truth


class Queue(JobFault):
    """The job says `status` for `seconds` after its submit, then what it would have said."""

    kind: Literal["queue"]
    seconds: float = Field(default=30, gt=0)
    status: str = "queued"
    takes: ClassVar[frozenset[Part]] = frozenset({Part.BEGINNING})

    def see(self, truth: Seen, age: float, *, ready: bool) -> Seen:  # noqa: ARG002 - the method's signature
        """Stand in the queue."""
        return Seen(self.status) if age < self.seconds else truth


class JobNoResult(JobFault):
    """The job is completed, and its answer has no URI."""

    kind: Literal["job_no_result"]
    takes: ClassVar[frozenset[Part]] = frozenset({Part.RESULT})

    def see(self, truth: Seen, age: float, *, ready: bool) -> Seen:  # noqa: ARG002 - the method's signature
        """Keep the status, drop the result."""
        return Seen(truth.status)


class JobForeign(JobFault):
    """The job is completed with another job's result: a blob under another workflow's name."""

    kind: Literal["job_foreign"]
    takes: ClassVar[frozenset[Part]] = frozenset({Part.RESULT})

    def see(self, truth: Seen, age: float, *, ready: bool) -> Seen:  # noqa: ARG002 - the method's signature
        """Give another job's result."""
        return replace(truth, foreign=True) if truth.result else truth


class JobUnknownStatus(JobFault):
    """The job has a status that the contract does not know."""

    kind: Literal["job_unknown_status"]
    status: str = "sleeping"

    def see(self, truth: Seen, age: float, *, ready: bool) -> Seen:  # noqa: ARG002 - the method's signature
        """Put an unknown status in place of the true one."""
        return replace(truth, status=self.status)


class JobFlapping(JobFault):
    """The job says `status` in every second `period` of seconds, and the truth in the others, which come first."""

    kind: Literal["job_flapping"]
    period: float = Field(default=2, gt=0)
    status: str = "failed"

    def see(self, truth: Seen, age: float, *, ready: bool) -> Seen:  # noqa: ARG002 - the method's signature
        """Change the story with the time."""
        return Seen(self.status) if int(age / self.period) % 2 else truth


def _misfit(operation: Operation, only: str) -> str | None:
    if not operation.job:
        return "it neither submits nor polls a job"
    if only and operation.job != only:
        return f"this fault acts on {only} alone"
    return None
