"""What is known of one run of a workflow, between the SDK's core and the workflow's code."""

from typing import Any

from .holds import Hold
from .runs import Told
from .story import Story


class RunState:
    """One run of a workflow, as its history tells it.

    Attributes:
        told: what it was told when it began.
        base: when its story began, in Unix seconds.
        now: its time in seconds since its story began, as far as its history says.
        story: where it has begun here.
        init: what the run was started with, where it may be retried.
        updates: the ids of updates that have no outcome yet, by the number that the SDK's core gives them.
    """

    def __init__(self, run: str, workflow_id: str, told: Told, base: float) -> None:
        self.run, self.workflow_id, self.told = run, workflow_id, told
        self.base, self.now = base, told.now
        self.story: Story | None = None
        self.init: Any = None
        self.updates: dict[str, str] = {}
        self.activities: dict[int, Hold] = {}
        self.children: dict[int, str] = {}

    def activity(self, seq: int) -> Hold:
        """Return what holds for an activity."""
        return self.activities.get(seq, Hold("activity", self.run, ""))

    def child(self, seq: int) -> str:
        """Return the workflow id of a child."""
        return self.children.get(seq, "")
