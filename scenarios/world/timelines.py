"""What happened in one workflow, in virtual time only: its attempts, the waits between them, and the events.

The server's clock runs on in real time between skips, so wall time leaks into it. A timeline has none of it: an attempt
begins at the end of the one before plus the backoff that was given. So two runs of a story give the same numbers.
"""

import time
from dataclasses import dataclass, field
from itertools import pairwise

from scenarios.world.virtual_clock import Event, on_grid

# The server keeps milliseconds, and its timers may come a little early or late by them.
SERVER_GRAIN_S = 0.1
LEAK_SLACK_S = 0.9
"""What a busy machine may add unseen. The shortest pause of any policy is 1 s: a lost one is still noticed."""


@dataclass
class Attempt:
    """One attempt of one activity. Times are seconds since the timeline began."""

    activity: str
    number: int
    began: float
    ended: float | None = None
    outcome: str = "running"
    """`completed`, `cancelled` or the type of its error."""
    message: str = ""
    backoff: float | None = None
    """Seconds until the next attempt; None when there is none."""
    heartbeats: list[float] = field(default_factory=list)


@dataclass
class Happening:
    """An event that happened, in seconds since the timeline began."""

    at: float
    what: str


@dataclass
class Timeline:
    """The story of one workflow. `began` and `now` are Unix seconds; `problems` is what makes it untrue."""

    workflow_id: str
    began: float | None = None
    now: float = 0.0
    attempts: list[Attempt] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    happenings: list[Happening] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    bases: dict[str, float] = field(default_factory=dict)
    """For each run of the workflow (continue-as-new makes another) when it began, in seconds from the beginning."""
    resumes: dict[str, float] = field(default_factory=dict)
    """When the next attempt of each failed activity begins."""
    made_wall: float = field(default_factory=time.monotonic)
    leak: float = 0.0
    """The most that the server's clock was ahead of this one: wall time that leaked into it."""

    def begin(self, at: float) -> None:
        """Begin at an instant, unless it has begun. Events planned in seconds from the beginning get theirs."""
        if self.began is None:
            self.began = self.now = on_grid(at)
            for event in self.events:
                event.at = on_grid(self.began + event.at)

    def plan(self, event: Event) -> None:
        """Plan an event. Its time is in seconds from the beginning, and the timeline must not have begun."""
        assert self.began is None, "an event is planned before its workflow is started"
        self.events.append(event)

    def pending(self) -> tuple[Event, ...]:
        """Return the events that have not happened."""
        return tuple(event for event in self.events if not event.begun)

    def since_began(self, instant: float) -> float:
        """Return the seconds from the beginning to an instant."""
        return instant - (self.began or 0.0)

    @property
    def length(self) -> float:
        """Virtual seconds so far."""
        return self.since_began(self.now) if self.began is not None else 0.0

    def reach(self, instant: float) -> None:
        """Say that something happened at an instant: the story is at least that long."""
        self.now = max(self.now, instant)

    def start_after_cancelled(self, scheduled: float) -> float:
        """Return when an activity begins that was scheduled so many seconds from the beginning.

        The workflow does not hear when an attempt was cancelled; what follows comes after it.
        """
        cancelled = [each.ended or 0.0 for each in self.attempts if each.outcome == "cancelled"]
        return on_grid((self.began or 0.0) + max([scheduled, *cancelled]))

    def compare(self, own_time: float, server_time: float) -> None:
        """Compare with the server's clock: never behind, and ahead by at most the wall time since before the start."""
        ahead = server_time - own_time
        self.leak = max(self.leak, ahead)
        wall = time.monotonic() - self.made_wall
        if not -SERVER_GRAIN_S <= ahead <= wall + LEAK_SLACK_S:
            self.problems.append(
                f"at {self.since_began(own_time):.1f} s the server's clock differs by {ahead:+.2f} s; "
                f"the wall time that may leak into it is {wall:.2f} s"
            )


def longest_silence(attempt: Attempt) -> float:
    """Return the longest virtual time without a heartbeat in a finished attempt, its beginning and end included."""
    ended = attempt.ended if attempt.ended is not None else attempt.began
    marks = sorted([attempt.began, *attempt.heartbeats, ended])  # branches side by side beat in turns
    return max(later - earlier for earlier, later in pairwise(marks))


class Timelines:
    """The timelines of the workflows of one worker, by workflow id."""

    def __init__(self) -> None:
        self._by_id: dict[str, Timeline] = {}

    def of(self, workflow_id: str) -> Timeline:
        """Return a workflow's timeline, begun or not."""
        return self._by_id.setdefault(workflow_id, Timeline(workflow_id))

    def forget(self, workflow_id: str) -> None:
        """Drop what is no longer asked for."""
        self._by_id.pop(workflow_id, None)
