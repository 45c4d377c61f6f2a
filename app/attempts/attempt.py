"""One attempt of one activity, as the clients of the services see it."""

import asyncio
import time
from dataclasses import dataclass, field

from temporalio import activity

from app.attempts.deadline import Deadline
from app.attempts.heartbeat import Heart, beating
from app.pipeline.policies import StepPolicy

END_MARGIN = 2.0
"""Seconds between an attempt's own end and the server's start_to_close."""


@dataclass(frozen=True)
class Attempt:
    """Whose work it is, which try, and where a job's ticket is kept.

    Attributes:
        deadline: by when the service has to have answered.
        end: by when everything has to be done, the results stored too; a little before Temporal's start_to_close.
        began: when it began, in Unix seconds by Temporal's clock, which all workers share.
    """

    workflow_id: str
    activity: str
    number: int
    deadline: Deadline
    end: Deadline
    heart: Heart
    began: float = field(default_factory=time.time)
    _loop_time: float = field(default_factory=lambda: asyncio.get_running_loop().time())

    @classmethod
    def begin(cls, policy: StepPolicy) -> "Attempt":
        """Describe the attempt that runs here; its deadline counts from now."""
        info = activity.info()
        if info.workflow_id is None:
            raise RuntimeError("the activities of a try-on run inside a workflow")
        heart = beating.get()
        if heart is None:
            raise RuntimeError("an attempt needs heartbeats around it, or the ticket of its job is lost")
        deadline = Deadline(policy.deadline)
        end = Deadline(policy.start_to_close - END_MARGIN)
        began = info.started_time.timestamp()
        return cls(info.workflow_id, info.activity_type, info.attempt, deadline, end, heart, began)

    @property
    def now(self) -> float:
        """The time in Unix seconds: Temporal's at the attempt's beginning, and what has passed since."""
        return self.began + asyncio.get_running_loop().time() - self._loop_time

    @property
    def headers(self) -> dict[str, str]:
        """The headers that every request to a service carries."""
        return {"X-Workflow-Id": self.workflow_id, "X-Activity-Attempt": str(self.number)}
