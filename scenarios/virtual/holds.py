"""What is on its way between worker and server, so that time stands still: a lost one hangs, a missing one lies."""

import asyncio
from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple


class Hold(NamedTuple):
    """Something on its way between worker and server, during which time stands still.

    Attributes:
        kind: what it is; see `WORDS`.
        of: the run or workflow that it belongs to.
        which: the activity, timer or message among those of the same kind.
    """

    kind: str
    of: str
    which: object = ""


WORDS = {
    "activity": "activity {which} to be handed to a worker here, or the workflow to hear of its end",
    "local": "local activity {which} to begin, or the workflow to hear of its end",
    "timer": "the workflow to hear that its timer {which} has fired",
    "begin": "workflow {of} to begin here",
    "child start": "the workflow to hear that its child has started",
    "child end": "the workflow to hear that its child has ended",
    "signal": "workflow {of} to hear a signal",
    "cancel": "workflow {of} to hear of its cancellation",
    "update": "workflow {of} to hear an update",
    "close": "the server to close workflow {of}",
    "asking": "the server to say that activity {which} is cancelled",
    "result": "who asked for the result of workflow {of} to get it",
    "outcome": "who sent update {which} to workflow {of} to get its outcome",
    "plan": "what was planned for {of} to be done",
}


class Asked(NamedTuple):
    """What goes with a task of a workflow.

    Attributes:
        parent: what its parent waits for.
        waits_on: which messages the workflow may wait for itself.
        late_at: from when on the server may refuse an answer to it, Unix seconds.
    """

    parent: Hold | None
    waits_on: str
    late_at: float


@dataclass
class Answer:
    """What a workflow has said and the server has not taken yet.

    Attributes:
        heard: what it had heard by then.
        last: whether it closes the run.
        then: what has to come after the run.
        late_at: from when on the server may refuse it, Unix seconds.
        refused: set when the server has refused it.
    """

    heard: list[Hold] = field(default_factory=list)
    last: bool = False
    then: Hold | None = None
    late_at: float = inf
    refused: asyncio.Event = field(default_factory=asyncio.Event)
