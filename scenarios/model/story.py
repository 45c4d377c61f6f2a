"""A story: all that can be told of one try-on, whether the model says it or a run showed it. Seconds are virtual."""

from dataclasses import dataclass, field

COMPLETED = "completed"
CANCELLED = "cancelled"
UNKNOWN = "?"
"""A picture of which nobody can say what it is."""
WRITTEN_ANEW = ", written anew"
"""What follows the word for a mask that was in another scale: it goes on in the usual one (docs/reliability.md)."""


@dataclass
class Attempt:
    """One attempt of an activity. `outcome` is `completed`, `cancelled`, the code of its error, or what cut it off."""

    activity: str
    number: int
    began: float
    ended: float = 0.0
    outcome: str = ""


@dataclass(frozen=True)
class Call:
    """One call to a service or the store.

    Attributes:
        number: which of its operation's calls.
        attempt: of the activity; None for the store, which is not told.
        works_on: the pictures that it names, in the words of this pipeline: photo, resized, cutout, mask, refined.
            One of the last two may be written anew.
        key: of a submit, by which it is the same when it is made again: its activity and the number of its job
            (docs/reliability.md, A job is money).
    """

    service: str
    operation: str
    number: int
    at: float
    attempt: int | None = None
    works_on: tuple[str, ...] = ()
    key: str | None = None

    @property
    def name(self) -> str:
        """The name that rules and expectations use."""
        return f"{self.service}.{self.operation}"


@dataclass(frozen=True)
class AnsweredAct:
    """What an act of the user was answered: what and when, the HTTP status, the try-on's status, the error's code.

    `place`: progress and step, of a look at an instant that finds it running.
    """

    act: str
    http_status: int
    status: str | None = None
    code: str | None = None
    place: tuple[int, str] | None = None


def act_words(do: str, at: float | str) -> str:
    """Return what an act is and when, in words."""
    return f"{do} at {at}" if isinstance(at, str) else f"{do} at {at:g} s"


@dataclass
class Story:
    """One try-on from the start to its end.

    Attributes:
        status: COMPLETED, FAILED, CANCELLED or REFUSED.
        code, step: of the failure; `code` also of a refused start.
        http_status: of the answer to the start.
        length: virtual seconds.
        background_removed: what the workflow returned, None unless COMPLETED.
        results: the names of the pictures and metrics that a completed result has, as the API spells them.
        scheduled: when each activity could have begun, had there been a worker; of the model alone.
        steps: the steps with their progress, in their order.
        cancel: the HTTP status that a cancel at a virtual second was answered; None without one.
        unheard: whether the last attempt ended before it heard of the cancel.
        lost_starts: how many starts were answered that nobody knows of them.
        replies: to what else the user did, in the order of the plan.
        fired: for each rule of the plan whether it acted, as far as that is known.
        met: the calls that met a fault: the operation, which of its calls, and the fault's kind.
    """

    status: str = ""
    code: str | None = None
    step: str | None = None
    http_status: int = 202
    length: float = 0.0
    attempts: list[Attempt] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    background_removed: bool | None = None
    results: frozenset[str] = frozenset()
    scheduled: dict[str, float] = field(default_factory=dict)
    steps: list[tuple[int, str]] = field(default_factory=list)
    cancel: int | None = None
    lost_starts: int = 0
    unheard: bool = False
    replies: list[tuple[AnsweredAct, ...]] = field(default_factory=list)
    fired: tuple[bool, ...] = ()
    met: set[tuple[str, int, str]] = field(default_factory=set)
