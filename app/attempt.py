"""One attempt of one activity, as the clients of the services see it."""

from dataclasses import dataclass

from temporalio import activity

from app.clock import Clock
from app.deadline import Deadline
from app.heartbeat import Heart, beating
from app.policies import StepPolicy


@dataclass(frozen=True)
class Attempt:
    """Whose work it is, which try, by when it has to be done, and where a job's ticket is kept."""

    workflow_id: str
    number: int
    deadline: Deadline
    heart: Heart

    @classmethod
    def begin(cls, clock: Clock, policy: StepPolicy) -> "Attempt":
        """Describe the attempt that runs here; its deadline counts from now."""
        info = activity.info()
        if info.workflow_id is None:
            raise RuntimeError("the activities of a try-on run inside a workflow")
        heart = beating.get() or Heart(None)
        return cls(info.workflow_id, info.attempt, Deadline(clock, policy.deadline), heart)

    @property
    def headers(self) -> dict[str, str]:
        """The headers that every request to a service carries."""
        return {"X-Workflow-Id": self.workflow_id, "X-Activity-Attempt": str(self.number)}
