"""What a fault can do to a call. Each hook does nothing unless a fault overrides it."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from fakes.kit.calls import Answer, Call, Operation
from fakes.kit.jobs import Seen


class Fault(BaseModel):
    """A fault of one kind. Its fields are its parameters; the first line of its docstring is its line in the docs."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    kind: str

    family: ClassVar[str]
    changes_answer: ClassVar[bool] = False
    """The service does its work, and `after` gets the complete answer."""
    at_once: ClassVar[bool] = True
    """It acts on whatever call it meets. The others act only when they change something, and say so by `Call.acts`."""
    carried: ClassVar[bool] = False
    """On a submit it goes with the job, and acts when a poll shows it."""
    foreign: ClassVar[bool] = False
    """What the service makes goes under another workflow's name."""

    def misfit(self, operation: Operation) -> str | None:  # noqa: ARG002 - a hook's default looks at nothing
        """Return why the fault cannot act on an operation, None when it can."""
        return None

    async def before(self, call: Call) -> Answer | None:  # noqa: ARG002
        """Act before the service does its work. An answer that is returned goes out in place of the service's."""
        return None

    def after(self, call: Call, answer: Answer) -> Answer | None:  # noqa: ARG002
        """Return what goes out in place of the service's answer, None when there was nothing to change."""
        return None

    def job_seconds(self, seconds: float) -> float:
        """Return how long the job takes that would have taken so many seconds."""
        return seconds

    def see(self, truth: Seen, age: float, *, ready: bool) -> Seen:  # noqa: ARG002
        """Return what a poll sees of a job of that age in seconds."""
        return truth

    def picture(self, data: bytes, source: bytes) -> bytes:  # noqa: ARG002
        """Return what a service gives in place of the picture that it made from its source."""
        return data
