"""What is written down of an attempt."""

from dataclasses import dataclass, field

from .limits import Limits


@dataclass
class Attempt:
    """One attempt of one activity as it went. Times are virtual seconds since the story began.

    Attributes:
        outcome: `completed`, `cancelled`, the type of its error, or the timeout that ended it, as `START_TO_CLOSE`.
        heartbeats: when its code made one. The server hears the first, and others as the worker sends them.
        backoff: seconds until the next attempt; None when there is none.
        limits: the timeouts that its workflow gave it.
    """

    activity: str
    number: int
    began: float
    ended: float | None = None
    outcome: str = "running"
    message: str = ""
    backoff: float | None = None
    heartbeats: list[float] = field(default_factory=list)
    workflow_id: str = ""
    limits: Limits | None = None
