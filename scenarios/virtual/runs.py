"""What a run of a workflow is told when it begins: its story, its limits, and what it continues."""

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from math import inf, isfinite
from typing import Any

from google.protobuf.json_format import MessageToDict, ParseDict
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.worker import WorkflowInstanceDetails

from .limits import delta
from .retries import policy_as_json, policy_from_json
from .wire import STORY_HEADER, packed, unpacked


@dataclass(frozen=True)
class Told:
    """The header of a run. Times are seconds; instants are seconds since the story began.

    Attributes:
        story: the key of its story; None for a run that begins its own.
        base: when that one began, in Unix seconds.
        now: when this run was started.
        delay: how long after that its code begins.
        run_timeout: of each run.
        execution_timeout: of all runs together.
        execution_by: when the last of them has to have ended; None for the first.
        policy: the workflow's retry policy, as JSON.
        attempt: the number of this run among its retries.
        failure: of the run before, as JSON.
        hold: what the parent's story releases when this workflow has ended: its kind, its run and its number.
    """

    story: str | None = None
    base: float | None = None
    now: float = 0.0
    delay: float = 0.0
    run_timeout: float | None = None
    execution_timeout: float | None = None
    execution_by: float | None = None
    policy: dict[str, Any] | None = None
    attempt: int = 1
    failure: dict[str, Any] | None = None
    hold: list[Any] | None = None

    @classmethod
    def of(cls, headers: Any) -> "Told":
        """Return what a run's headers say."""
        return cls(**unpacked(headers[STORY_HEADER])) if STORY_HEADER in headers else cls()

    def header(self) -> Payload:
        """Return it as a header."""
        return packed({name: value for name, value in asdict(self).items() if value is not None})

    @property
    def begins(self) -> float:
        """The instant at which the run's code begins."""
        return self.now + self.delay

    @property
    def out_at(self) -> float:
        """The instant at which the run's time is over."""
        return min(self.begins + (self.run_timeout or inf), self.executed_by)

    @property
    def executed_by(self) -> float:
        """The instant at which the time of all runs is over."""
        return self.execution_by if self.execution_by is not None else self.begins + (self.execution_timeout or inf)

    def next(
        self, story: str | None, base: float, now: float, *, delay: float = 0.0, failure: Failure | None = None
    ) -> "Told":
        """Return what the next run of the same workflow is told: another attempt after a failure, else a new one."""
        by = self.executed_by
        return replace(
            self,
            story=story,
            base=base,
            now=now,
            delay=delay,
            execution_by=by if isfinite(by) else None,
            attempt=self.attempt + 1 if failure else 1,
            failure=MessageToDict(failure) if failure else None,
        )


def take_run_limits(command: Any) -> dict[str, Any]:
    """Take the timeouts and the retry policy of a run out of a command that starts it; return them for its header."""
    taken: dict[str, Any] = {}
    for name in ("run_timeout", "execution_timeout"):
        long_name = f"workflow_{name}"
        if long_name in command.DESCRIPTOR.fields_by_name and command.HasField(long_name):
            seconds = getattr(command, long_name).ToNanoseconds() / 1e9
            command.ClearField(long_name)
            if seconds:
                taken[name] = seconds
    if command.HasField("retry_policy"):
        taken["policy"] = policy_as_json(command.retry_policy)
        command.ClearField("retry_policy")
    return taken


def fill_retry(command: Any, init: Any, told: Told) -> None:
    """Make a command the one that continues a failed run in its next attempt, with all that the first was given."""
    command.workflow_type = init.workflow_type
    command.arguments.extend(init.arguments)
    for name, payload in init.headers.items():
        command.headers[name].CopyFrom(payload)
    for name, payload in init.memo.fields.items():
        command.memo[name].CopyFrom(payload)
    command.search_attributes.CopyFrom(init.search_attributes)
    command.headers[STORY_HEADER].CopyFrom(told.header())


def as_told(details: WorkflowInstanceDetails, told: Told, base: float) -> WorkflowInstanceDetails:
    """Return a run's details as they would be if the server kept virtual time."""
    headers = {name: value for name, value in details.info.headers.items() if name != STORY_HEADER}
    info = replace(
        details.info,
        headers=headers,
        attempt=told.attempt,
        run_timeout=delta(told.run_timeout or inf) or details.info.run_timeout,
        execution_timeout=delta(told.execution_timeout or inf) or details.info.execution_timeout,
        retry_policy=policy_from_json(told.policy) or details.info.retry_policy,
        workflow_start_time=datetime.fromtimestamp(base + told.now, UTC),
        start_time=datetime.fromtimestamp(base + told.begins, UTC),
    )
    failure = ParseDict(told.failure, Failure()) if told.failure else details.last_failure
    return replace(details, info=info, last_failure=failure)
