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
    """The story of one workflow. `began` and `now` are Unix seconds; `problems` is what makes it untrue."""

    workflow_id: str
    began: float | None = None
    now: float = 0.0
    attempts: list[Attempt] = field(default_factory=list)
    happenings: list[Happening] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def read(self, story: Story) -> None:
        """Take what a story has come to in virtual time."""
        self.began, self.now = story.base, story.base + story.now
        self.attempts = story.attempts()
        if story.given_twice:
            self.problems = [
                f"inconclusive: the server gave {story.given_twice} of the attempts out twice: the machine was too busy"
            ]

    def since_began(self, instant: float) -> float:
        """Return the seconds from the beginning to an instant."""
        return instant - (self.began or 0.0)

    @property
    def length(self) -> float:
        """Seconds so far."""
        return self.since_began(self.now) if self.began is not None else 0.0
