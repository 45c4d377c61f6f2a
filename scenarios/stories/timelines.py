"""What happened in one workflow: its attempts, the waits between them, and the events from outside."""

from dataclasses import dataclass, field

from scenarios.virtual import Attempt, Story

LEFT = "the worker leaves"


@dataclass
class Happening:
    """An event that happened, in seconds since the timeline began."""

    at: float
    what: str


@dataclass
class Timeline:
    """The story of one workflow. `began` and `now` are Unix seconds.

    `given_twice` counts the attempts that the server gave to two workers: it is untrue if there is one.
    """

    workflow_id: str
    began: float | None = None
    now: float = 0.0
    attempts: list[Attempt] = field(default_factory=list)
    happenings: list[Happening] = field(default_factory=list)
    given_twice: int = 0

    def read(self, story: Story) -> None:
        """Take what a story has come to in virtual time."""
        self.began, self.now = story.base, story.base + story.now
        self.attempts = story.attempts()
        self.given_twice = story.given_twice

    def since_began(self, instant: float) -> float:
        """Return the seconds from the beginning to an instant."""
        return instant - (self.began or 0.0)

    @property
    def length(self) -> float:
        """Seconds so far."""
        return self.since_began(self.now) if self.began is not None else 0.0
